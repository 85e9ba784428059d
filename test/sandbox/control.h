#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H
#include "test/sandbox/http.h"

/* control.h - /sandbox/: what a test or a person does to a running sandbox. */
bool control_owns(const char *path);
void control_serve(struct exchange *x);

/* summary.c: the counts as one JSON object. */
struct sandbox;
void summary_write(struct sandbox *s, struct str *out);
/* route.c: which part owns the path; the http_fn. */
void route(struct exchange *x);
#endif
