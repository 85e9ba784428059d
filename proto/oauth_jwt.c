/* see oauth_jwt.h */
#include "proto/oauth_jwt.h"
#include "certs/key_jws.h"
#include "certs/text.h"
#include <stdio.h>

enum { LIFE_S = 600, PART_MAX = 8192, GUID_LEN = 36 };

/* A random GUID (RFC 9562 5.4), in lower case. */
static int make_guid(struct lib *l, char out[GUID_LEN + 1], struct err *e)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t b[16];
    size_t at = 0;

    if (lib_random(l, b, sizeof b, e) != 0)
        return -1;
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof b; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = digits[b[i] >> 4];
        out[at++] = digits[b[i] & 15];
    }
    out[at] = '\0';
    return 0;
}

static void put_thumbprint(struct json_out *o, const char *name, const uint8_t *hash, size_t len)
{
    struct buf text = BUF_INIT(64);

    base64url_add(&text, view_of(hash, len));
    if (text.bad)
        buf_spoil(o->to, text.why);
    json_put_text(o, name, buf_text(&text));
    buf_free(&text);
}

static const char *algorithm(const struct oauth_client *c)
{
    return c->rs256 && key_type_is_rsa(key_type(c->key)) ? "RS256" : key_jws_name(c->key);
}

static int sign(
    struct lib *l, const struct oauth_client *c, struct view tbs, struct buf *out, struct err *e)
{
    if (c->rs256 && key_type_is_rsa(key_type(c->key)))
        return key_jws_sign_rs256(l, c->key, tbs, out, e);
    return key_jws_sign(l, c->key, tbs, out, e);
}

static int write_header(struct lib *l, const struct oauth_client *c, struct buf *out, struct err *e)
{
    struct json_out o = { .to = out };
    uint8_t sha1[20], sha256[32];

    if (lib_sha1(l, c->certificate, sha1, e) != 0 || lib_sha256(l, c->certificate, sha256, e) != 0)
        return -1;
    json_open(&o, NULL, '{');
    json_put_text(&o, "alg", algorithm(c));
    json_put_text(&o, "typ", "JWT");
    if (c->certificate.len > 0) {
        put_thumbprint(&o, "x5t", sha1, sizeof sha1);
        put_thumbprint(&o, "x5t#S256", sha256, sizeof sha256);
    }
    json_close(&o, '}');
    return buf_check(out, e);
}

static int write_claims(struct lib *l, const struct oauth_client *c, const char *audience,
    int64_t now, struct buf *out, struct err *e)
{
    struct json_out o = { .to = out };
    char guid[GUID_LEN + 1];

    if (make_guid(l, guid, e) != 0)
        return -1;
    json_open(&o, NULL, '{');
    json_put_text(&o, "aud", audience);
    json_put_text(&o, "iss", c->id);
    json_put_text(&o, "sub", c->id);
    json_put_text(&o, "jti", guid);
    json_put_int(&o, "iat", now);
    json_put_int(&o, "nbf", now);
    json_put_int(&o, "exp", now + LIFE_S);
    json_close(&o, '}');
    return buf_check(out, e);
}

int oauth_jwt_add(struct lib *l, const struct oauth_client *c, const char *audience, int64_t now,
    struct buf *out, struct err *e)
{
    struct buf header = BUF_INIT(PART_MAX), claims = BUF_INIT(PART_MAX);
    struct buf signature = BUF_INIT(PART_MAX), signed_part = BUF_INIT(3 * PART_MAX);
    size_t start = out->len;
    int rc = -1;

    if (key_jws_name(c->key) == NULL) {
        err_set(e, ERR_UNSUPPORTED, "OAuth: this kind of key signs no assertion");
        goto done;
    }
    if (write_header(l, c, &header, e) != 0 || write_claims(l, c, audience, now, &claims, e) != 0)
        goto done;
    base64url_add(&signed_part, buf_view(&header));
    buf_add_byte(&signed_part, '.');
    base64url_add(&signed_part, buf_view(&claims));
    if (buf_check(&signed_part, e) != 0 || sign(l, c, buf_view(&signed_part), &signature, e) != 0)
        goto done;
    buf_add_view(out, buf_view(&signed_part));
    buf_add_byte(out, '.');
    base64url_add(out, buf_view(&signature));
    rc = buf_finish(out, start, e);
done:
    buf_free(&header);
    buf_free(&claims);
    buf_free(&signature);
    buf_free(&signed_part);
    return rc;
}
