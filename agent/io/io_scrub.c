/* see io_scrub.h */
#include <string.h>
#include <strings.h>
#include "agent/io/io_scrub.h"
#include "certs/text.h"

enum { BASE64_MAX = 32 << 10, ESCAPED_MAX = 64 << 10 };

static void overwrite(struct buf *body, struct view secret)
{
    uint8_t *at = body->p, *end = body->p + body->len;

    while ((at = memmem(at, (size_t)(end - at), secret.p, secret.len)) != NULL) {
        memset(at, '*', secret.len);
        at += secret.len;
    }
}

/* As JSON writes it, of which some programs escape the slash, too. */
static void overwrite_escaped(struct buf *body, struct view secret, const char *which)
{
    struct buf escaped = BUF_SECRET(ESCAPED_MAX);

    for (size_t i = 0; i < secret.len; i++) {
        if (secret.p[i] != '\0' && strchr(which, secret.p[i]) != NULL)
            buf_add_byte(&escaped, '\\');
        buf_add_byte(&escaped, secret.p[i]);
    }
    if (!escaped.bad && escaped.len > secret.len)
        overwrite(body, buf_view(&escaped));
    buf_free(&escaped);
}

void io_scrub(struct buf *body, struct view secret, size_t least)
{
    if (secret.len < least || body->len == 0)
        return;
    overwrite(body, secret);
    overwrite_escaped(body, secret, "\"\\");
    overwrite_escaped(body, secret, "\"\\/");
}

void io_scrub_credential(struct buf *body, struct view credential, size_t least)
{
    const uint8_t *colon = credential.len > 0 ? memchr(credential.p, ':', credential.len) : NULL;
    struct buf basic = BUF_SECRET(BASE64_MAX);

    io_scrub(body, credential, least);
    base64_add(&basic, credential);
    if (!basic.bad)
        io_scrub(body, buf_view(&basic), least);
    if (colon != NULL)
        io_scrub(
            body, view_of(colon + 1, credential.len - (size_t)(colon + 1 - credential.p)), least);
    buf_free(&basic);
}

static bool speaks_of_secret(const char *name, size_t len)
{
    static const char *const words[] = { "auth", "key", "token", "secret", "passw", "cookie" };

    for (size_t at = 0; at < len; at++)
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (len - at >= strlen(words[i])
                && strncasecmp(name + at, words[i], strlen(words[i])) == 0)
                return true;
    return false;
}

void io_scrub_header(struct buf *body, const char *line, size_t least)
{
    static const char authorization[] = "Authorization";
    size_t len = strcspn(line, ":");
    const char *at = line + len;

    if (*at != ':' || !speaks_of_secret(line, len))
        return;
    at += 1 + strspn(at + 1, " ");
    if (len == sizeof authorization - 1 && strncasecmp(line, authorization, len) == 0) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    io_scrub(body, view_text(at), least);
}

/* ---- forms ----------------------------------------------------------------------------------------------------- */

static bool is_secret(struct view name)
{
    static const char *const names[] = { "client_secret", "client_assertion", "device_code",
        "refresh_token" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (view_equal(name, view_text(names[i])))
            return true;
    return false;
}

static uint8_t hex_digit(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* As http_add_form wrote it: "%41" and no '+'. */
static void decode(struct buf *out, struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.p[i] == '%' && i + 2 < v.len) {
            buf_add_byte(out, (uint8_t)(hex_digit(v.p[i + 1]) << 4 | hex_digit(v.p[i + 2])));
            i += 2;
        } else {
            buf_add_byte(out, v.p[i]);
        }
}

static void scrub_value(struct buf *body, struct view raw)
{
    struct buf value = BUF_SECRET(BASE64_MAX);

    decode(&value, raw);
    io_scrub(body, raw, IO_SCRUB_REFUSAL);
    if (!value.bad)
        io_scrub(body, buf_view(&value), IO_SCRUB_REFUSAL);
    buf_free(&value);
}

void io_scrub_form(struct buf *body, struct view form)
{
    for (size_t at = 0, len; at < form.len; at += len + 1) {
        const uint8_t *one = form.p + at, *end = memchr(one, '&', form.len - at), *is;

        len = end != NULL ? (size_t)(end - one) : form.len - at;
        if ((is = memchr(one, '=', len)) != NULL && is_secret(view_of(one, (size_t)(is - one))))
            scrub_value(body, view_of(is + 1, len - (size_t)(is + 1 - one)));
    }
}
