/* see vault.h.  The master key is exchanged: files, and what is sealed, one after the other. */
#include <stdio.h>
#include <string.h>
#include "agent/base/crash.h"
#include "agent/base/fs.h"
#include "agent/secrets/vault_inner.h"
#include "certs/mem.h"

/* ---- the files ------------------------------------------------------------------------------------------ */

int vault_use_new(
    struct vault *v, struct lib *l, const char *store_dir, const char *key_file, struct err *e)
{
    uint8_t key[SEAL_KEY_LEN];
    char path[4096], fresh[4096];
    int rc;

    if (vault_place(store_dir, key_file, path, sizeof path) == VAULT_CREDENTIAL)
        return err_set(e, ERR_CONFIG,
            "the master key is the service manager's credential certferry.master, which we can "
            "only "
            "read");
    if (snprintf(fresh, sizeof fresh, "%s.exchange", path) >= (int)sizeof fresh)
        return err_set(e, ERR_CONFIG, "%s: path too long", path);
    /* Whole or not at all: what is sealed from now on needs it. */
    rc = lib_random(l, key, sizeof key, e) == 0
             ? fs_replace(fresh, view_of(key, sizeof key), 0600, e)
             : -1;
    mem_wipe(key, sizeof key);
    crash_point(22);
    return rc == 0 ? vault_take_new(v, l, fresh, e) : -1;
}

int vault_settle(struct vault *v, const char *store_dir, const char *key_file, struct err *e)
{
    char path[4096], old[4096];
    enum vault_place place = vault_place(store_dir, key_file, path, sizeof path);

    if (place == VAULT_CREDENTIAL) { /* the administrator takes the old one away */
        v->pending = false;
        return 0;
    }
    if (!v->pending) {
        (void)snprintf(old, sizeof old, "%s.exchanged", path);
        return fs_shred(old, e);
    }
    if (fs_supersede(path, e) != 0)
        return -1;
    v->pending =
        false; /* has_other stays: a worker may be about to bring what it sealed with the old one */
    return 0;
}

/* ---- what is sealed ------------------------------------------------------------------------------------- */

static int renew(struct lib *l, const uint8_t *now, const uint8_t *other, struct view aad,
    struct buf *sealed, struct err *e)
{
    struct buf plain = BUF_SECRET(sealed->len + 1), fresh = BUF_INIT(sealed->max);
    int rc = -1;

    if (seal_get(l, now, aad, buf_view(sealed), &plain, e) == 0) {
        rc = 0;
    } else if (e->cls == ERR_CRYPTO && other != NULL
               && seal_get(l, other, aad, buf_view(sealed), &plain, e) == 0
               && seal_put(l, now, aad, buf_view(&plain), &fresh, e) == 0) {
        buf_reset(sealed);
        buf_add_view(sealed, buf_view(&fresh));
        rc = buf_check(sealed, e) == 0 ? 1 : -1;
    }
    buf_free(&plain);
    buf_free(&fresh);
    return rc;
}

int vault_renew(
    const struct vault *v, struct lib *l, const char *id, struct buf *data_key, struct err *e)
{
    struct buf aad = BUF_INIT(256);
    int rc = -1;

    if (vault_aad(&aad, id, "data_key", e) == 0)
        rc = renew(l, v->request_key, v->has_other ? v->other.request_key : NULL, buf_view(&aad),
            data_key, e);
    buf_free(&aad);
    return rc;
}

int vault_renew_secret(
    const struct vault *v, struct lib *l, const char *name, struct buf *sealed, struct err *e)
{
    struct buf aad = BUF_INIT(256);
    int rc = -1;

    if (vault_aad(&aad, "secret", name, e) == 0)
        rc = renew(
            l, v->secret_key, v->has_other ? v->other.secret_key : NULL, buf_view(&aad), sealed, e);
    buf_free(&aad);
    return rc;
}
