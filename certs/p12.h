#ifndef CERTS_P12_H
#define CERTS_P12_H
#include "certs/lib.h"

/*
 * p12.h - a PKCS#12 file (RFC 7292) with one key, its certificate and the path above it.
 *
 * Profiles, and who reads them (measured, DESIGN.md has the table):
 *   modern  PBES2 AES-256-CBC with PBKDF2-HMAC-SHA-256, MAC HMAC-SHA-256
 *   compat  pbeWithSHAAnd3-KeyTripleDES-CBC, MAC HMAC-SHA-1; for what cannot read the above
 * `auto` is resolved from the platform by p12_profile_for.
 *
 * In `modern` the key bag and the certificate bag share one salt, so one derived key serves both,
 * each with an IV of its own; the password is used for this file alone, so nothing is lost and a
 * third of the time is won.
 *
 * Written by hand to the DER that every reader accepts; nothing foreign is ever parsed here.
 * Threads: any, with that thread's lib.
 */
enum p12_profile { P12_NONE, P12_MODERN, P12_COMPAT };

enum { P12_PASSWORD_LEN = 32, P12_ITERATIONS = 2048 };

struct p12_spec {
    enum p12_profile profile;
    unsigned iterations;  /* of key derivation and MAC, 1..1000000 */
    const char *password; /* printable ASCII, 1..64 characters */
    struct view pkcs8;    /* PrivateKeyInfo DER */
    struct view chain;    /* DER certificates, leaf first; a self-issued root is left out ... */
    bool include_root;    /* ... unless this is set */
    const char *friendly_name; /* UTF-8, 1..64 characters of the BMP, no controls; NULL = none */
    const char *provider_name; /* Windows KSP (1.3.6.1.4.1.311.17.1), 1..128 of them; NULL = none */
    bool machine_keyset;       /* add 1.3.6.1.4.1.311.17.2 */
};

/* p12_profile_for - "modern", "compat", or "auto" with the platform's name of CCP/1.  *guessed is
 * true when the platform is unknown and compat was taken.  P12_NONE: no such profile name. */
enum p12_profile p12_profile_for(const char *name, const char *platform, bool *guessed);

/* p12_password - P12_PASSWORD_LEN random characters of [A-Za-z0-9] and a NUL.  fails ERR_CRYPTO */
int p12_password(struct lib *l, char out[P12_PASSWORD_LEN + 1], struct err *e) MUST;

/* p12_build - append the DER file.  fails ERR_INPUT (password, names, empty chain), ERR_CRYPTO */
int p12_build(struct lib *l, const struct p12_spec *s, struct buf *out, struct err *e) MUST;

/*
 * p12_check - read a file that p12_build has just made with the library's own reader: its MAC, its key, its first
 * certificate, which is that of `chain`.  For rehearsals; never for a file from elsewhere.
 * fails ERR_CRYPTO: what is wrong with it
 */
int p12_check(
    struct lib *l, struct view file, const char *password, struct view chain, struct err *e) MUST;
#endif
