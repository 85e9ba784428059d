/* Requests off a connection.  The first byte says how many follow that are the lengths of the pieces in which the
 * rest comes; what comes out must not depend on them. */
#include "proto/http1.h"
#include "certs/text.h"
#include <stdlib.h>
#include <string.h>

static void note(struct buf *log, const struct http1_request *r)
{
    buf_printf(log, "[%s ", r->method);
    buf_add_view(log, r->path);
    buf_add_byte(log, '?');
    buf_add_view(log, r->query);
    buf_printf(log, "|%s|%s|%s|%d%d|", r->authorization, r->forwarded_for, r->user_agent,
        r->keep_alive, r->http10);
    buf_add_view(log, r->body);
    buf_add_byte(log, ']');
    if (text_has_control(r->path) || text_has_control(r->query) || r->body.len > 4096
        || strpbrk(r->authorization, "\r\n") != NULL || strpbrk(r->user_agent, "\r\n") != NULL)
        abort();
}

static void talk(struct view in, struct view pieces, struct buf *log)
{
    static const struct http1_limits limits = { .body_max = 4096 };
    struct http1 *h = http1_new(&limits);
    enum http1_state s = HTTP1_MORE;
    struct http1_request r;
    int status = 0;

    for (size_t at = 0, i = 0, len; at < in.len && s != HTTP1_BAD; at += len, i++) {
        len = pieces.len != 0 ? pieces.p[i % pieces.len] + 1u : in.len;
        if (len > in.len - at)
            len = in.len - at;
        s = http1_read(h, view_of(in.p + at, len), &r, &status);
        for (; s == HTTP1_REQUEST; s = http1_read(h, (struct view){ 0 }, &r, &status))
            note(log, &r);
    }
    if (s == HTTP1_BAD && (status < 400 || status > 505))
        abort();
    buf_printf(log, "%d %d", s == HTTP1_BAD ? status : 0, http1_idle(h));
    http1_free(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = BUF_INIT(8 << 20), cut = BUF_INIT(8 << 20);
    struct view pieces, in;

    if (size == 0 || size - 1 < data[0])
        return 0;
    pieces = view_of(data + 1, data[0]);
    in = view_of(data + 1 + data[0], size - 1 - data[0]);
    talk(in, (struct view){ 0 }, &whole);
    talk(in, pieces, &cut);
    if (!view_equal(buf_view(&whole), buf_view(&cut)))
        abort();
    buf_free(&whole);
    buf_free(&cut);
    return 0;
}
