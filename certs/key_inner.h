#ifndef CERTS_KEY_INNER_H
#define CERTS_KEY_INNER_H
#include <openssl/types.h>
#include "certs/key.h"

/*
 * key_inner.h - what key.c, key_rsa.c, key_prime.c, key_ec.c and spki.c share; for nobody else but
 * their tests.
 *
 * There is one way to a usable key: its PKCS#8 is written first (make) and then read (load), so that
 * every key that is used has been through the reader once.
 */
enum key_family { KEY_FAMILY_NONE, KEY_FAMILY_RSA, KEY_FAMILY_EC, KEY_FAMILY_ED25519 };

struct key_kind {
    const char *name; /* as in the protocol */
    enum key_family family;
    const char *curve; /* EC: its OID */
    const char *group; /* EC: OpenSSL's name of it */
    size_t len;        /* bytes of RSA's modulus, EC's field, Ed25519's key */
};

const struct key_kind *key_kind(enum key_type t); /* never NULL; KEY_FAMILY_NONE for a stranger */

enum { KEY_PKCS8_MAX = 4096, KEY_SPKI_MAX = 1024 };

struct key {
    enum key_type type;
    struct buf pkcs8; /* secret */
    struct buf spki;
    EVP_PKEY *pkey; /* lives in one lib's context */
    bool stale;     /* pkey is to be made anew before it is used: key_op_begin */
};

/*
 * Around an operation with the private key.
 *
 * When memory runs out while OpenSSL makes a key's blinding anew, at every 32nd operation, it keeps half of the
 * new one and half of the old.  That operation fails, or says that it succeeded (EVP_DigestSign), and it and the
 * 31 after it give wrong results.  So a lack of memory is a failure whatever the operation says, and the key is
 * built from its PKCS#8 again before the next.
 *
 * key_op_begin   fails as key_move_lib
 * key_op_end     good: the operation says that it succeeded.  0, or -1 with `what` and OpenSSL's reason
 */
int key_op_begin(struct lib *l, struct key *k, struct err *e) MUST;
int key_op_end(struct key *k, bool good, const char *what, struct err *e) MUST;

/* The AlgorithmIdentifier of a key and the frame of a PrivateKeyInfo; returns the mark of the frame.
 * What belongs into its OCTET STRING is written between open and close. */
struct key_frame {
    size_t outer, inner;
};
void key_write_algorithm(struct buf *out, const struct key_kind *kind);
struct key_frame key_open_pkcs8(struct buf *out, const struct key_kind *kind);
void key_close_pkcs8(struct buf *out, struct key_frame f);

/* key_turn - big-endian to the machine's own order, or back, in place: how OSSL_PARAM has integers. */
void key_turn(uint8_t *p, size_t len);

/* key_fromdata - an EVP_PKEY of OpenSSL's type `name` from its numbers.  NULL: ERR_CRYPTO, ERR_NOMEM */
EVP_PKEY *key_fromdata(struct lib *l, const char *name, OSSL_PARAM *params, struct err *e) MUST;

/* make: append the PrivateKeyInfo of a new key.  load: from the content of its OCTET STRING, the
 * EVP_PKEY and the SubjectPublicKeyInfo; RSA finds out its type by the length of the modulus. */
int key_rsa_make(
    struct lib *l, enum key_type t, enum keygen how, struct buf *pkcs8, struct err *e) MUST;
int key_rsa_load(struct lib *l, struct view inside, enum key_type *t, EVP_PKEY **pkey,
    struct buf *spki, struct err *e) MUST;
int key_ec_make(struct lib *l, enum key_type t, struct buf *pkcs8, struct err *e) MUST;
int key_ec_load(struct lib *l, struct view inside, enum key_type t, EVP_PKEY **pkey,
    struct buf *spki, struct err *e) MUST;

/*
 * key_prime_fast - a random prime of `bits` bits, the top two set, and prime - 1 not divisible by 65537.
 * bits     1024, 1536, 2048
 */
int key_prime_fast(BN_CTX *bn, int bits, BIGNUM *prime, struct err *e) MUST;

/* key_prime_rounds - Miller-Rabin rounds for a prime of so many bits; 0: not a size of ours. */
int key_prime_rounds(int bits);

/* key_prime_test - Miller-Rabin with random bases: 1 probably prime, 0 composite, -1 OpenSSL failed.
 * w is odd and above 3. */
int key_prime_test(BN_CTX *bn, const BIGNUM *w, int rounds);

/* key_prime_far - |p - q| > 2^(bits - 100), for p and q of so many bits (FIPS 186-5 A.1.3 step 5.4). */
int key_prime_far(const BIGNUM *p, const BIGNUM *q, int bits); /* 1, 0, -1 OpenSSL failed */
#endif
