#ifndef CERTS_TEXT_H
#define CERTS_TEXT_H
#include "certs/buf.h"

/*
 * text.h - bytes as text: base64 (RFC 4648 4), hexadecimal, PEM (RFC 7468), UTF-8 checks.
 *
 * Threads: pure.  Decoders append to `out`, leave it as it was on failure.
 */
void base64_add(struct buf *out, struct view bytes);                    /* one line, with padding */
void base64_add_lines(struct buf *out, struct view bytes, size_t cols); /* '\n' after each line */

void base64url_add(struct buf *out, struct view bytes); /* RFC 4648 5, one line, without padding */

/* base64_parse - strict: the alphabet, correct padding, no white space.  fails ERR_PROTO */
int base64_parse(struct view text, struct buf *out, struct err *e) MUST;

/* base64_parse_loose - everything outside the alphabet is skipped (RFC 8951 3).  fails ERR_PROTO */
int base64_parse_loose(struct view text, struct buf *out, struct err *e) MUST;

void hex_add(struct buf *out, struct view bytes);                     /* upper case */
int hex_parse(struct view text, struct buf *out, struct err *e) MUST; /* fails ERR_PROTO */

/*
 * pem_next - the next block with this label, from *rest on, which moves behind it.
 *
 * returns  1 found and decoded into out, 0 no more blocks, -1 ERR_PROTO (cut or not base64)
 */
int pem_next(struct view *rest, const char *label, struct buf *out, struct err *e) MUST;
void pem_add(struct buf *out, const char *label, struct view der); /* 64 columns */

/*
 * utf8_next - the code point at the front of text.
 *
 * returns  how many bytes it takes, 1..4; 0 if text is empty or does not begin with a shortest-form
 *          sequence for a Unicode scalar value (*code_point is then 0)
 */
size_t utf8_next(struct view text, uint32_t *code_point);

/* text_hash - for tables of ours, not against an enemy who can choose: FNV-1a (64 bits), going on from `h`, which is
 * TEXT_HASH at first.  NULL is an empty text. */
#define TEXT_HASH 14695981039346656037u
uint64_t text_hash(uint64_t h, const char *text);

bool utf8_valid(struct view text);       /* shortest form, no surrogates, NUL is valid */
size_t utf8_length(struct view text);    /* code points; text must be valid */
bool text_has_control(struct view text); /* a byte below 0x20 or 0x7f */
#endif
