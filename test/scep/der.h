#ifndef SCEP_DER_H
#define SCEP_DER_H
#include <openssl/x509.h>
#include "test/sandbox/text.h"

/*
 * der.h - DER (and BER, for devices that write it) from the inside out: append the content, then close it
 * under its tag.
 *
 *     size_t at = out->len;
 *     der_oid(out, "1.2.840.113549.1.7.1");
 *     der_close(out, at, 0x30);
 *
 * Nothing is checked: what these tests need most is to be able to write what is wrong.
 */
void der_put(struct str *out, unsigned tag, const void *bytes, size_t len);
void der_text(struct str *out, unsigned tag, const char *text);
void der_str(struct str *out, unsigned tag, const struct str *s);
void der_close(struct str *out, size_t at, unsigned tag);      /* definite length */
void der_close_open(struct str *out, size_t at, unsigned tag); /* indefinite: 80 ... 00 00 */
void der_oid(struct str *out, const char *dotted);
void der_int(struct str *out, unsigned n);
void der_null(struct str *out);
void der_hex(struct str *out, const char *hex); /* bytes as they are; blanks allowed */
void der_algorithm(
    struct str *out, const char *dotted, bool null); /* with NULL parameters or none */

/* der_octets - an OCTET STRING, or with chunk > 0 one in pieces under an indefinite length (0x24). */
void der_octets(struct str *out, const void *bytes, size_t len, size_t chunk);

void der_cert(struct str *out, const X509 *x);
void der_name(struct str *out, const X509_NAME *n);
void der_serial(struct str *out, const X509 *x);
void der_spki(struct str *out, EVP_PKEY *key);

/* der_strict - one value with definite, shortest lengths all through, and nothing behind it? */
bool der_strict(const struct str *s);
#endif
