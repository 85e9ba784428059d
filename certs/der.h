#ifndef CERTS_DER_H
#define CERTS_DER_H
#include "certs/buf.h"

/*
 * der.h - ASN.1 DER (X.690), written and read by hand.
 *
 * Why not OpenSSL's: on 3.0 its key decoders and encoders cost more than the signature (a request's
 * public key: 130 us against 2.6), and it gives no control over the order and form of what a
 * Microsoft CA compares byte for byte.
 *
 * Writer: der_open() and der_close() bracket a constructed value; lengths are filled in on close.
 * Reader: strict DER only: definite lengths in shortest form, single-byte tags.  It takes one value at
 * a time and never descends by itself, so depth is what the caller's own code spells out.
 *
 * Threads: pure.
 */
enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_UTF8 = 0x0c,
    DER_PRINTABLE = 0x13,
    DER_IA5 = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERAL_TIME = 0x18,
    DER_BMP = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT = 0x80,  /* | n: [n] primitive */
    DER_CONTEXTC = 0xa0, /* | n: [n] constructed */
};

/* --- writer --- */
size_t der_open(struct buf *b, uint8_t tag); /* returns the mark for der_close */
void der_close(struct buf *b, size_t mark);
void der_tlv(struct buf *b, uint8_t tag, struct view content);
void der_uint(struct buf *b, uint64_t value);
void der_uint_bytes(struct buf *b, struct view big_endian); /* non-negative INTEGER, any length */
void der_bool_true(struct buf *b);
void der_null(struct buf *b);
void der_utf8(struct buf *b, const char *text);

/* der_bmp - UTF-8 text as BMPString; a character outside the BMP turns b bad (ERR_TOO_LARGE). */
void der_bmp(struct buf *b, const char *utf8);

/* der_oid - OBJECT IDENTIFIER from dotted text: arcs below 2^64, 128 bytes encoded.
 * fails ERR_INPUT: not an OID; b is unchanged */
int der_oid(struct buf *b, const char *dotted, struct err *e) MUST;

/* der_oid_known - the same for text that stands in our own source: a bad one is a bug (assert). */
void der_oid_known(struct buf *b, const char *dotted);

/* --- reader --- */
struct der { /* one TLV */
    uint8_t tag;
    struct view content; /* inside */
    struct view whole;   /* with tag and length */
};

/* der_next - take one TLV off the front of *rest.  fails ERR_PROTO: cut, not DER */
int der_next(struct view *rest, struct der *out, struct err *e) MUST;

/* der_expect - der_next, and the tag must be `tag`; `what` names it in the message. */
int der_expect(
    struct view *rest, uint8_t tag, const char *what, struct der *out, struct err *e) MUST;

bool der_peek(struct view rest, uint8_t tag);            /* does a TLV with this tag come next? */
bool der_is_oid(struct der tlv, const char *dotted);     /* tag and value */
void der_oid_text(struct view content, struct buf *out); /* dotted form, or "?" */

/* der_end - nothing may be left.  fails ERR_PROTO: `what` has trailing bytes */
int der_end(struct view rest, const char *what, struct err *e) MUST;

/* der_unsigned - the magnitude of a non-negative INTEGER in shortest form, without the leading zero
 * byte; empty for 0.  fails ERR_PROTO: another tag, negative, padded */
int der_unsigned(struct der tlv, const char *what, struct view *big_endian, struct err *e) MUST;

/* der_time - UTCTime or GeneralizedTime as RFC 5280 4.1.2.5 wants them, in UTC seconds.
 * GeneralizedTime only from 2050 on.  fails ERR_PROTO */
int der_time(struct der tlv, int64_t *at_s, struct err *e) MUST;
#endif
