#ifndef CERTS_P12_CRYPT_H
#define CERTS_P12_CRYPT_H
#include "certs/p12.h"

/*
 * p12_crypt.h - keys, encryption and MAC of one PKCS#12 file; for p12.c.
 *
 * modern  PBES2 (RFC 8018 6.2): one PBKDF2 run when the file is begun, an IV for each encryption
 * compat  pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292 B): key and IV both come from the salt, so each
 *         encryption has a salt of its own
 *
 * Threads: as the lib.
 */
enum { P12_SALT_MODERN = 16, P12_SALT_COMPAT = 8, P12_BMP_MAX = 2 * (64 + 1) };

struct p12_crypt {
    struct lib *lib;
    enum p12_profile profile;
    unsigned iterations;
    uint8_t bmp[P12_BMP_MAX]; /* SECRET: the password as BMPString with its final NUL */
    size_t bmp_len;
    uint8_t salt[P12_SALT_MODERN]; /* modern only */
    uint8_t key[32];               /* SECRET, modern only */
};

/* p12_crypt_init - s passed p12_build's checks; p12_crypt_done is called after a failure, too. */
int p12_crypt_init(
    struct p12_crypt *c, struct lib *l, const struct p12_spec *s, struct err *e) MUST;
void p12_crypt_done(struct p12_crypt *c); /* wipes */

/* p12_encrypt - append the AlgorithmIdentifier and then the encrypted `plain` under `tag`. */
int p12_encrypt(
    struct p12_crypt *c, struct view plain, uint8_t tag, struct buf *out, struct err *e) MUST;

/* p12_write_mac - append MacData (RFC 7292 4) over `safes`. */
int p12_write_mac(struct p12_crypt *c, struct view safes, struct buf *out, struct err *e) MUST;
#endif
