#ifndef CERTS_SEAL_H
#define CERTS_SEAL_H
#include "certs/lib.h"

/*
 * seal.h - secrets at rest.
 *
 * One 32-byte master key per installation.  HKDF-SHA-256 makes a wrapping key for each purpose.  Each
 * request gets a random 32-byte data key, wrapped under it; everything secret of the request is
 * sealed with AES-256-GCM under the data key.  Destroying the wrapped data key destroys them all.
 *
 * A sealed value is: version byte 1, 12-byte nonce, ciphertext, 16-byte tag.  The associated data binds
 * it to its place (request id, column, schema), so a row copied elsewhere does not open.
 *
 * Threads: any, with that thread's lib.
 */
enum { SEAL_KEY_LEN = 32, SEAL_OVERHEAD = 1 + 12 + 16 };

/* seal_derive - the wrapping key for one purpose ("request", "config"), from the master key. */
int seal_derive(struct lib *l, const uint8_t master[SEAL_KEY_LEN], const char *purpose,
    uint8_t out[SEAL_KEY_LEN], struct err *e) MUST;

/* seal_put - append the sealed form of plain.  fails ERR_CRYPTO */
int seal_put(struct lib *l, const uint8_t key[SEAL_KEY_LEN], struct view aad, struct view plain,
    struct buf *out, struct err *e) MUST;

/* seal_get - append the plain text to out, which must be a secret buf.
 * fails ERR_CRYPTO: another key, another place, or altered; nothing of it is returned */
int seal_get(struct lib *l, const uint8_t key[SEAL_KEY_LEN], struct view aad, struct view sealed,
    struct buf *out, struct err *e) MUST;
#endif
