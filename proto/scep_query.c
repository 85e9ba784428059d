/* see scep_query.h */
#include "proto/scep_query.h"
#include "certs/text.h"
#include <string.h>
#include <strings.h>

enum { PATH_MAX_LEN = 1024 };

static bool is_text(struct view v, const char *text)
{
    return v.len == strlen(text) && strncasecmp((const char *)v.p, text, v.len) == 0;
}

/* ---- the query ---- */

static enum scep_operation operation(struct view name)
{
    static const struct {
        const char *name;
        enum scep_operation operation;
    } rows[] = {
        { "GetCACaps", SCEP_GET_CA_CAPS },
        { "GetCACert", SCEP_GET_CA_CERT },
        { "GetNextCACert", SCEP_GET_NEXT_CA_CERT },
        { "PKIOperation", SCEP_PKI_OPERATION },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (is_text(name, rows[i].name))
            return rows[i].operation;
    return SCEP_OP_UNKNOWN;
}

/* Up to the next `end`, which is taken off, too. */
static struct view cut(struct view *rest, char end)
{
    const uint8_t *at = rest->len != 0 ? memchr(rest->p, end, rest->len) : NULL;
    size_t len = at != NULL ? (size_t)(at - rest->p) : rest->len;
    struct view front = view_of(rest->p, len);

    *rest = at != NULL ? view_of(at + 1, rest->len - len - 1) : (struct view){ 0 };
    return front;
}

void scep_query_parse(struct view query, struct scep_query *q)
{
    *q = (struct scep_query){ 0 };
    while (query.len != 0) {
        struct view value = cut(&query, '&'), name;

        while (value.len != 0 && value.p[0] == '?')
            value = view_of(value.p + 1, value.len - 1);
        name = cut(&value, '=');
        if (is_text(name, "operation")) {
            q->operation = q->operation == SCEP_OP_NONE ? operation(value) : SCEP_OP_UNKNOWN;
        } else if (is_text(name, "message")) {
            if (q->has_message)
                q->operation = SCEP_OP_UNKNOWN;
            q->has_message = true;
            q->message = value;
        }
    }
}

/* ---- percent signs ---- */

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next byte of a percent-encoded text; -1: not one.  *coded says how it stood there. */
static int next_byte(struct view *rest, bool *coded)
{
    int high, low;

    *coded = rest->p[0] == '%';
    if (!*coded) {
        int c = rest->p[0];

        *rest = view_of(rest->p + 1, rest->len - 1);
        return c;
    }
    if (rest->len < 3 || (high = hex(rest->p[1])) < 0 || (low = hex(rest->p[2])) < 0)
        return -1;
    *rest = view_of(rest->p + 3, rest->len - 3);
    return high << 4 | low;
}

/* ---- the message ---- */

/* Any of the five dresses to plain base64 without line ends and padding. */
static int undress(struct view raw, struct buf *plain, struct err *e)
{
    size_t pad = 0;
    bool coded;

    for (struct view rest = raw; rest.len != 0;) {
        int c = next_byte(&rest, &coded);

        if (c < 0)
            return err_set(e, ERR_PROTO, "SCEP message: a '%%' without two digits");
        if (c == '\r' || c == '\n' || c == '\t')
            continue;
        if (c == '=') {
            pad++;
            continue;
        }
        if (pad != 0)
            return err_set(e, ERR_PROTO, "SCEP message: base64 text behind its padding");
        buf_add_byte(plain, c == ' ' || c == '-' ? '+' : c == '_' ? '/' : (uint8_t)c);
    }
    if (pad > 2)
        return err_set(e, ERR_PROTO, "SCEP message: base64 with %zu '='", pad);
    return 0;
}

int scep_query_message(struct view raw, struct buf *out, struct err *e)
{
    struct buf plain = BUF_INIT(raw.len + 4);
    int rc = -1;

    if (undress(raw, &plain, e) != 0)
        goto done;
    if (plain.len == 0 && !plain.bad) {
        err_set(e, ERR_PROTO, "SCEP message: empty");
        goto done;
    }
    while (plain.len % 4 != 0 && !plain.bad)
        buf_add_byte(&plain, '=');
    if (buf_check(&plain, e) == 0 && base64_parse(buf_view(&plain), out, e) == 0)
        rc = 0;
done:
    buf_free(&plain);
    return rc;
}

/* ---- the path ---- */

static char lower(int c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static bool has_dots(const char *path)
{
    for (; (path = strstr(path, "/..")) != NULL; path += 3)
        if (path[3] == '/' || path[3] == '\0')
            return true;
    return false;
}

/* Decoded, in lower case, without '/' at its end; false for what is the same as nothing. */
static bool plain_path(struct view path, bool encoded, char out[PATH_MAX_LEN])
{
    size_t len = 0;

    while (path.len != 0) {
        bool coded = false;
        int c = encoded ? next_byte(&path, &coded) : path.p[0];

        if (!encoded)
            path = view_of(path.p + 1, path.len - 1);
        if (c <= 0 || (coded && (c == '/' || c == '\\')) || len == PATH_MAX_LEN - 1)
            return false;
        out[len++] = lower(c);
    }
    if (len > 0 && out[len - 1] == '/')
        len--;
    out[len] = '\0';
    return !has_dots(out);
}

/* Take `tail` off; false if path does not end with it. */
static bool take_off(char *path, const char *tail)
{
    size_t len = strlen(path), tail_len = strlen(tail);

    if (len < tail_len || strcmp(path + len - tail_len, tail) != 0)
        return false;
    path[len - tail_len] = '\0';
    return true;
}

bool scep_path_same(struct view path, const char *configured)
{
    char asked[PATH_MAX_LEN], ours[PATH_MAX_LEN];

    if (!plain_path(path, true, asked) || !plain_path(view_text(configured), false, ours))
        return false;
    if (strcmp(asked, ours) == 0)
        return true;
    if (take_off(asked, "/pkiclient.exe") && strcmp(asked, ours) == 0)
        return true;
    return take_off(ours, "/mscep.dll") && strcmp(asked, ours) == 0;
}
