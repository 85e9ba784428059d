/* see certferry_plugin.h: the helpers of struct certferry_host.  They know nothing of any request. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "agent/base/log.h"
#include "agent/challenge/plugin_inner.h"
#include "agent/cloud/cloud.h"
#include "certs/ber.h"
#include "certs/envelope.h"
#include "certs/mem.h"
#include "certs/signed.h"
#include "certs/text.h"
#include "proto/json.h"

enum { PATH_MOST = 256, TEXT_MAX = 1 << 20 };

/* Its length, or -1 and an empty text if it does not fit whole. */
static long give(const struct buf *b, char *out, size_t size)
{
    if (out == NULL || size == 0)
        return -1;
    out[0] = '\0';
    if (b->bad || b->len >= size || (b->len > 0 && memchr(b->p, '\0', b->len) != NULL))
        return -1;
    if (b->len > 0)
        memcpy(out, b->p, b->len);
    out[b->len] = '\0';
    return (long)b->len;
}

static long nothing(char *out, size_t size)
{
    if (out != NULL && size > 0)
        out[0] = '\0';
    return -1;
}

/* ---- JSON ------------------------------------------------------------------------------------------------- */

enum { ABSENT = -1, UNFIT = -2 };

/* {"allow": true, "Allow": false}: whoever reads only one of them may be deceived, so it is no answer. */
static long member(const struct json *object, const char *name, size_t len, const struct json **out)
{
    const struct json *v;
    const char *other;
    size_t state = 0, hits = 0;

    while (json_next_member(object, &state, &other, &v))
        if (strlen(other) == len && strncasecmp(other, name, len) == 0) {
            *out = v;
            hits++;
        }
    return hits > 1 ? UNFIT : 0;
}

static const struct json *element(const struct json *array, const char *number, size_t len)
{
    size_t i = 0;

    if (len == 0 || len > 6 || strspn(number, "0123456789") < len)
        return NULL;
    for (size_t k = 0; k < len; k++)
        i = i * 10 + (size_t)(number[k] - '0');
    return json_at(array, i);
}

static long walk(const struct json *v, const char *path, const struct json **out)
{
    while (v != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");
        const struct json *next = NULL;

        if (json_is_array(v))
            next = element(v, path, len);
        else if (member(v, path, len, &next) != 0)
            return UNFIT;
        v = next;
        path += len;
        if (*path == '.')
            path++;
    }
    *out = v;
    return v != NULL ? 0 : ABSENT;
}

static long help_json_get(void *ctx, const char *json, const char *path, char *out, size_t size)
{
    struct buf text = BUF_INIT(PLUGIN_JSON_MAX * 6); /* printing may escape what came plain */
    struct json *root = NULL;
    const struct json *v;
    long n = UNFIT;
    struct err e;

    (void)ctx;
    (void)nothing(out, size);
    if (json == NULL || path == NULL || strnlen(path, PATH_MOST + 1) > PATH_MOST)
        return UNFIT;
    root = json_parse(view_of(json, strnlen(json, PLUGIN_JSON_MAX + 1)), PLUGIN_JSON_MAX, &e);
    if (root != NULL && (n = walk(root, path, &v)) == 0) {
        if (json_string(v) != NULL)
            buf_add_text(&text, json_string(v));
        else
            json_print(v, &text);
        if ((n = give(&text, out, size)) < 0)
            n = UNFIT;
    }
    json_free(root);
    buf_free(&text);
    return n;
}

static long help_json_quote(void *ctx, const char *text, char *out, size_t size)
{
    struct buf b = BUF_INIT(TEXT_MAX);
    struct json_out o = { .to = &b };
    long n;

    (void)ctx;
    if (text == NULL || !utf8_valid(view_text(text)))
        return nothing(out, size);
    json_put_text(&o, NULL, text);
    n = give(&b, out, size);
    buf_free(&b);
    return n;
}

