/*
 * see pbkdf2.h.  SHA256_* is what OpenSSL 3 calls deprecated: EVP has no way to run the compression
 * function on a state.  The test holds every result against EVP_KDF.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "certs/pbkdf2.h"
#include "certs/mem.h"
#include <string.h>
#include <openssl/sha.h>

enum { BLOCK = SHA256_CBLOCK, DIGEST = SHA256_DIGEST_LENGTH };

struct states { /* what the password makes of the two pads of HMAC (RFC 2104) */
    SHA256_CTX inner, outer;
};

static void init(struct states *s, struct view password)
{
    uint8_t pad[BLOCK] = { 0 };

    if (password.len > BLOCK)
        (void)SHA256(password.p, password.len, pad);
    else if (password.len > 0)
        memcpy(pad, password.p, password.len);
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36;
    (void)SHA256_Init(&s->inner);
    (void)SHA256_Update(&s->inner, pad, BLOCK);
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    (void)SHA256_Init(&s->outer);
    (void)SHA256_Update(&s->outer, pad, BLOCK);
    mem_wipe(pad, sizeof pad);
}

/* A digest as the only block after a pad: its bytes, the bit 1, and the length of pad and digest in bits. */
static void prepare(uint8_t block[BLOCK])
{
    memset(block, 0, BLOCK);
    block[DIGEST] = 0x80;
    block[BLOCK - 2] = (BLOCK + DIGEST) * 8 >> 8;
    block[BLOCK - 1] = (BLOCK + DIGEST) * 8 & 0xff;
}

/* out = the hash of pad and block; out may be the beginning of another prepared block. */
static void compress(const SHA256_CTX *pad, const uint8_t block[BLOCK], uint8_t out[DIGEST])
{
    SHA256_CTX c = *pad;

    SHA256_Transform(&c, block);
    for (size_t i = 0; i < DIGEST / 4; i++) {
        out[4 * i] = (uint8_t)(c.h[i] >> 24);
        out[4 * i + 1] = (uint8_t)(c.h[i] >> 16);
        out[4 * i + 2] = (uint8_t)(c.h[i] >> 8);
        out[4 * i + 3] = (uint8_t)c.h[i];
    }
}

/* U_1 = HMAC(password, salt || INT(1)) */
static void first(const struct states *s, struct view salt, uint8_t *u, uint8_t *t)
{
    static const uint8_t one[4] = { 0, 0, 0, 1 };
    SHA256_CTX c = s->inner;

    (void)SHA256_Update(&c, salt.p, salt.len);
    (void)SHA256_Update(&c, one, sizeof one);
    (void)SHA256_Final(t, &c);
    compress(&s->outer, t, u);
}

void pbkdf2_sha256(
    struct view password, struct view salt, unsigned iterations, uint8_t out[PBKDF2_LEN])
{
    uint8_t u[BLOCK], t[BLOCK];
    struct states s;

    init(&s, password);
    prepare(u);
    prepare(t);
    first(&s, salt, u, t);
    memcpy(out, u, PBKDF2_LEN);
    for (unsigned i = 1; i < iterations; i++) {
        compress(&s.inner, u, t);
        compress(&s.outer, t, u);
        for (size_t k = 0; k < PBKDF2_LEN; k++)
            out[k] ^= u[k];
    }
    mem_wipe(&s, sizeof s);
    mem_wipe(u, sizeof u);
    mem_wipe(t, sizeof t);
}
