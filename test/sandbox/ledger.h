#ifndef SANDBOX_LEDGER_H
#define SANDBOX_LEDGER_H
#include "test/sandbox/text.h"

/*
 * ledger.h - what happened, one JSON object a line, only ever appended.  Lines gather in memory and
 * are written by ledger_flush, which the main thread calls; the events are listed in DESIGN.md.
 *
 * ledger_begin ... ledger_end is one line; nothing else of the ledger may be called in between.
 */
struct ledger;

/* ledger_open - NULL: the file cannot be made.  A file already there is kept under another name. */
struct ledger *ledger_open(const char *dir, char *why, size_t why_room);
void ledger_close(struct ledger *l);
void ledger_flush(struct ledger *l);

void ledger_begin(struct ledger *l, const char *event);
void ledger_text(struct ledger *l, const char *name, const char *value); /* NULL: left out */
void ledger_int(struct ledger *l, const char *name, int64_t value);
void ledger_bool(struct ledger *l, const char *name, bool value);
void ledger_hex(struct ledger *l, const char *name, const void *bytes, size_t len, bool upper);
void ledger_end(struct ledger *l);

const char *ledger_path(const struct ledger *l);
#endif
