#ifndef AGENT_SECRET_H
#define AGENT_SECRET_H
#include "agent/secrets/vault.h"

/*
 * secret.h - what an administrator gives the service to keep: passwords, client secrets, tokens; and its own identity.
 *
 * One file each, <store>/secrets/NAME, sealed under the vault's key for them and their name.  An option of the
 * configuration that takes a file with a secret takes "secret:NAME" as well, so one place decides how a secret is
 * read: secret_read().  Names are 1 to 63 of a-z 0-9 . _ -, the first a letter or digit; those that begin with
 * "certferry." are the service's own: not listed, not set or deleted by commands.
 *
 * Run by root on the store of another user, everything here acts as that user, so the files are his (fs_as_owner).
 *
 * Threads: the loop's.
 */
enum { SECRET_NAME_MAX = 63, SECRET_BYTES_MAX = 65536 };
struct secrets;

bool secret_name_ok(const char *name);
bool secret_name_is_ours(const char *name); /* "certferry.": not for commands */

/* secrets_open - dir: the store's folder; v is borrowed.  Nothing is made before something is put.
 * v NULL: for checks where the master key cannot be read: what there is reads as "-", nothing can be put */
struct secrets *secrets_open(
    const char *dir, const struct vault *v, struct lib *l, struct err *e) MUST;
void secrets_close(struct secrets *s); /* NULL is fine */

/*
 * secrets_prove - is this vault's key the one this store's secrets are sealed with?  A secret of our own answers;
 * the first time it is made.  A wrong key would make every request fail, one by one.
 * fails ERR_CONFIG: it is another key; ERR_STORE
 */
int secrets_prove(struct secrets *s, struct err *e) MUST;

/* secrets_put - durable when it returns 0; replaces.  fails ERR_INPUT: the name, or too long; ERR_STORE */
int secrets_put(struct secrets *s, const char *name, struct view value, struct err *e) MUST;
/* secrets_get - appended to out, a secret buf.  fails ERR_GONE: there is none; ERR_CRYPTO: it does not open */
int secrets_get(struct secrets *s, const char *name, struct buf *out, struct err *e) MUST;
int secrets_drop(
    struct secrets *s, const char *name, struct err *e) MUST; /* ERR_GONE: there was none */
/* secrets_list - in the order of their names; set_at: UTC seconds */
typedef void secrets_fn(void *arg, const char *name, int64_t set_at);
int secrets_list(struct secrets *s, secrets_fn *fn, void *arg, struct err *e) MUST;

/* secrets_renew - seal each of them with the vault's new key, our own included; counts are added to. */
int secrets_renew(struct secrets *s, size_t *changed, size_t *unreadable, struct err *e) MUST;

/*
 * secret_read - the first line of what `ref` names, appended: "secret:NAME" from s, anything else is the path of a
 * file that only we may read.
 * s may be NULL: then "secret:" is refused.  fails ERR_CONFIG with the reference, never with the value
 */
int secret_read(struct secrets *s, const char *ref, struct buf *out, struct err *e) MUST;
#endif
