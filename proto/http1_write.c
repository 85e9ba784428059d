/* see http1.h */
#include "proto/http.h"
#include "proto/http1.h"

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } rows[] = {
        { 100, "Continue" },
        { 200, "OK" },
        { 204, "No Content" },
        { 301, "Moved Permanently" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].status == status)
            return rows[i].text;
    return "Status";
}

void http1_write(struct buf *out, const struct http1_answer *a)
{
    bool bodiless = a->status < 200 || a->status == 204 || a->status == 304;
    size_t len = a->type != NULL ? a->body.len : 0;

    buf_printf(out, "HTTP/1.1 %03d %s\r\n", a->status, reason(a->status));
    if (a->status < 200) {
        buf_add_text(out, "\r\n");
        return;
    }
    if (a->type != NULL && http_header_ok(a->type))
        buf_printf(out, "Content-Type: %s\r\n", a->type);
    if (!bodiless) /* RFC 9110 8.6 */
        buf_printf(out, "Content-Length: %zu\r\n", len);
    buf_add_text(out, "Cache-Control: no-store\r\n");
    if (a->extra != NULL && http_header_ok(a->extra))
        buf_printf(out, "%s\r\n", a->extra);
    buf_printf(out, "Connection: %s\r\n\r\n", a->close ? "close" : "keep-alive");
    if (!bodiless && !a->head && len != 0)
        buf_add_view(out, a->body);
}
