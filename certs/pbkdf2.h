#ifndef CERTS_PBKDF2_H
#define CERTS_PBKDF2_H
#include "certs/buf.h"

/*
 * pbkdf2.h - PBKDF2 with HMAC-SHA-256 (RFC 8018 5.2), one block of output.
 *
 * Why not EVP_KDF: it copies a digest context twice a round, which costs as much again as the hashing,
 * and this loop is the largest part of what a P-256 request costs.  Here the two states that depend on
 * the password alone are made once, and a round is two runs of the library's own compression function.
 *
 * Threads: pure.  Cannot fail.
 */
enum { PBKDF2_LEN = 32 };

void pbkdf2_sha256(
    struct view password, struct view salt, unsigned iterations, uint8_t out[PBKDF2_LEN]);
#endif
