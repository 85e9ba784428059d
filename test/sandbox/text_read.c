/* see text.h: base64, PEM and forms, read */
#include "test/sandbox/text.h"
#include <string.h>

static int b64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool b64_read(const char *text, size_t len, struct str *out)
{
    unsigned v = 0, have = 0, pad = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        int d = b64_value(c);

        if (c == ' ' || c == '\r' || c == '\n' || c == '\t')
            continue;
        if (c == '=') {
            pad++;
            continue;
        }
        if (d < 0 || pad > 0)
            return false;
        v = v << 6 | (unsigned)d;
        if (++have == 4) {
            str_add(out, (const unsigned char[]){ v >> 16 & 255, v >> 8 & 255, v & 255 }, 3);
            v = have = 0;
        }
    }
    if (have == 0)
        return pad == 0;
    if (have + pad != 4 || have == 1)
        return false;
    v <<= 6 * pad;
    str_add(out, (const unsigned char[]){ v >> 16 & 255, v >> 8 & 255 }, have - 1);
    return true;
}

bool pem_read(const char *text, const char *label, struct str *out)
{
    const char *begin = strstr(text, "-----BEGIN "), *body, *end;

    for (; begin != NULL; begin = strstr(begin + 1, "-----BEGIN ")) {
        const char *name = begin + strlen("-----BEGIN ");

        if (label != NULL
            && (strncmp(name, label, strlen(label)) != 0
                || strncmp(name + strlen(label), "-----", 5) != 0))
            continue;
        body = strstr(name, "-----");
        end = body == NULL ? NULL : strstr(body + 5, "-----END ");
        return end != NULL && b64_read(body + 5, (size_t)(end - body - 5), out);
    }
    return false;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool percent_decode(const char *from, size_t len, struct str *out)
{
    for (size_t i = 0; i < len; i++) {
        char c = from[i];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int hi = i + 2 < len ? hex_value(from[i + 1]) : -1;
            int lo = i + 2 < len ? hex_value(from[i + 2]) : -1;

            if (hi < 0 || lo < 0)
                return false;
            c = (char)(hi << 4 | lo);
            i += 2;
        }
        str_add(out, &c, 1);
    }
    return true;
}

bool form_value(const char *form, const char *name, struct str *out)
{
    size_t name_len = strlen(name);

    while (*form != '\0') {
        size_t len = strcspn(form, "&");

        if (len > name_len && strncmp(form, name, name_len) == 0 && form[name_len] == '=')
            return percent_decode(form + name_len + 1, len - name_len - 1, out);
        form += len + (form[len] == '&');
    }
    return false;
}

bool form_is(const char *form, const char *name, const char *want)
{
    struct str value = { 0 };
    bool same = form_value(form, name, &value) && strcmp(str_text(&value), want) == 0;

    str_free(&value);
    return same;
}

static const char *next_field(const char *p)
{
    p += strcspn(p, "&");
    return *p == '&' ? p + 1 : p;
}

bool form_once(const char *form)
{
    for (const char *a = form; *a != '\0'; a = next_field(a)) {
        size_t len = strcspn(a, "=&");

        for (const char *b = next_field(a); *b != '\0'; b = next_field(b)) {
            if (strcspn(b, "=&") == len && memcmp(a, b, len) == 0)
                return false;
        }
    }
    return true;
}
