/* see http1_scan.h */
#include "proto/http1_scan.h"
#include <string.h>

enum {
    START,
    START_LF, /* the CR of an empty line in front of the request line was there */
    REQUEST_LINE,
    REQUEST_LF,
    NAME_FIRST, /* at the first byte of a header line */
    NAME,
    VALUE,
    VALUE_LF,
    END_LF, /* the CR of the empty line behind the headers was there */
    WHOLE,
};

enum { METHOD_MAX = 32, VERSION_LEN = 9 /* " HTTP/1.1" */, STRAY_MAX = 8 };

/* RFC 9110 5.6.2 */
static bool is_token(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
           || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_control(uint8_t c)
{
    return c < 0x20 || c == 0x7f;
}

static int in_start(struct http1_scan *s, uint8_t c)
{
    if (c == '\r') {
        s->line_at += 2;
        s->where = START_LF;
        return s->line_at > STRAY_MAX ? 400 : 0;
    }
    if (!is_token(c))
        return 400;
    s->line_len = 1;
    s->where = REQUEST_LINE;
    return 0;
}

static int in_request_line(struct http1_scan *s, uint8_t c)
{
    if (c == '\r') {
        s->where = REQUEST_LF;
        return 0;
    }
    if (is_control(c))
        return 400;
    s->line_len++;
    if (s->blank)
        return ++s->target_len > HTTP1_TARGET_MAX + VERSION_LEN ? 414 : 0;
    s->blank = c == ' ';
    return s->line_len > METHOD_MAX ? 400 : 0;
}

static int in_header(struct http1_scan *s, uint8_t c)
{
    switch (s->where) {
    case NAME_FIRST:
        if (c == '\r') {
            s->where = END_LF;
            return 0;
        }
        s->where = NAME;
        return is_token(c) ? 0 : 400; /* a blank: a folded line (RFC 9112 5.2) */
    case NAME:
        if (c == ':')
            s->where = VALUE;
        return c == ':' || is_token(c) ? 0 : 400;
    default:
        if (c == '\r')
            s->where = VALUE_LF;
        return c == '\r' || c == '\t' || !is_control(c) ? 0 : 400;
    }
}

static int step(struct http1_scan *s, uint8_t c)
{
    static const int behind_lf[] = {
        [START_LF] = START, [REQUEST_LF] = NAME_FIRST, [VALUE_LF] = NAME_FIRST, [END_LF] = WHOLE
    };

    if (s->where >= NAME_FIRST && ++s->headers_len > HTTP1_HEADERS_MAX)
        return 431;
    switch (s->where) {
    case START:
        return in_start(s, c);
    case REQUEST_LINE:
        return in_request_line(s, c);
    case START_LF:
    case REQUEST_LF:
    case VALUE_LF:
    case END_LF:
        s->where = behind_lf[s->where];
        return c == '\n' ? 0 : 400;
    default:
        return in_header(s, c);
    }
}

int http1_scan(struct http1_scan *s, struct view in, size_t *used)
{
    for (size_t i = 0; i < in.len; i++) {
        int status = step(s, in.p[i]);

        *used = i + 1;
        if (status != 0)
            return status;
        if (s->where == WHOLE)
            return 1;
    }
    *used = in.len;
    return 0;
}
