#ifndef TEST_UNIT_AGENT_CA_DRIVER_H
#define TEST_UNIT_AGENT_CA_DRIVER_H
/* agent_ca_driver.h - one instance of a driver, without network, and the answers it is given. */
#include "agent/ca/ca.h"

static struct conf_ca section;
static struct ca *ca;
static struct ca_issue issue_out;
static struct http_req q;

static inline void open_driver(const struct ca_driver *d, const char *url)
{
    static char name[] = "issuing1", address[200];
    struct err e = { 0 };

    (void)snprintf(address, sizeof address, "%s", url);
    section = (struct conf_ca){ .name = name, .url = address, .timeout = 77 };
    if ((ca = d->open(&section, &e)) == NULL)
        fail_msg("%s", e.msg);
    ca->driver = d;
    ca->conf = &section;
    issue_out = (struct ca_issue){ .certificates = BUF_INIT(1 << 16) };
}

static inline int close_driver(void **state)
{
    (void)state;
    ca->driver->close(ca);
    buf_free(&issue_out.certificates);
    return 0;
}

static inline struct http_reply reply(int status, const char *type, struct view body)
{
    return (struct http_reply){ .status = status,
        .body = body,
        .content_type = type,
        .location = "",
        .authenticate = "",
        .retry_after_s = -1 };
}

/* The answer to a submit or collect; what it brings is in issue_out. */
static inline enum ca_answer judge(const struct http_reply *r, struct err *e)
{
    buf_reset(&issue_out.certificates);
    issue_out.reference[0] = '\0';
    issue_out.wait_s = 0;
    *e = (struct err){ 0 };
    return ca->driver->judge(ca, r, &issue_out, e);
}

static inline const char *header(const char *name)
{
    for (size_t i = 0; i < q.header_count; i++)
        if (strcmp(q.header[i].name, name) == 0)
            return q.header[i].value;
    return NULL;
}

static inline void body_is(const char *expected)
{
    if (!view_equal(q.body, view_text(expected)))
        fail_msg("body %.*s\nnot  %s", (int)q.body.len, (const char *)q.body.p, expected);
}
#endif
