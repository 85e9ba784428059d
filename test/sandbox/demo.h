#ifndef SANDBOX_DEMO_H
#define SANDBOX_DEMO_H
#include "test/sandbox/sandbox.h"

/* demo.h - requests of our own: the demonstration, and load that is written when it is asked for. */

/* demo_add - the first `count` requests of the demonstration; it has DEMO_MAX. */
enum { DEMO_MAX = 25 };
bool demo_add(struct sandbox *s, unsigned count, struct str *why);

/* load_read - "COUNT:KEYTYPE[,ca=adcs|est|both][,device=rsa|ec]".  false: not that */
bool load_read(const char *text, struct options *o);
/* load_more - up to n of the requests that are left go into the queue. */
void load_more(struct sandbox *s, size_t n);
void load_write(struct sandbox *s, unsigned number, struct str *out);
#endif
