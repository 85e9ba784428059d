/* see vault.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/fs.h"
#include "agent/vault.h"
#include "certs/mem.h"

static int make_master(const char *path, struct lib *l, struct err *e)
{
    uint8_t key[SEAL_KEY_LEN];
    int rc = lib_random(l, key, sizeof key, e);

    if (rc == 0)
        rc = fs_create_secret(path, view_of(key, sizeof key), e);
    mem_wipe(key, sizeof key);
    return rc;
}

/* Where the key is, and whether it may be made there. */
static void place_of(
    const char *store_dir, const char *key_file, char *path, size_t size, bool *ours)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY"); /* systemd.exec(5) */
    struct err e;

    *ours = false;
    if (key_file != NULL) {
        (void)snprintf(path, size, "%s", key_file);
        return;
    }
    if (credentials != NULL) {
        fs_join(path, size, credentials, "certferry.master");
        if (fs_readable(path, false, &e) == 0)
            return;
    }
    fs_join(path, size, store_dir, "master.key");
    *ours = true;
}

static int open_key(struct vault *v, struct lib *l, const char *store_dir, const char *key_file,
    bool may_create, struct err *e)
{
    struct buf master = BUF_SECRET(4096);
    char path[4096];
    bool ours;
    int rc = -1;

    place_of(store_dir, key_file, path, sizeof path, &ours);
    if (ours && may_create && fs_readable(path, false, e) != 0 && make_master(path, l, e) != 0)
        goto done;
    if (fs_readable(path, true, e) != 0) {
        err_wrap(e, "master key");
        goto done;
    }
    if (fs_read(path, &master, e) != 0) {
        if (e->cls == ERR_TOO_LARGE) /* no key is that long */
            e->cls = ERR_CONFIG;
        goto done;
    }
    if (master.len != SEAL_KEY_LEN) {
        err_set(e, ERR_CONFIG,
            "%s: a master key has %d bytes, this has %zu; restore it from a backup", path,
            SEAL_KEY_LEN, master.len);
        goto done;
    }
    if (seal_derive(l, master.p, "request", v->request_key, e) == 0
        && seal_derive(l, master.p, "secret", v->secret_key, e) == 0)
        rc = 0;
done:
    buf_free(&master);
    return rc;
}

int vault_open(struct vault *v, struct lib *l, const char *store_dir, const char *key_file,
    bool may_create, struct err *e)
{
    struct fs_self self;
    int rc;

    if (fs_as_owner(store_dir, &self, e) != 0)
        return err_wrap(e, "master key");
    rc = open_key(v, l, store_dir, key_file, may_create, e);
    fs_as_self(&self);
    return rc;
}

void vault_close(struct vault *v)
{
    mem_wipe(v, sizeof *v);
}

/* The place a sealed value belongs to; it opens nowhere else. */
static int place(struct buf *b, const char *id, const char *what, struct err *e)
{
    buf_reset(b);
    buf_printf(b, "certferry/1/%s/%s", id, what);
    return buf_check(b, e);
}

int vault_seal_new(const struct vault *v, struct lib *l, const char *id, const char *what,
    struct view plain, struct buf *data_key, struct buf *sealed, struct err *e)
{
    struct buf aad = BUF_INIT(256);
    uint8_t key[SEAL_KEY_LEN];
    int rc = -1;

    if (lib_random(l, key, sizeof key, e) == 0 && place(&aad, id, "data_key", e) == 0
        && seal_put(l, v->request_key, buf_view(&aad), view_of(key, sizeof key), data_key, e) == 0
        && place(&aad, id, what, e) == 0 && seal_put(l, key, buf_view(&aad), plain, sealed, e) == 0)
        rc = 0;
    mem_wipe(key, sizeof key);
    buf_free(&aad);
    return rc;
}

int vault_unseal(const struct vault *v, struct lib *l, const char *id, const char *what,
    struct view data_key, struct view sealed, struct buf *out, struct err *e)
{
    struct buf aad = BUF_INIT(256), key = BUF_SECRET(SEAL_KEY_LEN);
    int rc = -1;

    if (place(&aad, id, "data_key", e) == 0
        && seal_get(l, v->request_key, buf_view(&aad), data_key, &key, e) == 0
        && place(&aad, id, what, e) == 0 && seal_get(l, key.p, buf_view(&aad), sealed, out, e) == 0)
        rc = 0;
    else
        err_wrap(e, "%s of request %s does not open", what, id);
    buf_free(&key);
    buf_free(&aad);
    return rc;
}

int vault_seal_secret(const struct vault *v, struct lib *l, const char *name, struct view plain,
    struct buf *out, struct err *e)
{
    struct buf aad = BUF_INIT(256);
    int rc = -1;

    if (place(&aad, "secret", name, e) == 0
        && seal_put(l, v->secret_key, buf_view(&aad), plain, out, e) == 0)
        rc = 0;
    buf_free(&aad);
    return rc;
}

int vault_unseal_secret(const struct vault *v, struct lib *l, const char *name, struct view sealed,
    struct buf *out, struct err *e)
{
    struct buf aad = BUF_INIT(256);
    int rc = -1;

    if (place(&aad, "secret", name, e) == 0
        && seal_get(l, v->secret_key, buf_view(&aad), sealed, out, e) == 0)
        rc = 0;
    buf_free(&aad);
    return rc;
}
