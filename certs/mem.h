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

/* mem_wipe - overwrite in a way no compiler removes.  NULL with len 0 is fine. */
void mem_wipe(void *p, size_t len);

/* mem_wipe_free, text_wipe_free - wipe, then free; NULL is fine. */
void mem_wipe_free(void *p, size_t len);
void text_wipe_free(char *text);

/* mem_equal - compare in constant time: for secrets and digests. */
bool mem_equal(const void *a, const void *b, size_t len);

/*
 * Tests only.  mem_fail_after: the n-th allocation from now on fails (0 = none does), counted over
 * mem_try and, once mem_torture_openssl() was called (before anything of OpenSSL), over OpenSSL's own.
 * mem_count: how many there were since mem_fail_after.
 */
void mem_fail_after(unsigned long n);
unsigned long mem_count(void);
void mem_torture_openssl(void);
#endif
