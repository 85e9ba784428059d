#ifndef PROTO_OAUTH_PART_H
#define PROTO_OAUTH_PART_H
#include "proto/oauth.h"

/*
 * oauth_part.h - what the messages of OAuth have in common; for the oauth*.c files only.
 */

/* oauth_add_client - who we are, into a form: nothing with `basic`, else client_id and what proves it, if anything.
 * On failure the form has a part of it: the caller cuts it off.  fails as oauth_token_form */
int oauth_add_client(struct lib *l, const struct oauth_client *c, const char *audience, int64_t now,
    struct buf *out, struct err *e) MUST;

/*
 * oauth_answer - the object of a 2xx; NULL: the answer is something else, in the classes of oauth_token_parse, but
 * those of OAUTH_REASONS for an error that is OAuth's.
 * what  the endpoint's name, for people: "token endpoint"
 */
struct json *oauth_answer(int status, struct view body, const char *what, struct err *e) MUST;

/* oauth_seconds - a number; Entra ID's older endpoints write it as a text.  Left alone if absent; cut at `max`. */
int oauth_seconds(
    const struct json *answer, const char *name, int64_t max, int64_t *out, struct err *e) MUST;

/* oauth_read_token - what a 2xx of the token endpoint grants. */
int oauth_read_token(const struct json *answer, struct oauth_token *t, struct err *e) MUST;
#endif
