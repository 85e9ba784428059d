#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H
#include "certs/lib.h"

/*
 * floor.h - what a request cannot cost less than: its cryptography, measured alone.
 *
 * An op is one piece of work, done again and again on one thread.  The ops are in four files, by
 * what they are made of: floor_key.c keys and signatures; floor_bare.c the primitives of a whole
 * request without any ASN.1, with plain OpenSSL; floor_certs.c the same request with certs/;
 * floor_scep.c the primitives of a SCEP enrolment.
 */
struct op {
    const char *name, *what;
    int (*run)(struct lib *l, struct err *e); /* once */
    bool counted; /* its time varies so much that it is repeated by count, not by time */
};

extern const struct op floor_key_ops[], floor_bare_ops[], floor_certs_ops[],
    floor_scep_ops[]; /* NULL-ended */

/* Before the first op of a file and after the last; what an op needs is not its cost. */
int floor_key_open(struct lib *l, struct err *e) MUST;
void floor_key_close(void);
int floor_bare_open(struct lib *l, struct err *e) MUST;
void floor_bare_close(void);
int floor_certs_open(struct lib *l, struct err *e) MUST;
void floor_certs_close(void);
int floor_scep_open(struct lib *l, struct err *e) MUST;
void floor_scep_close(void);

#endif
