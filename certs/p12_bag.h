#ifndef CERTS_P12_BAG_H
#define CERTS_P12_BAG_H
#include "certs/p12.h"

/*
 * p12_bag.h - what goes around key and certificates in a PKCS#12 file (RFC 7292 4.2); for p12.c.
 *
 * Key and leaf find each other by localKeyID, the SHA-1 of the leaf: Apple and NSS go by it.
 * Threads: pure.
 */
enum { P12_KEY_ID_LEN = 20 };

/* p12_attributes - append the bagAttributes of the key bag (`key`) or of the leaf's bag. */
void p12_attributes(
    struct buf *out, const struct p12_spec *s, const uint8_t id[P12_KEY_ID_LEN], bool key);

/* p12_cert_bag - append the SafeBag of one certificate; only the leaf has attributes (id not NULL). */
void p12_cert_bag(struct buf *b, const struct p12_spec *s, struct view der, const uint8_t *id);
#endif
