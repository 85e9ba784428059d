#ifndef CERTS_KEY_H
#define CERTS_KEY_H
#include "certs/lib.h"

/*
 * key.h - a subscriber's key pair.
 *
 * RSA keys are never made by EVP_PKEY_generate on OpenSSL 3.0: it spends 132 ms on an RSA-2048 key,
 * two thirds of it in a gcd per candidate that later releases dropped.  KEYGEN_PRIMES takes two
 * primes from BN_generate_prime_ex2 and checks the conditions of FIPS 186-5 A.1.1 and A.1.3 itself:
 *   e = 65537; p and q have exactly half the bits with the top two set; gcd(p-1, e) = gcd(q-1, e) = 1;
 *   |p - q| > 2^(nlen/2 - 100); d = e^-1 mod lcm(p-1, q-1) > 2^(nlen/2).
 * KEYGEN_FAST keeps all of that and searches the primes itself, with the Miller-Rabin rounds of
 * FIPS 186-5 table B.1.  KEYGEN_OPENSSL always asks EVP_PKEY_generate.  With OpenSSL 3.1 and later
 * KEYGEN_PRIMES is EVP_PKEY_generate too.
 *
 * Every new RSA key has signed and verified once before it is handed out.
 *
 * Threads: a key belongs to one thread at a time, with that thread's lib; key_move_lib() hands it on.
 * It is freed or moved before its lib is freed.
 */
enum key_type {
    KEY_NONE,
    KEY_RSA2048,
    KEY_RSA3072,
    KEY_RSA4096,
    KEY_P256,
    KEY_P384,
    KEY_P521,
    KEY_ED25519,
    KEY_TYPE_COUNT
};
enum keygen { KEYGEN_PRIMES, KEYGEN_FAST, KEYGEN_OPENSSL };
enum hash { HASH_NONE, HASH_SHA256, HASH_SHA384, HASH_SHA512 };

const char *key_type_name(enum key_type t);         /* "rsa2048", "ecP256", "ed25519" */
enum key_type key_type_from_name(const char *name); /* KEY_NONE: no such type */
bool key_type_is_rsa(enum key_type t);

struct key; /* opaque; the private half lives in secret memory and is wiped by key_free */

/* key_new - generate; `how` counts for RSA only.  NULL: ERR_CRYPTO (the library refused), ERR_NOMEM,
 * ERR_UNSUPPORTED (no such type) */
struct key *key_new(struct lib *l, enum key_type t, enum keygen how, struct err *e) MUST;

/* key_parse - from PKCS#8 PrivateKeyInfo as key_pkcs8 gave it.  NULL: ERR_PROTO, ERR_UNSUPPORTED,
 * ERR_TOO_LARGE, ERR_CRYPTO (not a point of the curve ...), ERR_NOMEM */
struct key *key_parse(struct lib *l, struct view pkcs8, struct err *e) MUST;
void key_free(struct key *k);

enum key_type key_type(const struct key *k);
struct view key_pkcs8(const struct key *k); /* PrivateKeyInfo DER (RFC 5958 v1); SECRET, borrowed */
struct view key_spki(const struct key *k);  /* SubjectPublicKeyInfo DER, borrowed */

/*
 * key_sign - append an AlgorithmIdentifier and a BIT STRING with the signature over `tbs`, as they
 * follow the signed part in a CSR or certificate (RFC 2986 4.2).  RSA: PKCS#1 v1.5.  Ed25519 takes
 * HASH_NONE or any hash, which it ignores.
 *
 * out      appended to; unchanged on failure
 * fails    ERR_UNSUPPORTED no such hash; ERR_CRYPTO, ERR_NOMEM
 */
int key_sign(struct lib *l, struct key *k, enum hash h, struct view tbs, struct buf *out,
    struct err *e) MUST;

/*
 * Bare operations, for CMS (signed.h, envelope.h), which has its own frames around them.
 *
 * key_sign_digest   append the signature over a digest that `md`, one of the lib's, has made.  RSA: PKCS#1 v1.5;
 *                   EC: ECDSA-Sig-Value.  fails ERR_UNSUPPORTED: an Ed25519 key; ERR_CRYPTO, ERR_NOMEM
 * key_rsa_len       bytes of the modulus; 0: not an RSA key
 * key_rsa_raw       the private operation alone (blinded): out has key_rsa_len bytes, padding and all.
 * key_rsa_oaep      and RSA-OAEP removed: MGF1 with the same hash, no label; out has KEY_RSA_LEN_MAX bytes,
 *                   *len of them count.
 *     fail          ERR_NOMEM; ERR_CRYPTO anything else.  What they write is secret, on failure as well.
 */
enum { KEY_RSA_LEN_MAX = 512 };

int key_sign_digest(struct lib *l, struct key *k, const EVP_MD *md, struct view digest,
    struct buf *out, struct err *e) MUST;
size_t key_rsa_len(const struct key *k);
int key_rsa_raw(struct lib *l, struct key *k, struct view in, uint8_t *out, struct err *e) MUST;
int key_rsa_oaep(struct lib *l, struct key *k, const EVP_MD *md, struct view in, uint8_t *out,
    size_t *len, struct err *e) MUST;

/* key_move_lib - make the key usable with another thread's lib (rebuilds it from PKCS#8).  On failure
 * it stays where it was. */
int key_move_lib(struct key *k, struct lib *to, struct err *e) MUST;
/*
 * key_kept - the key of a PKCS#8 that this thread uses again and again (a registration authority's): parsed
 * once, kept with the lib.  Borrowed: do not free; valid until eight others were asked for, or the lib is freed.
 * NULL: as key_parse
 */
struct key *key_kept(struct lib *l, struct view pkcs8, struct err *e) MUST;
#endif
