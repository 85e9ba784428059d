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
 */
struct vault {
    uint8_t request_key[SEAL_KEY_LEN]; /* wraps the data keys of requests; SECRET */
    uint8_t secret_key[SEAL_KEY_LEN];  /* seals what secret.h keeps; SECRET */
};

/* vault_open - fails ERR_CONFIG (file missing, readable by others, wrong length), ERR_CRYPTO */
int vault_open(struct vault *v, struct lib *l, const char *store_dir, const char *key_file,
    bool may_create, struct err *e) MUST;
void vault_close(struct vault *v);

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
