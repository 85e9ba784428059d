/* see hostile.h: HTTP itself, and the URL */
#include "test/scep/hostile.h"
#include <string.h>

#define HOST_LINE "Host: scep.contoso.example\r\n"
#define END       "Connection: close\r\n\r\n"

/* %P becomes the path; a text with a NUL has its length in `size`. */
static void raw_text(struct bench *b, const struct row *r, struct str *out)
{
    const char *text = r->text;
    size_t len = r->size != 0 ? r->size : strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (i + 1 < len && text[i] == '%' && text[i + 1] == 'P') {
            str_puts(out, b->to.path);
            i++;
        } else {
            str_add(out, text + i, 1);
        }
    }
}

static void fill_with(struct str *out, char c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        str_add(out, &c, 1);
}

static void long_query(struct bench *b, const struct row *r, struct str *out)
{
    str_f(out, "GET %s?operation=PKIOperation&message=", b->to.path);
    fill_with(out, 'A', r->size);
    str_puts(out, " HTTP/1.1\r\n" HOST_LINE END);
}

static void long_header(struct bench *b, const struct row *r, struct str *out)
{
    str_f(out, "GET %s?operation=GetCACaps HTTP/1.1\r\n" HOST_LINE "X-Long: ", b->to.path);
    fill_with(out, 'a', r->size);
    str_puts(out, "\r\n" END);
}

static void many_headers(struct bench *b, const struct row *r, struct str *out)
{
    str_f(out, "GET %s?operation=GetCACaps HTTP/1.1\r\n" HOST_LINE, b->to.path);
    for (size_t i = 0; i < r->size; i++)
        str_f(out, "X-%zu: 1\r\n", i);
    str_puts(out, END);
}

static void long_body(struct bench *b, const struct row *r, struct str *out)
{
    str_f(out, "POST %s?operation=PKIOperation HTTP/1.1\r\n" HOST_LINE END, b->to.path);
    str_cut(out, out->len - 2);
    str_f(out, "Content-Length: %zu\r\n\r\n", r->size);
    fill_with(out, '0', r->size);
}

static void long_chunks(struct bench *b, const struct row *r, struct str *out)
{
    str_f(out,
        "POST %s?operation=PKIOperation HTTP/1.1\r\n" HOST_LINE
        "Transfer-Encoding: chunked\r\n" END,
        b->to.path);
    for (size_t i = 0; i < r->size; i += 4096) {
        str_puts(out, "1000\r\n");
        fill_with(out, '0', 4096);
        str_puts(out, "\r\n");
    }
    str_puts(out, "0\r\n\r\n");
}

#define GET(path) "GET " path " HTTP/1.1\r\n" HOST_LINE END
#define POST(extra) \
    "POST %P?operation=PKIOperation HTTP/1.1\r\n" HOST_LINE extra "Connection: close\r\n\r\n"
#define CAPS  "%P?operation=GetCACaps"
#define HELLO "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03 and so on\r\n\r\n"
#define TEXT  .raw = raw_text, .text

