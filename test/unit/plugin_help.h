#ifndef TEST_PLUGIN_HELP_H
#define TEST_PLUGIN_HELP_H
/*
 * plugin_help.h - the helpers of struct certferry_host for tests: JSON by json-c; digests and base64 to bytes are
 * stand-ins of the right shape; "sealed:anything~X" unseals to X.
 */
#include <stdlib.h>
#include <strings.h>
#include <json-c/json.h>
#include "test/t.h"
#include "agent/certferry_plugin.h"

static long host_give(const char *text, char *out, size_t size)
{
    size_t n = strlen(text);

    if (n >= size)
        return -1;
    memcpy(out, text, n + 1);
    return (long)n;
}

static json_object *host_json(const char *json)
{
    json_tokener *t = json_tokener_new();
    json_object *o;
    size_t n = strlen(json), end;

    json_tokener_set_flags(t, JSON_TOKENER_STRICT);
    o = json_tokener_parse_ex(t, json, (int)n);
    end = json_tokener_get_parse_end(t);
    end += strspn(json + end, " \t\r\n");
    if (json_tokener_get_error(t) != json_tokener_success || end != n) {
        json_object_put(o);
        o = NULL;
    }
    json_tokener_free(t);
    return o;
}

static json_object *host_walk(json_object *o, const char *path)
{
    while (o != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");
        json_object *next = NULL;

        if (json_object_is_type(o, json_type_array)) {
            if (len > 0 && strspn(path, "0123456789") == len)
                next = json_object_array_get_idx(o, (size_t)strtoul(path, NULL, 10));
        } else if (json_object_is_type(o, json_type_object)) {
            json_object_object_foreach(o, name,
                value) if (strlen(name) == len && strncasecmp(name, path, len) == 0) next = value;
        }
        o = next;
        path += len + (path[len] == '.');
    }
    return o;
}

static long host_json_get(void *ctx, const char *json, const char *path, char *out, size_t size)
{
    json_object *root = host_json(json), *o = host_walk(root, path);
    long n = root == NULL ? -2 : -1;

    (void)ctx;
    if (o != NULL) {
        bool text = json_object_is_type(o, json_type_string);

        n = host_give(text ? json_object_get_string(o)
                           : json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
            out, size);
        if (n < 0)
            n = -2;
    }
    json_object_put(root);
    return n;
}
static long host_json_quote(void *ctx, const char *text, char *out, size_t size)
{
    json_object *o = json_object_new_string(text);
    long n = host_give(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), out, size);

    (void)ctx;
    json_object_put(o);
    return n;
}

static long host_base64(void *ctx, struct certferry_bytes in, char *out, size_t size)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = (in.n + 2) / 3 * 4;

    (void)ctx;
    if (n >= size)
        return -1;
    for (size_t i = 0; i < in.n; i += 3) {
        uint32_t w = (uint32_t)in.p[i] << 16 | (i + 1 < in.n ? (uint32_t)in.p[i + 1] << 8 : 0)
                     | (i + 2 < in.n ? in.p[i + 2] : 0);

        *out++ = set[w >> 18];
        *out++ = set[w >> 12 & 63];
        *out++ = i + 1 < in.n ? set[w >> 6 & 63] : '=';
        *out++ = i + 2 < in.n ? set[w & 63] : '=';
    }
    *out = '\0';
    return (long)n;
}
/* Hexadecimal is enough of a stand-in: what matters is that it may fail and has a length. */
static long host_unbase64(void *ctx, const char *text, void *out, size_t size)
{
    size_t n = strlen(text);

    (void)ctx;
    if (strchr(text, '!') != NULL || n > size)
        return -1;
    memcpy(out, text, n);
    return (long)n;
}

static uint64_t host_mix(uint64_t h, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)p)[i]) * 0x100000001b3u;
    return h;
}
static long host_hex(uint64_t h, char *hex, size_t size)
{
    if (size < 65)
        return -1;
    for (int i = 0; i < 4; i++, h = host_mix(h, "next", 4))
        (void)snprintf(hex + 16 * i, 17, "%016llx", (unsigned long long)h);
    return 64;
}
static long host_sha256(void *ctx, struct certferry_bytes in, char *hex, size_t size)
{
    (void)ctx;
    return host_hex(host_mix(0xcbf29ce484222325u, in.p, in.n), hex, size);
}
static long host_hmac(
    void *ctx, struct certferry_bytes key, struct certferry_bytes in, char *hex, size_t size)
{
    (void)ctx;
    return host_hex(host_mix(host_mix(1, key.p, key.n), in.p, in.n), hex, size);
}
static int host_same(void *ctx, const char *a, const char *b)
{
    (void)ctx;
    return strcmp(a, b) == 0;
}
static long host_unseal(void *ctx, const char *sealed, char *out, size_t size)
{
    (void)ctx;
    return strncmp(sealed, "sealed:", 7) == 0 ? host_give(strrchr(sealed, '~') + 1, out, size) : -1;
}
#endif
