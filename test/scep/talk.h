#ifndef SCEP_TALK_H
#define SCEP_TALK_H
#include "test/sandbox/text.h"

/* talk.h - bytes to a service and its HTTP answer back; one connection for each. */
enum { WHY = 256 };

struct target {
    char host[128], path[512];
    unsigned port;
    bool tls;
    const char *trust; /* PEM file; NULL: any certificate will do */
};
bool target_read(const char *url, struct target *t); /* http://127.0.0.1:8080/certsrv/... */

struct response {
    int status;
    char type[96];
    struct str head, body;
    int64_t us; /* from the last byte sent to the first one received */
};
/* talk - false: no answer, `why`.  The request is sent as it is, as far as the peer takes it. */
bool talk(const struct target *t, const struct str *request, struct response *r, char why[WHY]);
void response_free(struct response *r);

/* get_request, post_request - plain ones; query without '?'. */
void get_request(const struct target *t, const char *query, struct str *out);
void post_request(const struct target *t, const char *query, const char *type,
    const struct str *body, struct str *out);
#endif