const struct row rows_http[] = {
    /* good, in other clothes */
    { "GetCACaps", HTTP_200, TEXT = GET(CAPS) },
    { "operation in small letters", HTTP_200, TEXT = GET("%P?operation=getcacaps") },
    { "name of the parameter in capitals", HTTP_200, TEXT = GET("%P?OPERATION=GetCACaps") },
    { "message first", HTTP_200, TEXT = GET("%P?message=x&operation=GetCACaps") },
    { "a stray question mark", HTTP_200, TEXT = GET("%P??operation=GetCACaps") },
    { "pkiclient.exe behind the path", HTTP_200,
        TEXT = GET("%P/pkiclient.exe?operation=GetCACaps") },
    { "a slash behind the path", HTTP_200, TEXT = GET("%P/?operation=GetCACaps") },
    { "the path in mixed case", HTTP_200,
        TEXT = GET("/CertSrv/MSCEP/mscep.DLL?operation=GetCACaps") },
    { "the folder", HTTP_200, TEXT = GET("/certsrv/mscep/?operation=GetCACaps") },
    { "absolute form", HTTP_200, TEXT = GET("http://scep.contoso.example" CAPS) },
    { "HTTP/1.0 without Host", HTTP_200, TEXT = "GET " CAPS " HTTP/1.0\r\n\r\n" },
    { "HTTP/1.1 without Host", HTTP_200, TEXT = "GET " CAPS " HTTP/1.1\r\n" END },
    { "an unknown parameter", HTTP_200, TEXT = GET(CAPS "&x=y") },
    { "line ends in a parameter that is not looked at", HTTP_200,
        TEXT = GET(CAPS "&message=%0d%0aX-Evil:%201") },
    { "a Range header", HTTP_200,
        TEXT = "GET " CAPS " HTTP/1.1\r\n" HOST_LINE "Range: bytes=0-1\r\n" END },

    /* URLs */
    { "no operation", HTTP_403, TEXT = GET("%P") },
    { "an unknown operation", HTTP_400 | HTTP_403 | HTTP_404 | HTTP_501,
        TEXT = GET("%P?operation=Format") },
    { "an empty operation", HTTP_400 | HTTP_403 | HTTP_404, TEXT = GET("%P?operation=") },
    { "two operations", HTTP_400 | HTTP_403 | HTTP_404,
        TEXT = GET(CAPS "&operation=PKIOperation") },
    { "GetNextCACert without one", HTTP_400 | HTTP_404 | HTTP_501,
        TEXT = GET("%P?operation=GetNextCACert") },
    { "PKIOperation without a message", HTTP_400, TEXT = GET("%P?operation=PKIOperation") },
    { "PKIOperation with an empty message", HTTP_400,
        TEXT = GET("%P?operation=PKIOperation&message=") },
    { "a message that is no base64", HTTP_400,
        TEXT = GET("%P?operation=PKIOperation&message=!!!!") },
    { "a message of one character", HTTP_400, TEXT = GET("%P?operation=PKIOperation&message=M") },
    { "padding in the middle", HTTP_400, TEXT = GET("%P?operation=PKIOperation&message=MII=CAAA") },
    { "a percent sign and no digits", HTTP_400,
        TEXT = GET("%P?operation=PKIOperation&message=MII%zzAA") },
    { "a percent sign at the end", HTTP_400,
        TEXT = GET("%P?operation=PKIOperation&message=MIIC%") },
    { "an encoded NUL in the message", HTTP_400,
        TEXT = GET("%P?operation=PKIOperation&message=MII%00AAAA") },
    { "an encoded NUL in the operation", HTTP_400 | HTTP_403 | HTTP_404,
        TEXT = GET("%P?operation=GetCACaps%00") },
    { "the message twice", HTTP_400,
        TEXT = GET("%P?operation=PKIOperation&message=MIIC&message=MIIC") },
    { "another path", HTTP_404, TEXT = GET("/?operation=GetCACaps") },
    { "a path of somebody else", HTTP_404, TEXT = GET("/etc/passwd") },
    { "dots in the path", HTTP_400 | HTTP_404,
        TEXT = GET("/certsrv/x/../mscep/mscep.dll?operation=GetCACaps") },
    { "encoded dots", HTTP_400 | HTTP_404,
        TEXT = GET("/certsrv/x/%2e%2e/mscep/mscep.dll?operation=GetCACaps") },
    { "an encoded slash", HTTP_400 | HTTP_404,
        TEXT = GET("/certsrv%2fmscep%2fmscep.dll?operation=GetCACaps") },
    { "an encoded NUL in the path", HTTP_400 | HTTP_404, TEXT = GET("%P%00?operation=GetCACaps") },
    { "a query of 60000", HTTP_400, .raw = long_query, .size = 60000 },
    { "a query of 200000", HTTP_414, .raw = long_query, .size = 200000 },

    /* requests that two readers may read in two ways */
    { "Content-Length and Transfer-Encoding", HTTP_400,
        TEXT = POST("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\n" },
    { "two Content-Lengths", HTTP_400,
        TEXT = POST("Content-Length: 5\r\nContent-Length: 6\r\n") "aaaaaa" },
    { "two equal Content-Lengths", HTTP_400,
        TEXT = POST("Content-Length: 5\r\nContent-Length: 5\r\n") "aaaaa" },
    { "a list as Content-Length", HTTP_400, TEXT = POST("Content-Length: 5, 5\r\n") "aaaaa" },
    { "a negative Content-Length", HTTP_400, TEXT = POST("Content-Length: -1\r\n") },
    { "a signed Content-Length", HTTP_400, TEXT = POST("Content-Length: +5\r\n") "aaaaa" },
    { "a Content-Length in hexadecimal", HTTP_400, TEXT = POST("Content-Length: 0x5\r\n") "aaaaa" },
    { "a Content-Length of 2^64 + 5", HTTP_400 | HTTP_413,
        TEXT = POST("Content-Length: 18446744073709551621\r\n") "aaaaa" },
    { "a Content-Length of a terabyte", HTTP_413,
        TEXT = POST("Content-Length: 1099511627776\r\n") },
    { "Transfer-Encoding gzip", HTTP_400 | HTTP_501, TEXT = POST("Transfer-Encoding: gzip\r\n") },
    { "Transfer-Encoding gzip, chunked", HTTP_400 | HTTP_501,
        TEXT = POST("Transfer-Encoding: gzip, chunked\r\n") "0\r\n\r\n" },
    { "Transfer-Encoding chunked, twice", HTTP_400 | HTTP_501,
        TEXT = POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\n" },
    { "Transfer-Encoding xchunked", HTTP_400 | HTTP_501,
        TEXT = POST("Transfer-Encoding: xchunked\r\n") "0\r\n\r\n" },
    { "a chunk without a size", HTTP_400,
        TEXT = POST("Transfer-Encoding: chunked\r\n") "\r\n\r\n" },
    { "a chunk whose size is no number", HTTP_400,
        TEXT = POST("Transfer-Encoding: chunked\r\n") "zz\r\naaa\r\n0\r\n\r\n" },
    { "a chunk of 2^64 bytes", HTTP_400 | HTTP_413,
        TEXT = POST("Transfer-Encoding: chunked\r\n") "10000000000000000\r\naaa" },
    { "a folded header", HTTP_400,
        TEXT = "GET " CAPS " HTTP/1.1\r\n" HOST_LINE "X-A: b\r\n c\r\n" END },
    { "a blank in front of the colon", HTTP_400, TEXT = POST("Content-Length : 5\r\n") "aaaaa" },
    { "a bare CR in a header", HTTP_400,
        TEXT = "GET " CAPS " HTTP/1.1\r\n" HOST_LINE "X-A: b\rX-B: c\r\n" END },
    { "a NUL in a header", HTTP_400, TEXT = "GET " CAPS " HTTP/1.1\r\nX-A: b\0c\r\n" END,
        .size = sizeof("GET " CAPS " HTTP/1.1\r\nX-A: b\0c\r\n" END) - 1 },
    { "a NUL in the target", HTTP_400 | HTTP_404,
        TEXT = "GET %P\0?operation=GetCACaps HTTP/1.1\r\n" END,
        .size = sizeof("GET %P\0?operation=GetCACaps HTTP/1.1\r\n" END) - 1 },
    { "a header without a name", HTTP_400, TEXT = "GET " CAPS " HTTP/1.1\r\n: x\r\n" END },
    { "a header without a colon", HTTP_400, TEXT = "GET " CAPS " HTTP/1.1\r\nnothing\r\n" END },
    { "two Hosts", HTTP_200 | HTTP_400,
        TEXT = "GET " CAPS " HTTP/1.1\r\n" HOST_LINE "Host: other\r\n" END },
    { "two Authorizations", HTTP_200 | HTTP_400,
        TEXT = "GET " CAPS " HTTP/1.1\r\n" HOST_LINE
               "Authorization: Basic eA==\r\nAuthorization: Basic eQ==\r\n" END },

    /* protocol */
    { "HTTP/2.0", HTTP_400 | HTTP_505, TEXT = "GET " CAPS " HTTP/2.0\r\n" END },
    { "HTTP/1.2", HTTP_200 | HTTP_400 | HTTP_505, TEXT = "GET " CAPS " HTTP/1.2\r\n" END },
    { "HTTP/0.9", HTTP_400 | HTTP_505 | CLOSED, TEXT = "GET " CAPS "\r\n\r\n" },
    { "the preface of HTTP/2", HTTP_400 | HTTP_505 | CLOSED,
        TEXT = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
    { "a TLS hello on a plain port", HTTP_400 | CLOSED, TEXT = HELLO, .size = sizeof HELLO - 1 },
    { "a method in small letters", HTTP_400 | HTTP_405 | HTTP_501,
        TEXT = "get " CAPS " HTTP/1.1\r\n" END },
    { "DELETE", HTTP_400 | HTTP_405 | HTTP_501, TEXT = "DELETE " CAPS " HTTP/1.1\r\n" END },
    { "TRACE", HTTP_400 | HTTP_405 | HTTP_501, TEXT = "TRACE " CAPS " HTTP/1.1\r\n" END },
    { "OPTIONS *", HTTP_400 | HTTP_404 | HTTP_405 | HTTP_501, TEXT = "OPTIONS * HTTP/1.1\r\n" END },
    { "CONNECT", HTTP_400 | HTTP_404 | HTTP_405 | HTTP_501,
        TEXT = "CONNECT ca:443 HTTP/1.1\r\n" END },
    { "a line of noise", HTTP_400 | CLOSED, TEXT = "\x01\x02\x03\x04\x05\r\n\r\n" },

    /* amounts */
    { "a header of 100000", HTTP_431 | HTTP_400, .raw = long_header, .size = 100000 },
    { "5000 headers", HTTP_431 | HTTP_400, .raw = many_headers, .size = 5000 },
    { "a body of 2 MiB", HTTP_413, .raw = long_body, .size = 2 << 20 },
    { "2 MiB in chunks", HTTP_413, .raw = long_chunks, .size = 2 << 20 },
    { "no body", HTTP_400, TEXT = POST("Content-Length: 0\r\n") },
};
const size_t rows_http_count = sizeof rows_http / sizeof rows_http[0];
