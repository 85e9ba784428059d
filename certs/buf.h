#ifndef CERTS_BUF_H
#define CERTS_BUF_H
#include <stddef.h>
#include <stdint.h>
#include "certs/err.h"

/*
 * buf.h - bytes: a borrowed piece (struct view) and an owned, growing one (struct buf).
 *
 * A buf has its greatest length from birth.  Adding never fails on the spot: when the maximum would
 * be passed or memory is out the buf turns bad, keeps what it had, and ignores everything after;
 * buf_check() reports it once, at the end.  So a writer reads as a list of what it writes.  A function
 * that appends and fails cuts the buf back to what it held before (buf_finish); if the buf itself was
 * the reason it stays bad until buf_reset or buf_free.
 *
 * A buf is wiped when it grows, shrinks or is freed: what comes over the wire may be a secret without anybody having
 * said so.  A secret one is in the memory of secrets besides (mem.h), which is small: keys, passwords, tokens.
 *
 * Threads: a buf belongs to one thread at a time.
 */
struct view {
    const uint8_t *p; /* NULL if len is 0 */
    size_t len;       /* bytes */
};

struct buf {
    uint8_t *p; /* not NUL-terminated, see buf_text */
    size_t len; /* bytes in use */
    size_t cap; /* bytes allocated */
    size_t max; /* greatest len */
    bool secret, bad;
    enum err_class why; /* ERR_NOMEM or ERR_TOO_LARGE once bad */
};

/* clang-format off */
#define BUF_INIT(most)   { .max = (most) }
#define BUF_SECRET(most) { .max = (most), .secret = true }
/* clang-format on */

struct view view_of(const void *p, size_t len);
struct view view_text(const char *text); /* without the NUL; NULL gives an empty view */
bool view_equal(struct view a, struct view b);

struct view buf_view(const struct buf *b);
void buf_add(struct buf *b, const void *p, size_t len);
void buf_add_view(struct buf *b, struct view v);
void buf_add_byte(struct buf *b, uint8_t byte);
void buf_add_text(struct buf *b, const char *text); /* without the NUL */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* buf_insert - make room for len bytes at `at` (<= b->len) and copy p there. */
void buf_insert(struct buf *b, size_t at, const void *p, size_t len);

/* buf_extend - append len zero bytes and return where they start; NULL when they do not fit. */
uint8_t *buf_extend(struct buf *b, size_t len);

/* buf_spoil - turn b bad: what its writer was given cannot be written. */
void buf_spoil(struct buf *b, enum err_class why);

/* buf_text - the content with a NUL behind it (not counted); "" when empty or bad. */
const char *buf_text(struct buf *b);

/* buf_check - 0, or -1 with ERR_NOMEM or ERR_TOO_LARGE if anything was not added. */
int buf_check(const struct buf *b, struct err *e) MUST;

/* buf_finish - buf_check for a function that appended from `start` on: on failure cuts that off. */
int buf_finish(struct buf *b, size_t start, struct err *e) MUST;

void buf_reset(struct buf *b);                   /* empty and good again; memory is kept */
void buf_truncate(struct buf *b, size_t len);    /* len <= b->len */
void buf_free(struct buf *b);                    /* back to the state after BUF_INIT */
void buf_take(struct buf *to, struct buf *from); /* free `to`, move `from` into it, empty `from` */
#endif
