/*
 * see envelope.h, envelope_open
 *
 * From the RSA operation on nothing branches or indexes on what came out of it: whether it was good is a mask
 * of ones or zeros, and the only question asked of the masks is the last one.
 */
#include "certs/envelope.h"
#include "certs/mem.h"
#include "certs/verify.h"
#include <openssl/evp.h>

enum { KEY_MAX = 32, BLOCK_MAX = 16 };

struct scheme {
    const EVP_CIPHER *cipher;
    size_t key_len, block_len;
};

static struct scheme scheme_of(const struct lib *l, enum envelope_cipher c)
{
    switch (c) {
    case ENVELOPE_AES128:
        return (struct scheme){ l->aes128_cbc, 16, 16 };
    case ENVELOPE_AES192:
        return (struct scheme){ l->aes192_cbc, 24, 16 };
    case ENVELOPE_AES256:
        return (struct scheme){ l->aes256_cbc, 32, 16 };
    case ENVELOPE_DES3:
        return (struct scheme){ l->des3_cbc, 24, 8 };
    case ENVELOPE_NONE:
        break;
    }
    return (struct scheme){ NULL, 0, 0 };
}

/* ---- masks: all ones for yes, zero for no ---- */

typedef uint32_t mask_t;

/* A value the compiler cannot know, so that it makes no branch of what is to be none. */
static mask_t hidden(mask_t m)
{
    __asm__("" : "+r"(m));
    return m;
}

static mask_t mask_zero(uint32_t a)
{
    return hidden(0u - ((~a & (a - 1)) >> 31));
}

static mask_t mask_same(uint32_t a, uint32_t b)
{
    return mask_zero(a ^ b);
}

static mask_t mask_less(uint32_t a, uint32_t b) /* both below 2^31 */
{
    return hidden(0u - ((a - b) >> 31));
}

/*
 * RFC 8017 7.2.2: 00 02, padding of at least 8 bytes that are not 0, 00, the key.  The key's length is known, and
 * so is where the 00 before it has to stand; with a modulus of 2048 bits the padding is far longer than 8.
 */
static mask_t check_pkcs1(const uint8_t *em, size_t len, size_t key_len)
{
    size_t zero_at = len - key_len - 1;
    mask_t good = mask_zero(em[0]) & mask_same(em[1], 2) & mask_zero(em[zero_at]);

    for (size_t i = 2; i < zero_at; i++)
        good &= ~mask_zero(em[i]);
    return good;
}

static void select_key(uint8_t *key, const uint8_t *from, size_t len, mask_t good)
{
    for (size_t i = 0; i < len; i++)
        key[i] = (uint8_t)((key[i] & ~good) | (from[i] & good));
}

/* ---- the key ---- */

/*
 * The content key to `key`, which holds random bytes that stay there if there is none.  Whether the operation
 * failed tells no secret: raw, it is a number above the modulus; OAEP takes its own padding off in constant time.
 */
static int unwrap(struct lib *l, const struct envelope *v, struct key *k, size_t key_len,
    uint8_t *key, struct err *e)
{
    uint8_t em[KEY_RSA_LEN_MAX] = { 0 };
    size_t len = key_rsa_len(k);
    const uint8_t *from = em;
    struct err why = { 0 };
    mask_t good;
    int rc;

    if (v->transport == ENVELOPE_PKCS1) {
        rc = key_rsa_raw(l, k, v->wrapped_key, em, &why);
        from = em + len - key_len;
        good = check_pkcs1(em, len, key_len);
    } else {
        enum digest d = v->transport == ENVELOPE_OAEP_SHA1 ? DIGEST_SHA1 : DIGEST_SHA256;

        len = 0;
        rc = key_rsa_oaep(l, k, digest_md(l, d), v->wrapped_key, em, &len, &why);
        good = mask_same((uint32_t)len, (uint32_t)key_len);
    }
    good &= mask_zero((uint32_t)rc);
    select_key(key, from, key_len, good);
    mem_wipe(em, sizeof em);
    if (why.cls == ERR_NOMEM) {
        *e = why;
        return -1;
    }
    return 0;
}

/* ---- the content ---- */

static int decrypt(const struct scheme *s, const uint8_t *key, const struct envelope *v,
    uint8_t *out, size_t len, struct err *e)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done = 0, rc = -1;

    if (ctx == NULL || EVP_DecryptInit_ex2(ctx, s->cipher, key, v->iv.p, NULL) != 1
        || EVP_CIPHER_CTX_set_padding(ctx, 0) != 1
        || EVP_DecryptUpdate(ctx, out, &done, v->content.p, (int)len) != 1 || (size_t)done != len)
        lib_err(e, "CMS: content decryption");
    else
        rc = 0;
    EVP_CIPHER_CTX_free(ctx);
    return rc;
}

/* RFC 5652 6.3: n bytes of value n, 1 to a whole block.  *pad is n, whatever it is. */
static mask_t check_pad(const uint8_t *block, size_t block_len, uint32_t *pad)
{
    uint32_t n = block[block_len - 1];
    mask_t good = ~mask_zero(n) & mask_less(n, (uint32_t)block_len + 1);

    for (uint32_t i = 0; i < block_len; i++)
        good &= ~mask_less(i, n) | mask_same(block[block_len - 1 - i], n);
    *pad = n;
    return good;
}

/* Blocks that are whole; without one there is none to look at, and that can be seen from outside. */
static int open_content(const struct scheme *s, const uint8_t *key, const struct envelope *v,
    struct buf *out, struct err *e)
{
    size_t start = out->len, len = v->content.len - v->content.len % s->block_len;
    mask_t good = mask_same((uint32_t)len, (uint32_t)v->content.len) & ~mask_zero((uint32_t)len);
    uint8_t none[BLOCK_MAX] = { 0 }, *to = buf_extend(out, len);
    uint32_t pad;

    if (to == NULL)
        return buf_check(out, e);
    if (len != 0 && decrypt(s, key, v, to, len, e) != 0) {
        buf_truncate(out, start);
        return -1;
    }
    good &= check_pad(len != 0 ? to + len - s->block_len : none, s->block_len, &pad);
    if (good == 0) {
        buf_truncate(out, start);
        return err_set(e, ERR_INPUT, "the envelope does not open");
    }
    buf_truncate(out, start + len - pad);
    return 0;
}

int envelope_open(
    struct lib *l, const struct envelope *v, struct key *key, struct buf *out, struct err *e)
{
    struct scheme s = scheme_of(l, v->cipher);
    uint8_t cek[KEY_MAX];
    int rc = -1;

    if (s.cipher == NULL || key_rsa_len(key) == 0 || v->iv.len != s.block_len)
        return err_set(e, ERR_INPUT, "the envelope does not open");
    if (v->content.len > INT32_MAX)
        return err_set(e, ERR_TOO_LARGE, "encrypted content of %zu bytes", v->content.len);
    (void)lib_reason();
    if (lib_random(l, cek, s.key_len, e) == 0 && unwrap(l, v, key, s.key_len, cek, e) == 0)
        rc = open_content(&s, cek, v, out, e);
    mem_wipe(cek, sizeof cek);
    return rc;
}
