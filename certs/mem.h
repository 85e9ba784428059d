#ifndef CERTS_MEM_H
#define CERTS_MEM_H
#include <stddef.h>
#include "certs/err.h"

/*
 * mem.h - memory.
 *
 * Small things of fixed size that only a broken machine cannot have: xcalloc, xstrdup.  They end the
 * process when memory is out; the service manager starts it again and the store resumes every
 * request.  Whatever a peer sizes goes through struct buf (buf.h), which fails instead.
 *
 * Threads: any.
 */
void *xcalloc(size_t count, size_t size); /* zeroed; never NULL */
char *xstrdup(const char *text);          /* never NULL, except for NULL */

/* mem_try - like calloc, but NULL when memory is out; the only way to allocate what may fail. */
void *mem_try(size_t count, size_t size) MUST;

/*
 * Memory for secrets: out of swap and core dumps while the locked arena has room, ordinary memory
 * after that, wiped on free in both.  mem_secret_start makes the arena, once, before any thread.
 *
 * len      bytes, a power of two
 * returns  false: there is no arena, or the system did not let us lock it (RLIMIT_MEMLOCK); secrets
 *          are still wiped, but may be swapped out
 */
bool mem_secret_start(size_t len);
void *mem_secret_try(size_t len) MUST; /* zeroed; NULL when memory is out */
void mem_secret_free(void *p, size_t len);

/* mem_wipe - overwrite in a way no compiler removes.  NULL with len 0 is fine. */
void mem_wipe(void *p, size_t len);

/* mem_wipe_free, text_wipe_free - wipe, then free; NULL is fine. */
void mem_wipe_free(void *p, size_t len);
void text_wipe_free(char *text);

/*
 * Memory for libraries that copy secrets and free them as they are (OpenSSL, libcurl): malloc's family, but what is
 * freed, or left behind where a block grows, is wiped.  Blocks of malloc and these may be mixed.
 */
void *mem_lib_malloc(size_t len);
void *mem_lib_calloc(size_t count, size_t size);
void *mem_lib_realloc(void *p, size_t len);
char *mem_lib_strdup(const char *text);
void mem_lib_free(void *p);

/* mem_equal - compare in constant time: for secrets and digests. */
bool mem_equal(const void *a, const void *b, size_t len);

/*
 * mem_watch_openssl - OpenSSL's memory is of mem_lib_*, and it is noted when it runs out, which OpenSSL often does not
 * say itself, so that lib_err() can tell that from a fault that will not pass.  Once, at the very start of the
 * program: false if OpenSSL has allocated before.
 * mem_openssl_was_out - did an allocation of OpenSSL fail in this thread since the last call?
 */
bool mem_watch_openssl(void);
bool mem_openssl_was_out(void);

/*
 * Tests only.  mem_fail_after: the n-th allocation from now on fails (0 = none does), counted over
 * mem_try, mem_secret_try and, once mem_watch_openssl() was called, OpenSSL's own.
 * mem_count: how many there were since mem_fail_after.
 * mem_torture_openssl: mem_watch_openssl, and a failed assertion if that comes too late.
 */
void mem_fail_after(unsigned long n);
unsigned long mem_count(void);
void mem_torture_openssl(void);
#endif
