#ifndef CERTS_BER_H
#define CERTS_BER_H
#include "certs/buf.h"

/*
 * ber.h - CMS messages as devices encode them (BER, X.690 8), made DER enough for der.h.
 *
 * jscep, BouncyCastle and Apple write indefinite lengths and OCTET STRINGs in pieces.  ber_to_der writes
 * the same values with definite, shortest lengths and joins the pieces of OCTET STRINGs (0x24; and [0]
 * constructed where the caller of signed.h and envelope.h expects octets, which they handle themselves).
 * Order of SETs, string types and contents of primitives stay as they are, so what was signed as DER
 * stays byte for byte the same.
 *
 * in       one value, at most BER_MAX bytes, nested at most BER_DEPTH_MAX deep, single-byte tags
 * out      appended to; unchanged on failure
 * fails    ERR_PROTO: cut, trailing bytes, too deep, a tag that is not one byte; ERR_TOO_LARGE; ERR_NOMEM
 * Threads: pure.  Takes time linear in the input.
 */
enum { BER_MAX = 128 << 10, BER_DEPTH_MAX = 16 };

int ber_to_der(struct view in, struct buf *out, struct err *e) MUST;
#endif
