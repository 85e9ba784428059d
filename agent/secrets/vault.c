/* see vault.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/secrets/vault_inner.h"
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

/* ---- where it is ---------------------------------------------------------------------------------------- */

enum vault_place vault_place(const char *store_dir, const char *key_file, char *path, size_t size)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY"); /* systemd.exec(5) */
    struct err e;

    if (key_file != NULL) {
        (void)snprintf(path, size, "%s", key_file);
        return VAULT_NAMED;
    }
    if (credentials != NULL) {
        fs_join(path, size, credentials, "certferry.master");
        if (fs_readable(path, false, &e) == 0)
            return VAULT_CREDENTIAL;
    }
    fs_join(path, size, store_dir, "master.key");
    return VAULT_BESIDE;
}

const char *vault_place_name(enum vault_place p)
{
    static const char *const names[] = { "credential", "file", "beside the store" };

    return names[p];
}

/* The other file of an exchange: FILE.exchange, or the credential before. */
static void other_of(enum vault_place place, const char *path, char *other, size_t size)
{
    (void)snprintf(other, size, "%s%s", path, place == VAULT_CREDENTIAL ? ".old" : ".exchange");
}

/* ---- opening -------------------------------------------------------------------------------------------- */

static int read_key(const char *path, struct lib *l, struct vault_keys *k, struct err *e)
{
    struct buf master = BUF_SECRET(4096);
    int rc = -1;

    if (fs_read_secret(path, &master, e) != 0) {
        if (e->cls == ERR_TOO_LARGE) /* no key is that long */
            e->cls = ERR_CONFIG;
        err_wrap(e, "master key");
        goto done;
    }
    if (master.len != SEAL_KEY_LEN) {
        err_set(e, ERR_CONFIG,
            "%s: a master key has %d bytes, this has %zu; restore it from a backup", path,
            SEAL_KEY_LEN, master.len);
        goto done;
    }
    if (seal_derive(l, master.p, "request", k->request_key, e) == 0
        && seal_derive(l, master.p, "secret", k->secret_key, e) == 0)
        rc = 0;
done:
    buf_free(&master);
    return rc;
}

static void use(struct vault *v, const struct vault_keys *k)
{
    memcpy(v->request_key, k->request_key, sizeof v->request_key);
    memcpy(v->secret_key, k->secret_key, sizeof v->secret_key);
}

/* From now on k seals, and what sealed before opens. */
static void use_instead(struct vault *v, const struct vault_keys *k)
{
    memcpy(v->other.request_key, v->request_key, sizeof v->request_key);
    memcpy(v->other.secret_key, v->secret_key, sizeof v->secret_key);
    use(v, k);
    v->has_other = v->pending = true;
}

int vault_take_new(struct vault *v, struct lib *l, const char *path, struct err *e)
{
    struct vault_keys k;
    int rc = read_key(path, l, &k, e);

    if (rc == 0)
        use_instead(v, &k);
    mem_wipe(&k, sizeof k);
    return rc;
}

static int open_other(
    struct vault *v, struct lib *l, enum vault_place place, const char *path, struct err *e)
{
    char other[4096];

    other_of(place, path, other, sizeof other);
    if (fs_changed_at(other) == 0)
        return 0;
    if (place != VAULT_CREDENTIAL)
        return vault_take_new(v, l, other, e);
    if (read_key(other, l, &v->other, e) != 0)
        return -1;
    v->has_other = v->pending = true;
    return 0;
}

static int open_keys(struct vault *v, struct lib *l, const char *store_dir, const char *key_file,
    bool may_create, struct err *e)
{
    struct vault_keys k;
    char path[4096];
    enum vault_place place = vault_place(store_dir, key_file, path, sizeof path);
    int rc = -1;

    *v = (struct vault){ .has_other = false };
    if (place == VAULT_BESIDE && fs_readable(path, false, e) != 0 && fs_changed_at(path) == 0) {
        if (!may_create)
            return err_set(e, ERR_CONFIG,
                "master key: %s is not there; if the service has it as a credential, start that "
                "first",
                path);
        if (make_master(path, l, e) != 0)
            return -1;
    }
    if (read_key(path, l, &k, e) == 0) {
        use(v, &k);
        rc = open_other(v, l, place, path, e);
    }
    mem_wipe(&k, sizeof k);
    if (rc != 0)
        vault_close(v);
    return rc;
}

int vault_open(struct vault *v, struct lib *l, const char *store_dir, const char *key_file,
    bool may_create, struct err *e)
{
    struct fs_self self;
    int rc;

    if (fs_as_owner(store_dir, &self, e) != 0)
        return err_wrap(e, "master key");
    rc = open_keys(v, l, store_dir, key_file, may_create, e);
    fs_as_self(&self);
    return rc;
}

void vault_close(struct vault *v)
{
    mem_wipe(v, sizeof *v);
}

/* The place a sealed value belongs to; it opens nowhere else. */
int vault_aad(struct buf *b, const char *id, const char *what, struct err *e)
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

    if (lib_random(l, key, sizeof key, e) == 0 && vault_aad(&aad, id, "data_key", e) == 0
        && seal_put(l, v->request_key, buf_view(&aad), view_of(key, sizeof key), data_key, e) == 0
        && vault_aad(&aad, id, what, e) == 0
        && seal_put(l, key, buf_view(&aad), plain, sealed, e) == 0)
        rc = 0;
    mem_wipe(key, sizeof key);
    buf_free(&aad);
    return rc;
}

/* With the key in use, else with the other one of an exchange. */
static int open_either(const struct vault *v, struct lib *l, bool secret, struct view aad,
    struct view sealed, struct buf *out, struct err *e)
{
    const uint8_t *now = secret ? v->secret_key : v->request_key;
    const uint8_t *other = secret ? v->other.secret_key : v->other.request_key;

    if (seal_get(l, now, aad, sealed, out, e) == 0)
        return 0;
    return v->has_other && e->cls == ERR_CRYPTO ? seal_get(l, other, aad, sealed, out, e) : -1;
}

int vault_unseal(const struct vault *v, struct lib *l, const char *id, const char *what,
    struct view data_key, struct view sealed, struct buf *out, struct err *e)
{
    struct buf aad = BUF_INIT(256), key = BUF_SECRET(SEAL_KEY_LEN);
    int rc = -1;

    if (vault_aad(&aad, id, "data_key", e) == 0
        && open_either(v, l, false, buf_view(&aad), data_key, &key, e) == 0
        && vault_aad(&aad, id, what, e) == 0
        && seal_get(l, key.p, buf_view(&aad), sealed, out, e) == 0)
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

    if (vault_aad(&aad, "secret", name, e) == 0
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

    if (vault_aad(&aad, "secret", name, e) == 0
        && open_either(v, l, true, buf_view(&aad), sealed, out, e) == 0)
        rc = 0;
    buf_free(&aad);
    return rc;
}
