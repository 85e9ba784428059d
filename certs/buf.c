/* see buf.h.  One byte behind the content is always allocated, so that buf_text cannot fail. */
#include "certs/buf.h"
#include "certs/mem.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64 };

struct view view_of(const void *p, size_t len)
{
    return (struct view){ len != 0 ? p : NULL, len };
}

struct view view_text(const char *text)
{
    return view_of(text, text != NULL ? strlen(text) : 0);
}

bool view_equal(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

struct view buf_view(const struct buf *b)
{
    return view_of(b->p, b->len);
}

void buf_spoil(struct buf *b, enum err_class why)
{
    if (!b->bad)
        b->why = why;
    b->bad = true;
}

static void release(const struct buf *b)
{
    if (b->secret)
        mem_secret_free(b->p, b->cap);
    else
        mem_wipe_free(b->p, b->cap);
}

/* Make room for `more` bytes and the one behind; false turns b bad. */
static bool reserve(struct buf *b, size_t more)
{
    size_t need, cap;
    uint8_t *p;

    if (b->bad)
        return false;
    if (more > b->max - b->len || b->max == SIZE_MAX) {
        buf_spoil(b, ERR_TOO_LARGE);
        return false;
    }
    need = b->len + more + 1;
    if (need <= b->cap)
        return true;
    cap = b->cap < FIRST_CAP ? FIRST_CAP : b->cap;
    while (cap < need)
        cap = cap <= SIZE_MAX / 2 ? 2 * cap : need;
    if (cap > b->max + 1)
        cap = b->max + 1;
    p = b->secret ? mem_secret_try(cap) : mem_try(cap, 1);
    if (p == NULL) {
        buf_spoil(b, ERR_NOMEM);
        return false;
    }
    if (b->len != 0)
        memcpy(p, b->p, b->len);
    release(b);
    b->p = p;
    b->cap = cap;
    return true;
}

uint8_t *buf_extend(struct buf *b, size_t len)
{
    uint8_t *p;

    if (!reserve(b, len))
        return NULL;
    p = b->p + b->len;
    memset(p, 0, len);
    b->len += len;
    return p;
}

void buf_add(struct buf *b, const void *p, size_t len)
{
    if (!reserve(b, len) || len == 0)
        return;
    memcpy(b->p + b->len, p, len);
    b->len += len;
}

void buf_add_view(struct buf *b, struct view v)
{
    buf_add(b, v.p, v.len);
}

void buf_add_byte(struct buf *b, uint8_t byte)
{
    buf_add(b, &byte, 1);
}

void buf_add_text(struct buf *b, const char *text)
{
    buf_add_view(b, view_text(text));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        buf_spoil(b, ERR_TOO_LARGE);
        return;
    }
    if (!reserve(b, (size_t)n))
        return;
    va_start(ap, fmt);
    (void)vsnprintf((char *)b->p + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

void buf_insert(struct buf *b, size_t at, const void *p, size_t len)
{
    if (b->bad)
        return;
    assert(at <= b->len);
    if (!reserve(b, len) || len == 0)
        return;
    memmove(b->p + at + len, b->p + at, b->len - at);
    memcpy(b->p + at, p, len);
    b->len += len;
}

const char *buf_text(struct buf *b)
{
    if (b->bad || b->p == NULL)
        return "";
    b->p[b->len] = '\0';
    return (const char *)b->p;
}

int buf_check(const struct buf *b, struct err *e)
{
    if (!b->bad)
        return 0;
    if (b->why == ERR_NOMEM)
        return err_set(e, ERR_NOMEM, "out of memory after %zu bytes", b->len);
    return err_set(
        e, b->why, "does not fit: %zu of at most %zu bytes were written", b->len, b->max);
}

int buf_finish(struct buf *b, size_t start, struct err *e)
{
    if (buf_check(b, e) == 0)
        return 0;
    buf_truncate(b, start);
    return -1;
}

void buf_truncate(struct buf *b, size_t len)
{
    assert(len <= b->len);
    if (b->len > len)
        mem_wipe(b->p + len, b->len - len);
    b->len = len;
}

void buf_reset(struct buf *b)
{
    buf_truncate(b, 0);
    b->bad = false;
    b->why = ERR_NONE;
}

void buf_free(struct buf *b)
{
    release(b);
    *b = (struct buf){ .max = b->max, .secret = b->secret };
}

/* A secret moved into a buf that was not one stays a secret. */
void buf_take(struct buf *to, struct buf *from)
{
    if (to == from)
        return;
    buf_free(to);
    *to = *from;
    *from = (struct buf){ .max = to->max, .secret = to->secret };
}
