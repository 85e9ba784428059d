#ifndef PROTO_OAUTH_DEVICE_H
#define PROTO_OAUTH_DEVICE_H
#include "proto/oauth.h"

/*
 * oauth_device.h - a person signs in with a code, on another machine if need be (RFC 8628).
 *
 * Call order: oauth_device_form -> POST to the device endpoint -> oauth_device_parse; show the user code; then, no
 * sooner than interval_s after the answer before: oauth_device_poll_form -> POST to the token endpoint ->
 * oauth_device_answer, until it is not 0 or expires_in_s is over.  Never poll again after a 1: some servers then
 * take the code for stolen and revoke what they granted.
 */
enum {
    OAUTH_INTERVAL_S =
        5, /* "If no value is provided, clients MUST use 5 as the default" (RFC 8628 3.2) */
    OAUTH_INTERVAL_MAX_S = 300,
    OAUTH_DEVICE_LIFE_MAX_S = 86400,
};

struct oauth_device {
    struct buf code;    /* device_code; secret */
    char user_code[64]; /* visible ASCII, to be typed */
    char url[512];      /* verification_uri (or verification_url, as old servers have it); https */
    char url_complete
        [512];         /* verification_uri_complete, with the code in it; "": Entra ID has none */
    char message[400]; /* Entra ID's own text for the person, clean; "" */
    int64_t expires_in_s; /* from the answer on */
    int64_t interval_s;   /* wait so long before each poll; oauth_device_answer may raise it */
};
/* clang-format off */
#define OAUTH_DEVICE_INIT { .code = BUF_SECRET(8192) }
/* clang-format on */
void oauth_device_free(struct oauth_device *d); /* wipes the code; zeros are fine */

/* oauth_device_form - the form body for the device endpoint.  c: a public client has neither secret nor key; one
 * that has them signs in here as at the token endpoint, `audience` being that one's URL.
 * fails  as oauth_token_form, but for the lack of a secret */
int oauth_device_form(struct lib *l, const struct oauth_client *c, const char *audience,
    const char *scope, int64_t now, struct buf *out, struct err *e) MUST;

/*
 * oauth_device_parse - the answer of the device endpoint; d is OAUTH_DEVICE_INIT.
 *
 * fails  as oauth_token_parse, with "device endpoint" for "token endpoint"; ERR_PROTO: no code, an address that is
 *        not https, text that a terminal should not see; oauth_error_read tells more about a refusal
 */
int oauth_device_parse(int status, struct view body, struct oauth_device *d, struct err *e) MUST;

/* oauth_device_poll_form - the form body for the token endpoint; `out` is a secret buf */
int oauth_device_poll_form(struct lib *l, const struct oauth_client *c, const char *audience,
    const struct oauth_device *d, int64_t now, struct buf *out, struct err *e) MUST;

/*
 * oauth_device_answer - the token endpoint's answer to a poll.
 *
 * returns  1 *t is filled, stop; 0 not yet: ask again after d->interval_s, which slow_down has raised by 5 s
 * fails    ERR_DENIED the person declined; ERR_EXPIRED the code has ended; ERR_AUTH, ERR_FORBIDDEN, ERR_CONFIG:
 *          oauth_error_read says why.  These are final.
 *          ERR_NET, ERR_BUSY, ERR_INTERCEPTED: no answer to the question; oauth_device_slower, then ask again
 */
int oauth_device_answer(struct oauth_device *d, int status, struct view body, struct oauth_token *t,
    struct err *e) MUST;

/* oauth_device_slower - after no answer or one that says nothing: twice the interval (RFC 8628 3.5) */
void oauth_device_slower(struct oauth_device *d);
#endif
