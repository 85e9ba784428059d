#ifndef AGENT_SIGNIN_INNER_H
#define AGENT_SIGNIN_INNER_H
#include "agent/cloud/signin.h"

/* signin_inner.h - between signin.c (the order), signin_token.c (ways in) and signin_enrol.c. */
enum { SIGNIN_TOKEN_MAX = 32 << 10 };

/* signin_ask - one question; judge sees every answer there is, whatever its status. */
typedef int signin_judge(struct signin *s, const struct http_reply *r, struct err *e);
int signin_ask(struct signin *s, struct http_req *q, signin_judge *judge, struct err *e) MUST;
void signin_show(struct signin *s, enum signin_stage stage);

int signin_by_device(struct signin *s, struct err *e) MUST; /* s->token is filled */
int signin_by_client(struct signin *s, struct err *e) MUST;

int signin_enrol(struct signin *s, struct err *e) MUST; /* s->made is filled */
int signin_prove(struct signin *s, struct err *e) MUST; /* one message by it */
#endif