/* ---- encodings and digests -------------------------------------------------------------------------------- */

/* RFC 4648 4, or 5 as well, whose alphabet differs in two letters; padding may be missing, line ends are
 * skipped. */
static int decode(const char *text, bool url_too, struct buf *out, struct err *e)
{
    struct buf b = BUF_SECRET(TEXT_MAX);
    bool padded;
    int rc;

    for (const char *c = text; *c != '\0' && !b.bad; c++)
        if (url_too && (*c == '-' || *c == '_'))
            buf_add_byte(&b, *c == '-' ? '+' : '/');
        else if (*c != '\r' && *c != '\n')
            buf_add_byte(&b, (uint8_t)*c);
    padded = b.len > 0 && b.p[b.len - 1] == '=';
    while (!padded && !b.bad && b.len % 4 != 0)
        buf_add_byte(&b, '=');
    if ((rc = buf_check(&b, e)) == 0)
        rc = base64_parse(buf_view(&b), out, e);
    buf_free(&b);
    return rc;
}

static long help_base64(void *ctx, struct certferry_bytes in, char *out, size_t size)
{
    struct buf b = BUF_INIT(TEXT_MAX);
    long n;

    (void)ctx;
    base64_add(&b, view_of(in.p, in.n));
    n = give(&b, out, size);
    buf_free(&b);
    return n;
}

static long help_unbase64(void *ctx, const char *text, void *out, size_t size)
{
    struct buf b = BUF_SECRET(TEXT_MAX);
    long n = -1;
    struct err e;

    (void)ctx;
    if (text != NULL && out != NULL && decode(text, false, &b, &e) == 0 && b.len <= size) {
        if (b.len > 0)
            memcpy(out, b.p, b.len);
        n = (long)b.len;
    }
    buf_free(&b);
    return n;
}

static long give_hex(const uint8_t *p, size_t len, char *out, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    struct buf b = BUF_INIT(256);
    long n;

    for (size_t i = 0; i < len; i++) {
        buf_add_byte(&b, (uint8_t)digits[p[i] >> 4]);
        buf_add_byte(&b, (uint8_t)digits[p[i] & 15]);
    }
    n = give(&b, out, size);
    buf_free(&b);
    return n;
}

static long help_sha256(void *ctx, struct certferry_bytes in, char *hex, size_t size)
{
    struct plugin *p = ctx;
    uint8_t digest[32];
    struct err e;

    if (lib_sha256(p->a->lib, view_of(in.p, in.n), digest, &e) != 0)
        return nothing(hex, size);
    return give_hex(digest, sizeof digest, hex, size);
}

/* RFC 2104: one half, SHA-256 of the padded key and what follows it; out has 32 bytes. */
static int hmac_half(
    struct lib *l, const uint8_t key[64], uint8_t pad, struct view in, uint8_t *out, struct err *e)
{
    struct buf b = BUF_SECRET(TEXT_MAX + 64);
    int rc;

    for (size_t i = 0; i < 64; i++)
        buf_add_byte(&b, key[i] ^ pad);
    buf_add_view(&b, in);
    if ((rc = buf_check(&b, e)) == 0)
        rc = lib_sha256(l, buf_view(&b), out, e);
    buf_free(&b);
    return rc;
}

static long help_hmac_sha256(
    void *ctx, struct certferry_bytes key, struct certferry_bytes in, char *hex, size_t size)
{
    struct lib *l = ((struct plugin *)ctx)->a->lib;
    uint8_t padded[64] = { 0 }, inner[32], outer[32];
    long n = nothing(hex, size);
    struct err e;
    int rc = 0;

    if (key.n > sizeof padded)
        rc = lib_sha256(l, view_of(key.p, key.n), padded, &e);
    else if (key.n > 0)
        memcpy(padded, key.p, key.n);
    if (rc == 0 && hmac_half(l, padded, 0x36, view_of(in.p, in.n), inner, &e) == 0
        && hmac_half(l, padded, 0x5c, view_of(inner, sizeof inner), outer, &e) == 0)
        n = give_hex(outer, sizeof outer, hex, size);
    mem_wipe(padded, sizeof padded);
    return n;
}

