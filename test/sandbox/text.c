/* see text.h */
#include "test/sandbox/text.h"
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *need(void *p)
{
    if (p == NULL) {
        fputs("certferry-sandbox: out of memory\n", stderr);
        exit(71);
    }
    return p;
}

char *need_copy(const char *text)
{
    return need(strdup(text));
}

static void room(struct str *s, size_t more)
{
    size_t want = s->len + more + 1;

    if (want <= s->cap)
        return;
    s->cap = want < 2 * s->cap ? 2 * s->cap : want < 64 ? 64 : want;
    s->p = need(realloc(s->p, s->cap));
}

void str_add(struct str *s, const void *bytes, size_t len)
{
    room(s, len);
    if (len > 0)
        memcpy(s->p + s->len, bytes, len);
    s->len += len;
    s->p[s->len] = '\0';
}

void str_puts(struct str *s, const char *text)
{
    str_add(s, text, strlen(text));
}

void str_f(struct str *s, const char *fmt, ...)
{
    va_list ap, again;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n > 0) {
        room(s, (size_t)n);
        vsnprintf(s->p + s->len, (size_t)n + 1, fmt, again);
        s->len += (size_t)n;
    }
    va_end(again);
}

void str_json_n(struct str *s, const char *text, size_t len)
{
    str_add(s, "\"", 1);
    for (size_t i = 0, from = 0; i <= len; i++) {
        unsigned char c = i < len ? (unsigned char)text[i] : 0;

        if (i < len && c >= 0x20 && c != '"' && c != '\\')
            continue;
        str_add(s, text + from, i - from);
        from = i + 1;
        if (i == len)
            break;
        if (c == '"' || c == '\\')
            str_f(s, "\\%c", c);
        else
            str_f(s, "\\u%04x", c);
    }
    str_add(s, "\"", 1);
}

void str_json(struct str *s, const char *text)
{
    if (text == NULL)
        str_puts(s, "null");
    else
        str_json_n(s, text, strlen(text));
}

void str_html(struct str *s, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            str_puts(s, "&lt;");
            break;
        case '>':
            str_puts(s, "&gt;");
            break;
        case '&':
            str_puts(s, "&amp;");
            break;
        case '"':
            str_puts(s, "&quot;");
            break;
        default:
            str_add(s, text, 1);
        }
    }
}

void str_hex(struct str *s, const void *bytes, size_t len, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    const unsigned char *b = bytes;

    room(s, 2 * len);
    for (size_t i = 0; i < len; i++) {
        s->p[s->len++] = digits[b[i] >> 4];
        s->p[s->len++] = digits[b[i] & 15];
    }
    s->p[s->len] = '\0';
}

static const char b64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void str_b64(struct str *s, const void *bytes, size_t len)
{
    const unsigned char *b = bytes;

    room(s, (len + 2) / 3 * 4);
    for (size_t i = 0; i < len; i += 3) {
        unsigned v = (unsigned)b[i] << 16;
        char *o = s->p + s->len;

        v |= i + 1 < len ? (unsigned)b[i + 1] << 8 : 0;
        v |= i + 2 < len ? b[i + 2] : 0;
        o[0] = b64_digits[v >> 18];
        o[1] = b64_digits[v >> 12 & 63];
        o[2] = b64_digits[v >> 6 & 63];
        o[3] = b64_digits[v & 63];
        if (i + 1 >= len)
            o[2] = '=';
        if (i + 2 >= len)
            o[3] = '=';
        s->len += 4;
    }
    s->p[s->len] = '\0';
}

void str_b64_lines(struct str *s, const void *bytes, size_t len, const char *line_end)
{
    for (size_t i = 0; i < len; i += 48) {
        str_b64(s, (const char *)bytes + i, len - i < 48 ? len - i : 48);
        str_puts(s, line_end);
    }
}

void str_pem(struct str *s, const char *label, const void *der, size_t len, const char *line_end)
{
    str_f(s, "-----BEGIN %s-----%s", label, line_end);
    str_b64_lines(s, der, len, line_end);
    str_f(s, "-----END %s-----%s", label, line_end);
}

void str_cut(struct str *s, size_t len)
{
    if (len < s->len) {
        s->len = len;
        s->p[len] = '\0';
    }
}

void str_free(struct str *s)
{
    if (s->p != NULL)
        OPENSSL_cleanse(s->p, s->cap);
    free(s->p);
    *s = (struct str){ 0 };
}

const char *str_text(const struct str *s)
{
    return s->p == NULL ? "" : s->p;
}

void copy_n(char *to, size_t space, const char *from)
{
    snprintf(to, space, "%s", from);
}

size_t utf8_len(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}
