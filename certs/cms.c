/*
 * see cms.h
 *
 * Written by hand: on the way to the same bytes OpenSSL's CMS reads the recipient's certificate with all
 * that is in it, which costs twice what the encryption does.
 */
#include "certs/cms.h"
#include "certs/cms_part.h"
#include "certs/der.h"
#include "certs/mem.h"
#include <openssl/evp.h>

enum { CONTENT_MAX = 16 << 20, KEY_MAX = 32, IV_MAX = 16, TAG_LEN = 16, BLOCK_MAX = 16 };

struct scheme {
    const char *oid;
    size_t key_len, iv_len;
    bool gcm, des;
};

static const struct scheme schemes[] = {
    [CMS_AES256_GCM] = { "2.16.840.1.101.3.4.1.46", 32, 12, true, false },
    [CMS_AES256_CBC] = { "2.16.840.1.101.3.4.1.42", 32, 16, false, false },
    [CMS_DES3_CBC] = { "1.2.840.113549.3.7", 24, 8, false, true },
    [CMS_AES128_CBC] = { "2.16.840.1.101.3.4.1.2", 16, 16, false, false },
};

struct envelope {
    const struct scheme *scheme;
    const EVP_CIPHER *cipher;
    uint8_t key[KEY_MAX]; /* secret */
    uint8_t iv[IV_MAX];   /* a nonce with GCM */
    uint8_t tag[TAG_LEN];
};

static const EVP_CIPHER *cipher_of(const struct lib *l, enum cms_content c)
{
    switch (c) {
    case CMS_AES256_GCM:
        return l->aes256_gcm;
    case CMS_AES256_CBC:
        return l->aes256_cbc;
    case CMS_DES3_CBC:
        return l->des3_cbc;
    case CMS_AES128_CBC:
        return l->aes128_cbc;
    case CMS_CONTENT_NONE:
        break;
    }
    return NULL;
}

/* Every byte of a DES key has an odd number of ones; some readers insist. */
static void set_parity(uint8_t *key, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned bits = key[i] >> 1, odd = 1;

        for (; bits != 0; bits >>= 1)
            odd ^= bits & 1;
        key[i] = (uint8_t)((key[i] & 0xfe) | odd);
    }
}

static int make_key(struct lib *l, struct envelope *v, struct err *e)
{
    if (lib_random(l, v->key, v->scheme->key_len, e) != 0
        || lib_random(l, v->iv, v->scheme->iv_len, e) != 0)
        return -1;
    if (v->scheme->des)
        set_parity(v->key, v->scheme->key_len);
    return 0;
}

/* The content, encrypted, straight to the end of out; the tag goes to v. */
static int encrypt(struct envelope *v, struct view content, struct buf *out, struct err *e)
{
    EVP_CIPHER_CTX *ctx = NULL;
    size_t start = out->len;
    uint8_t *to = buf_extend(out, content.len + BLOCK_MAX);
    int len = 0, last = 0, rc = -1;

    if (to == NULL)
        return buf_check(out, e);
    if ((ctx = EVP_CIPHER_CTX_new()) == NULL
        || EVP_EncryptInit_ex2(ctx, v->cipher, v->key, v->iv, NULL) != 1
        || (content.len != 0 && EVP_EncryptUpdate(ctx, to, &len, content.p, (int)content.len) != 1)
        || EVP_EncryptFinal_ex(ctx, to + len, &last) != 1
        || (v->scheme->gcm
            && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, v->tag) != 1)) {
        lib_err(e, "CMS: content encryption");
        goto done;
    }
    buf_truncate(out, start + (size_t)len + (size_t)last);
    rc = 0;
done:
    EVP_CIPHER_CTX_free(ctx);
    return rc;
}

/* RFC 5084 3.2: GCMParameters { aes-nonce, aes-ICVlen }, its default is 12; RFC 3565 2.3.1: the IV alone. */
static void write_algorithm(const struct envelope *v, struct buf *out)
{
    struct view iv = view_of(v->iv, v->scheme->iv_len);
    size_t mark = der_open(out, DER_SEQUENCE), params;

    der_oid_known(out, v->scheme->oid);
    if (v->scheme->gcm) {
        params = der_open(out, DER_SEQUENCE);
        der_tlv(out, DER_OCTET_STRING, iv);
        der_uint(out, TAG_LEN);
        der_close(out, params);
    } else {
        der_tlv(out, DER_OCTET_STRING, iv);
    }
    der_close(out, mark);
}

/* EncryptedContentInfo { id-data, algorithm, [0] content } */
static int write_content(struct envelope *v, struct view content, struct buf *out, struct err *e)
{
    size_t info = der_open(out, DER_SEQUENCE), text;

    der_oid_known(out, "1.2.840.113549.1.7.1");
    write_algorithm(v, out);
    text = der_open(out, DER_CONTEXT | 0);
    if (encrypt(v, content, out, e) != 0)
        return -1;
    der_close(out, text);
    der_close(out, info);
    return 0;
}

/*
 * RFC 5652 6.1: EnvelopedData has version 0 if its recipients have, 2 with a key agreement.  RFC 5083 2.1:
 * AuthEnvelopedData has 0, and what was authenticated beside the content would come before the tag.
 */
static int write_message(struct lib *l, struct envelope *v, const struct cms_recipient *r,
    enum cms_transport t, struct view content, struct buf *out, struct err *e)
{
    bool gcm = v->scheme->gcm;
    size_t info = der_open(out, DER_SEQUENCE), wrap, data, set;

    der_oid_known(out, gcm ? "1.2.840.113549.1.9.16.1.23" : "1.2.840.113549.1.7.3");
    wrap = der_open(out, DER_CONTEXTC | 0);
    data = der_open(out, DER_SEQUENCE);
    der_uint(out, !gcm && r->key.ec ? 2 : 0);
    set = der_open(out, DER_SET);
    if (cms_recipient_write(l, r, t, view_of(v->key, v->scheme->key_len), out, e) != 0)
        return -1;
    der_close(out, set);
    if (write_content(v, content, out, e) != 0)
        return -1;
    if (gcm)
        der_tlv(out, DER_OCTET_STRING, view_of(v->tag, TAG_LEN));
    der_close(out, data);
    der_close(out, wrap);
    der_close(out, info);
    return 0;
}

int cms_envelope(struct lib *l, struct view recipient, enum cms_content c, enum cms_transport t,
    struct view content, struct buf *out, struct err *e)
{
    struct envelope v = { .cipher = cipher_of(l, c) };
    struct cms_recipient r;
    size_t start = out->len;
    int rc = -1;

    if (v.cipher == NULL)
        return err_set(e, ERR_INPUT, "content encryption %u is unknown", (unsigned)c);
    if (content.len > CONTENT_MAX)
        return err_set(e, ERR_INPUT, "content of %zu bytes, at most %d", content.len, CONTENT_MAX);
    if (cms_recipient_read(recipient, t, &r, e) != 0)
        return -1;
    if (!r.key.ec && t != CMS_RSA_OAEP_SHA256 && t != CMS_RSA_PKCS1 && t != CMS_RSA_PKCS1_SIGNER)
        return err_set(e, ERR_INPUT, "key transport %u is unknown", (unsigned)t);
    /* What an earlier call left there must not pass for the reason of a failure here. */
    (void)lib_reason();
    v.scheme = &schemes[c];
    if (make_key(l, &v, e) == 0 && write_message(l, &v, &r, t, content, out, e) == 0)
        rc = buf_finish(out, start, e);
    else if (out->len > start)
        buf_truncate(out, start);
    mem_wipe(&v, sizeof v);
    return rc;
}