static long help_guid(void *ctx, char *out, size_t size)
{
    struct plugin *p = ctx;
    struct buf b = BUF_INIT(64);
    char guid[40];
    struct err e;
    long n;

    if (guid_new(p->a->lib, guid, &e) != 0)
        return nothing(out, size);
    buf_add_text(&b, guid);
    n = give(&b, out, size);
    buf_free(&b);
    return n;
}

/* That the lengths differ may show; where the texts differ may not. */
static int help_same(void *ctx, const char *a, const char *b)
{
    size_t len;

    (void)ctx;
    if (a == NULL || b == NULL || (len = strlen(a)) != strlen(b))
        return 0;
    return mem_equal(a, b, len) ? 1 : 0;
}

/* ---- unseal ----------------------------------------------------------------------------------------------- */

static int open_envelope(struct plugin *p, const char *sealed, struct buf *out, struct err *e)
{
    struct buf ber = BUF_INIT(BER_MAX), der = BUF_INIT(BER_MAX);
    struct envelope v = { 0 };
    int rc = -1;

    if (decode(sealed, true, &ber, e) != 0 || ber_to_der(buf_view(&ber), &der, e) != 0
        || envelope_parse(buf_view(&der), &v, e) != 0)
        goto done;
    if (!envelope_is_for(&v, buf_view(&p->decryption.certificate)))
        (void)err_set(e, ERR_INPUT, "sealed for another certificate than decryption_certificate");
    else
        rc = envelope_open(p->a->lib, &v, p->decryption.key, out, e);
done:
    envelope_free(&v);
    buf_free(&ber);
    buf_free(&der);
    return rc;
}

/* What signer_certificate signed.  Other certificates in it are not even looked at. */
static int check_signed(struct plugin *p, struct view ber, struct buf *out, struct err *e)
{
    struct buf der = BUF_SECRET(BER_MAX);
    struct signed_data s;
    int rc = -1;

    if (ber_to_der(ber, &der, e) != 0 || signed_parse(buf_view(&der), &s, e) != 0)
        goto done;
    if (s.digest < DIGEST_SHA256 || !s.has_content) {
        (void)err_set(e, ERR_INPUT, "signed with SHA-1, or without content");
        goto done;
    }
    if (signed_verify(p->a->lib, &s, buf_view(&p->signer), e) != 0)
        goto done;
    buf_add_view(out, s.content);
    rc = buf_check(out, e);
done:
    buf_free(&der);
    return rc;
}

static long help_unseal(void *ctx, const char *sealed, char *out, size_t size)
{
    struct plugin *p = ctx;
    struct buf inner = BUF_SECRET(BER_MAX), text = BUF_SECRET(BER_MAX);
    long n = nothing(out, size);
    struct err e;

    if (sealed == NULL || p->decryption.key == NULL)
        return -1;
    if (open_envelope(p, sealed, &inner, &e) != 0
        || check_signed(p, buf_view(&inner), &text, &e) != 0)
        log_err(EV_PLUGIN_DEBUG, NULL, p->conf->name, &e);
    else if (utf8_valid(buf_view(&text)))
        n = give(&text, out, size);
    buf_free(&inner);
    buf_free(&text);
    return n;
}

void plugin_helpers(struct certferry_host *h)
{
    h->json_get = help_json_get;
    h->json_quote = help_json_quote;
    h->base64 = help_base64;
    h->sha256 = help_sha256;
    h->guid = help_guid;
    h->same = help_same;
    h->unseal = help_unseal;
    h->unbase64 = help_unbase64;
    h->hmac_sha256 = help_hmac_sha256;
}
