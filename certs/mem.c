/* see mem.h */
#include "certs/mem.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

static atomic_ulong counted, fail_at;
static atomic_bool counting; /* outside tests nobody counts: one shared counter slows all threads */

/* Does the allocation that is about to be made have to fail? */
static bool must_fail(void)
{
    unsigned long n;

    if (!atomic_load_explicit(&counting, memory_order_relaxed))
        return false;
    n = atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed) + 1;

    return n == atomic_load_explicit(&fail_at, memory_order_relaxed);
}

/* No handler and no core: whatever is half done now is resumed from the store after the restart. */
static _Noreturn void out_of_memory(void)
{
    fputs("certferry: out of memory\n", stderr);
    _Exit(EXIT_FAILURE);
}

void *xcalloc(size_t count, size_t size)
{
    void *p = calloc(count != 0 ? count : 1, size != 0 ? size : 1);

    if (p == NULL)
        out_of_memory();
    return p;
}

char *xstrdup(const char *text)
{
    size_t len;
    char *copy;

    if (text == NULL)
        return NULL;
    len = strlen(text);
    copy = xcalloc(len + 1, 1);
    memcpy(copy, text, len);
    return copy;
}

void *mem_try(size_t count, size_t size)
{
    if (must_fail())
        return NULL;
    return calloc(count != 0 ? count : 1, size != 0 ? size : 1);
}

bool mem_secret_start(size_t len)
{
    return CRYPTO_secure_malloc_init(len, 32) == 1;
}

/* The arena refuses when it is full; the free below tells both kinds of memory apart. */
void *mem_secret_try(size_t len)
{
    void *p = NULL;

    if (must_fail())
        return NULL;
    if (CRYPTO_secure_malloc_initialized())
        p = OPENSSL_secure_zalloc(len);
    return p != NULL ? p : OPENSSL_zalloc(len);
}

void mem_secret_free(void *p, size_t len)
{
    OPENSSL_secure_clear_free(p, len);
}

/* memset is the fastest there is, and everything the libraries free goes through here; that somebody may look at p
 * afterwards keeps the compiler from leaving it out. */
void mem_wipe(void *p, size_t len)
{
    if (len == 0)
        return;
    memset(p, 0, len);
    __asm__ __volatile__("" : : "r"(p) : "memory");
}

void mem_wipe_free(void *p, size_t len)
{
    if (p != NULL)
        mem_wipe(p, len);
    free(p);
}

void text_wipe_free(char *text)
{
    if (text != NULL)
        mem_wipe_free(text, strlen(text));
}

/* ---- for libraries ---- */

void *mem_lib_malloc(size_t len)
{
    return malloc(len);
}

void *mem_lib_calloc(size_t count, size_t size)
{
    return calloc(count, size);
}

/* By the size the allocator knows, not by one in front of the block: what a library allocated before it was told of us,
 * and what it lets others free, stays an ordinary block. */
void mem_lib_free(void *p)
{
    mem_wipe(p, malloc_usable_size(p));
    free(p);
}

/* realloc itself may move a block, and frees the old one as it is. */
void *mem_lib_realloc(void *p, size_t len)
{
    size_t had = malloc_usable_size(p);
    void *fresh;

    if (p != NULL && len == 0) {
        mem_lib_free(p);
        return NULL;
    }
    if (len <= had && len >= had / 2)
        return p;
    if ((fresh = malloc(len)) == NULL)
        return NULL;
    if (had != 0)
        memcpy(fresh, p, had < len ? had : len);
    mem_lib_free(p);
    return fresh;
}

char *mem_lib_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

bool mem_equal(const void *a, const void *b, size_t len)
{
    return len == 0 || CRYPTO_memcmp(a, b, len) == 0;
}

void mem_fail_after(unsigned long n)
{
    atomic_store(&fail_at, n);
    atomic_store(&counted, 0);
    atomic_store(&counting, true);
}

unsigned long mem_count(void)
{
    return atomic_load(&counted);
}

/* ---- OpenSSL's allocator ---- */

static _Thread_local bool was_out;

static void *note(void *p, size_t len)
{
    if (p == NULL && len != 0)
        was_out = true;
    return p;
}

static void *hook_malloc(size_t len, const char *file, int line)
{
    (void)file, (void)line;
    return note(must_fail() ? NULL : mem_lib_malloc(len), len);
}

static void *hook_realloc(void *p, size_t len, const char *file, int line)
{
    (void)file, (void)line;
    return note(must_fail() ? NULL : mem_lib_realloc(p, len), len);
}

static void hook_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    mem_lib_free(p);
}

bool mem_watch_openssl(void)
{
    return CRYPTO_set_mem_functions(hook_malloc, hook_realloc, hook_free) == 1;
}

bool mem_openssl_was_out(void)
{
    bool was = was_out;

    was_out = false;
    return was;
}

void mem_torture_openssl(void)
{
    bool done = mem_watch_openssl();

    assert(done);
    (void)done;
}
