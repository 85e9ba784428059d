#ifndef SANDBOX_JOURNAL_H
#define SANDBOX_JOURNAL_H
#include "test/sandbox/text.h"

/*
 * journal.h - every CCP message that passed unharmed, one JSON object a line:
 * {"path":"/requests/download","direction":"request"|"response","status":200,"body":{...}}
 */
struct journal;
struct journal *journal_open(const char *file, char *why, size_t why_room);
void journal_close(struct journal *j); /* NULL is fine, for all of these */
void journal_flush(struct journal *j);

/* status 0: a request.  A body that is not JSON is left out. */
void journal_add(struct journal *j, const char *path, int status, const struct str *body);
#endif
