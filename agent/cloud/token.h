#ifndef AGENT_TOKEN_H
#define AGENT_TOKEN_H
#include "agent/base/io.h"

/*
 * token.h - access tokens by client credentials, kept while they are valid.
 *
 * One cache a client; an entry for each (token URL, scope), at most TOKENS_MAX.  However many ask at once, one
 * request is sent for an entry.  A token is renewed 3 minutes before its end, or at half of its life if that
 * is shorter; meanwhile, and if that fails, the old one serves until its end.
 *
 * After a failure nobody asks again for a while: as long as Retry-After says, else a random time that grows
 * with each failure up to 5 minutes, at least a minute if somebody has to mend something (err_action HOLD).
 * Until then whoever wants a token gets that failure at once.  The same holds for refused tokens: the second
 * within 30 s is kept, or a peer that refuses every token would have us ask for one with each request.
 *
 * Threads: the loop's.
 */
enum { TOKENS_MAX = 16 };

struct tokens;

struct secrets;
struct token_client { /* strings are copied, files and secrets are read by tokens_open */
    const char *id, *secret_file, *certificate_file, *key_file;
    struct view certificate, key; /* or both as PEM; of the key alone no thumbprint can be said */
    struct secrets *secrets;      /* for secret_file = "secret:NAME"; NULL: files only */
};
/* tokens_open - l and io are borrowed until tokens_close.  fails ERR_CONFIG: a file, or neither secret nor
 * certificate, or both */
struct tokens *tokens_open(
    struct lib *l, struct io_peer *io, const struct token_client *c, struct err *e) MUST;
void tokens_close(struct tokens *t); /* nobody who waits will hear of it; NULL is fine */

/* token_get - fn(arg, err or NULL, token) once, never before it returns; cancel with token_cancel.  The token
 * is printable ASCII, secret, and valid during the callback only. */
typedef void token_fn(void *arg, const struct err *err, struct view token);
struct token_wait;
struct token_wait *token_get(
    struct tokens *t, const char *url, const char *scope, token_fn *fn, void *arg) MUST;
void token_cancel(struct token_wait *w); /* NULL is fine */

/* token_drop - this token was refused.  Only if it is still the one we have: of 200 who were refused with the
 * same token one drops it, and the others do not drop the next. */
void token_drop(struct tokens *t, const char *url, const char *scope, struct view token);
#endif
