/* see io_scrub.h */
#include <string.h>
#include <strings.h>
#include "agent/io_scrub.h"
#include "certs/text.h"

enum { SECRET_LEAST = 6, BASE64_MAX = 32 << 10 };

void io_scrub(struct buf *body, struct view secret)
{
    uint8_t *at = body->p, *end = body->p + body->len;

    if (secret.len < SECRET_LEAST || body->len == 0)
        return;
    while ((at = memmem(at, (size_t)(end - at), secret.p, secret.len)) != NULL) {
        memset(at, '*', secret.len);
        at += secret.len;
    }
}

void io_scrub_credential(struct buf *body, struct view credential)
{
    const uint8_t *colon = credential.len > 0 ? memchr(credential.p, ':', credential.len) : NULL;
    struct buf basic = BUF_SECRET(BASE64_MAX);

    io_scrub(body, credential);
    base64_add(&basic, credential);
    if (!basic.bad)
        io_scrub(body, buf_view(&basic));
    if (colon != NULL)
        io_scrub(body, view_of(colon + 1, credential.len - (size_t)(colon + 1 - credential.p)));
    buf_free(&basic);
}

void io_scrub_header(struct buf *body, const char *line)
{
    static const char name[] = "Authorization:";
    const char *at = line + sizeof name - 1;

    if (strncasecmp(line, name, sizeof name - 1) != 0)
        return;
    at += strspn(at, " ");
    at += strcspn(at, " ");
    at += strspn(at, " ");
    io_scrub(body, view_text(at));
}
