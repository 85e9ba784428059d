/*
 * see secret.h.  A file is replaced as a whole (fs_replace), so a reader sees the old value or the new one; the name is
 * part of what seals it, so a file copied to another name does not open.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/crash.h"
#include "agent/base/fs.h"
#include "agent/secrets/secret.h"
#include "certs/mem.h"

enum { PATH_LEN = 4096, FILE_MAX = SECRET_BYTES_MAX + SEAL_OVERHEAD };

struct secrets {
    char *store, *dir; /* <store>, <store>/secrets */
    const struct vault *vault;
    struct lib *lib;
};

bool secret_name_ok(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static const char others[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strnlen(name, SECRET_NAME_MAX + 1);

    return len >= 1 && len <= SECRET_NAME_MAX && strspn(name, first) >= 1
           && strspn(name, others) == len;
}

bool secret_name_is_ours(const char *name)
{
    return strncmp(name, "certferry.", 10) == 0;
}

struct secrets *secrets_open(const char *dir, const struct vault *v, struct lib *l, struct err *e)
{
    struct secrets *s;
    char path[PATH_LEN];

    if (strlen(dir) + SECRET_NAME_MAX + 32 > sizeof path) {
        (void)err_set(e, ERR_CONFIG, "the path of the store is too long");
        return NULL;
    }
    fs_join(path, sizeof path, dir, "secrets");
    s = xcalloc(1, sizeof *s);
    *s = (struct secrets){ xstrdup(dir), xstrdup(path), v, l };
    return s;
}

void secrets_close(struct secrets *s)
{
    if (s == NULL)
        return;
    free(s->store);
    free(s->dir);
    free(s);
}

static int path_of(const struct secrets *s, const char *name, char *out, struct err *e)
{
    if (!secret_name_ok(name))
        return err_set(e, ERR_INPUT,
            "the name of a secret has 1 to %d characters of a-z 0-9 . _ -, the first a letter or "
            "digit",
            SECRET_NAME_MAX);
    fs_join(out, PATH_LEN, s->dir, name);
    return 0;
}

static int put(
    struct secrets *s, const char *name, const char *path, struct view value, struct err *e)
{
    struct buf sealed = BUF_INIT(FILE_MAX);
    int rc = -1;

    if (fs_private_dir(s->dir, e) == 0
        && vault_seal_secret(s->vault, s->lib, name, value, &sealed, e) == 0)
        rc = fs_replace(path, buf_view(&sealed), 0600, e);
    buf_free(&sealed);
    return rc;
}

int secrets_put(struct secrets *s, const char *name, struct view value, struct err *e)
{
    char path[PATH_LEN];
    struct fs_self self;
    int rc;

    if (path_of(s, name, path, e) != 0)
        return -1;
    if (s->vault == NULL)
        return err_set(e, ERR_CONFIG, "no master key to seal a secret with");
    if (value.len == 0 || value.len > SECRET_BYTES_MAX)
        return err_set(
            e, ERR_INPUT, "a secret has 1 to %d bytes, this has %zu", SECRET_BYTES_MAX, value.len);
    if (fs_as_owner(s->store, &self, e) != 0)
        return -1;
    rc = put(s, name, path, value, e);
    fs_as_self(&self);
    return rc;
}

static int get(
    struct secrets *s, const char *name, const char *path, struct buf *out, struct err *e)
{
    struct buf sealed = BUF_INIT(FILE_MAX);
    int rc = -1;

    if (fs_readable(path, false, e) != 0 && fs_changed_at(path) == 0) {
        (void)err_set(e, ERR_GONE, "no such secret; set it: certferry secret set %s", name);
        goto done;
    }
    if (fs_read_secret(path, &sealed, e) != 0)
        goto done;
    if (s->vault == NULL) {
        buf_add_byte(out, '-');
    } else if (vault_unseal_secret(s->vault, s->lib, name, buf_view(&sealed), out, e) != 0) {
        err_wrap(e, "secret \"%s\"", name);
        goto done;
    }
    rc = 0;
done:
    buf_free(&sealed);
    return rc;
}

int secrets_get(struct secrets *s, const char *name, struct buf *out, struct err *e)
{
    char path[PATH_LEN];
    struct fs_self self;
    int rc;

    if (path_of(s, name, path, e) != 0 || fs_as_owner(s->store, &self, e) != 0)
        return -1;
    rc = get(s, name, path, out, e);
    fs_as_self(&self);
    return rc;
}

int secrets_prove(struct secrets *s, struct err *e)
{
    static const char name[] = "certferry.proof", value[] = "certferry 1";
    struct buf out = BUF_SECRET(SECRET_BYTES_MAX);
    struct fs_self self;
    int rc;

    if (fs_as_owner(s->store, &self, e) != 0)
        return -1;
    rc = fs_private_dir(s->dir, e);
    fs_as_self(&self);
    if (rc != 0)
        return -1;
    rc = secrets_get(s, name, &out, e);
    if (rc != 0 && e->cls == ERR_GONE)
        rc = secrets_put(s, name, view_text(value), e);
    else if (rc != 0 && e->cls == ERR_CRYPTO)
        rc = err_set(e, ERR_CONFIG,
            "%s: what it holds is sealed with another master key; bring that one back", s->store);
    buf_free(&out);
    return rc;
}

int secrets_drop(struct secrets *s, const char *name, struct err *e)
{
    char path[PATH_LEN];
    struct fs_self self;
    int rc;

    if (path_of(s, name, path, e) != 0 || fs_as_owner(s->store, &self, e) != 0)
        return -1;
    if ((rc = fs_remove(path, e)) != 0 && e->cls == ERR_GONE)
        (void)err_set(e, ERR_GONE, "there is no secret \"%s\"", name);
    fs_as_self(&self);
    return rc;
}

struct listing {
    const struct secrets *s;
    secrets_fn *fn;
    void *arg;
};

/* What an interrupted fs_replace left begins with a dot, which no name does. */
static void list_one(void *arg, const char *name)
{
    const struct listing *l = arg;
    char path[PATH_LEN];
    int64_t at;

    if (!secret_name_ok(name) || secret_name_is_ours(name))
        return;
    fs_join(path, sizeof path, l->s->dir, name);
    if ((at = fs_changed_at(path)) != 0)
        l->fn(l->arg, name, at);
}

int secrets_list(struct secrets *s, secrets_fn *fn, void *arg, struct err *e)
{
    struct listing l = { s, fn, arg };
    struct fs_self self;
    int rc;

    if (fs_as_owner(s->store, &self, e) != 0)
        return -1;
    rc = fs_list(s->dir, list_one, &l, e);
    fs_as_self(&self);
    return rc;
}

struct renewal {
    struct secrets *s;
    size_t *changed, *unreadable;
    int rc;
    struct err *e;
};

static void renew_one(void *arg, const char *name)
{
    struct renewal *r = arg;
    struct buf sealed = BUF_INIT(FILE_MAX);
    char path[PATH_LEN];
    int got = 0;

    fs_join(path, sizeof path, r->s->dir, name);
    if (r->rc != 0 || !secret_name_ok(name) || fs_changed_at(path) == 0)
        return;
    if (fs_read(path, &sealed, r->e) != 0)
        r->rc = -1;
    else if ((got = vault_renew_secret(r->s->vault, r->s->lib, name, &sealed, r->e)) == 1)
        r->rc = fs_replace(path, buf_view(&sealed), 0600, r->e);
    else if (got < 0 && r->e->cls != ERR_CRYPTO)
        r->rc = -1;
    *r->changed += got == 1;
    *r->unreadable += got < 0 && r->rc == 0;
    buf_free(&sealed);
    crash_point(23);
}

int secrets_renew(struct secrets *s, size_t *changed, size_t *unreadable, struct err *e)
{
    struct renewal r = { s, changed, unreadable, 0, e };
    struct fs_self self;

    if (fs_as_owner(s->store, &self, e) != 0)
        return -1;
    if (fs_list(s->dir, renew_one, &r, e) != 0)
        r.rc = -1;
    fs_as_self(&self);
    return r.rc;
}

/* ---- what an option names ------------------------------------------------------------------------------- */

static int first_line(struct buf *b, size_t start, const char *ref, struct err *e)
{
    for (size_t i = start; i < b->len; i++)
        if (b->p[i] == '\n' || b->p[i] == '\r') {
            buf_truncate(b, i);
            break;
        }
    if (b->len == start)
        return err_set(e, ERR_CONFIG, "%s: its first line is empty", ref);
    return 0;
}

int secret_read(struct secrets *s, const char *ref, struct buf *out, struct err *e)
{
    size_t start = out->len;
    int rc;

    if (ref == NULL)
        return err_set(e, ERR_CONFIG, "no file named");
    if (strncmp(ref, "secret:", 7) != 0)
        rc = fs_read_secret(ref, out, e);
    else if (s == NULL)
        rc = err_set(e, ERR_CONFIG, "%s: there are no secrets here, name a file", ref);
    else if ((rc = secrets_get(s, ref + 7, out, e)) != 0)
        err_wrap(e, "%s", ref);
    if (rc == 0 && (rc = first_line(out, start, ref, e)) != 0)
        buf_truncate(out, start);
    if (rc != 0 && e->cls != ERR_NOMEM)
        e->cls = ERR_CONFIG;
    return rc;
}
