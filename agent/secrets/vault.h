#ifndef AGENT_VAULT_H
#define AGENT_VAULT_H
#include "certs/seal.h"

/*
 * vault.h - the installation's master key, and the sealing of one request's secrets under it.
 *
 * The master key is 32 bytes in a file: the service manager's credential certferry.master
 * ($CREDENTIALS_DIRECTORY), else the file the configuration names, else master.key in the store's
 * folder, made at the first start.  A store whose master key is missing is not opened: a new key
 * would make its secrets unreadable for ever.
 *
 * Two keys, while it is exchanged (rotate.h): the new one, FILE.exchange beside the file or the credential itself, seals;
 * the old one, the file or the credential certferry.master.old, opens, too.
 */
enum vault_place {
    VAULT_CREDENTIAL, /* of the service manager: ours to read only */
    VAULT_NAMED,      /* store.master_key */
    VAULT_BESIDE      /* master.key in the store's folder: whoever copies that has both */
};

/* vault_place - where the master key is, or would be made; path: at least 4096 bytes. */
enum vault_place vault_place(const char *store_dir, const char *key_file, char *path, size_t size);
const char *vault_place_name(enum vault_place p); /* "credential", "file", "beside the store" */

struct vault_keys {
    uint8_t request_key[SEAL_KEY_LEN], secret_key[SEAL_KEY_LEN]; /* SECRET */
};
struct vault {
    uint8_t request_key[SEAL_KEY_LEN]; /* wraps the data keys of requests; SECRET */
    uint8_t secret_key[SEAL_KEY_LEN];  /* seals what secret.h keeps; SECRET */
    struct vault_keys other;           /* opens what is not sealed with them, if has_other */
    bool has_other;
    bool pending; /* the exchange of the master key is not finished */
};

/* vault_open - fails ERR_CONFIG (file missing, readable by others, wrong length), ERR_CRYPTO */
int vault_open(struct vault *v, struct lib *l, const char *store_dir, const char *key_file,
    bool may_create, struct err *e) MUST;
void vault_close(struct vault *v);

/* vault_use_new - a new master key is made, kept in FILE.exchange, and used from now on; what there is opens as before.
 * fails ERR_CONFIG: it is a credential; ERR_STORE: it cannot be written */
int vault_use_new(struct vault *v, struct lib *l, const char *store_dir, const char *key_file,
    struct err *e) MUST;
/* vault_settle - everything is sealed with the new key: it becomes the master key, the old one is overwritten.
 * Without an exchange: what an interrupted one has left is overwritten.  fails ERR_STORE */
int vault_settle(struct vault *v, const char *store_dir, const char *key_file, struct err *e) MUST;

/* vault_renew, vault_renew_secret - a request's wrapped data key, a sealed secret: with the new key, if it is not yet.
 * returns 1 changed, 0 it was, -1 ERR_CRYPTO: neither opens it, nothing is changed */
int vault_renew(
    const struct vault *v, struct lib *l, const char *id, struct buf *data_key, struct err *e) MUST;
int vault_renew_secret(
    const struct vault *v, struct lib *l, const char *name, struct buf *sealed, struct err *e) MUST;

/*
 * For workers: pure, with copies of everything.
 *
 * vault_seal_new - a new data key for the request, wrapped into data_key, and plain sealed under it.
 * vault_unseal - the plain text, appended to out (a secret buf).
 */
int vault_seal_new(const struct vault *v, struct lib *l, const char *id, const char *what,
    struct view plain, struct buf *data_key, struct buf *sealed, struct err *e) MUST;
int vault_unseal(const struct vault *v, struct lib *l, const char *id, const char *what,
    struct view data_key, struct view sealed, struct buf *out, struct err *e) MUST;

/* vault_seal_secret, vault_unseal_secret - one value of secret.h under its name; appended to out (unseal: a secret buf). */
int vault_seal_secret(const struct vault *v, struct lib *l, const char *name, struct view plain,
    struct buf *out, struct err *e) MUST;
int vault_unseal_secret(const struct vault *v, struct lib *l, const char *name, struct view sealed,
    struct buf *out, struct err *e) MUST;
#endif
