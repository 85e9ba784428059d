/*
 * see certferry_plugin.h: what the host offers a plugin.  Here: its settings and secrets, its log, its small
 * durable space.  plugin_help.c has what only computes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/challenge/plugin_inner.h"
#include "certs/mem.h"
#include "certs/text.h"

enum { KEY_MOST = 200, VALUE_MOST = 4096, SECRET_MAX = 4096, CERTIFICATE_MAX = 64 << 10 };

/* ---- settings and secrets --------------------------------------------------------------------------------- */

/* The length of the name before '='; 0: not "name=value". */
static size_t name_len(const char *entry)
{
    size_t len = strcspn(entry, "=");

    return entry[len] == '=' ? len : 0;
}

static bool is_named(const char *entry, const char *name, size_t len)
{
    return name_len(entry) == len && strncmp(entry, name, len) == 0;
}

static int check_list(const struct conf_list *l, const char *what, struct err *e)
{
    for (size_t i = 0; i < l->count; i++) {
        size_t len = name_len(l->at[i]);

        if (len == 0)
            return err_set(e, ERR_CONFIG, "%s: entry %zu is not \"name=...\"", what, i + 1);
        for (size_t k = 0; k < i; k++)
            if (is_named(l->at[k], l->at[i], len))
                return err_set(e, ERR_CONFIG, "%s: \"%.*s\" twice", what, (int)len, l->at[i]);
    }
    return 0;
}

static const char *host_setting(void *ctx, const char *name)
{
    const struct plugin *p = ctx;
    const struct conf_list *l = &p->conf->settings;
    size_t len = name != NULL ? strlen(name) : 0;

    for (size_t i = 0; len > 0 && i < l->count; i++)
        if (is_named(l->at[i], name, len))
            return l->at[i] + len + 1;
    return NULL;
}

static const char *host_secret(void *ctx, const char *name)
{
    struct plugin *p = ctx;

    for (size_t i = 0; name != NULL && i < p->secret_count; i++)
        if (strcmp(p->secrets[i].name, name) == 0)
            return buf_text(&p->secrets[i].value);
    return NULL;
}

static const char *host_setting_name(void *ctx, size_t i)
{
    const struct plugin *p = ctx;

    return i < p->conf->settings.count ? p->setting_names[i] : NULL;
}

static const char *host_secret_name(void *ctx, size_t i)
{
    const struct plugin *p = ctx;

    return i < p->secret_count ? p->secrets[i].name : NULL;
}

static void read_settings(struct plugin *p)
{
    const struct conf_list *l = &p->conf->settings;

    p->setting_names = xcalloc(l->count + 1, sizeof *p->setting_names);
    for (size_t i = 0; i < l->count; i++) {
        p->setting_names[i] = xstrdup(l->at[i]);
        p->setting_names[i][name_len(l->at[i])] = '\0';
    }
}

/* Files of the configuration are meant relative to its folder; a secret of the store is none. */
static void resolve(const struct plugin *p, const char *file, char *out, size_t size)
{
    const char *base = p->a->conf != NULL ? p->a->conf->path : NULL;
    const char *slash = base != NULL ? strrchr(base, '/') : NULL;

    if (file[0] == '/' || slash == NULL || strncmp(file, "secret:", 7) == 0)
        (void)snprintf(out, size, "%s", file);
    else
        (void)snprintf(out, size, "%.*s/%s", (int)(slash - base), base, file);
}

static int read_secrets(struct plugin *p, struct err *e)
{
    const struct conf_list *l = &p->conf->secrets;
    char file[4096];

    p->secrets = xcalloc(l->count + 1, sizeof *p->secrets);
    for (size_t i = 0; i < l->count; i++) {
        struct plugin_secret *s = &p->secrets[p->secret_count++];

        s->value = (struct buf)BUF_SECRET(SECRET_MAX);
        s->name = xstrdup(l->at[i]);
        s->name[name_len(s->name)] = '\0';
        resolve(p, strchr(l->at[i], '=') + 1, file, sizeof file);
        if (secret_read(p->a->secrets, file, &s->value, e) != 0)
            return err_wrap(e, "secret \"%s\"", s->name);
        if (memchr(s->value.p, '\0', s->value.len) != NULL)
            return err_set(e, ERR_CONFIG, "secret \"%s\": %s has a NUL in it", s->name, file);
        (void)buf_text(&s->value);
        if (buf_check(&s->value, e) != 0)
            return -1;
    }
    return 0;
}

/* ---- log, clock, random ----------------------------------------------------------------------------------- */

static void host_log(void *ctx, enum certferry_level level, const char *message)
{
    static const enum log_event events[] = { [CERTFERRY_ERROR] = EV_PLUGIN_ERROR,
        [CERTFERRY_WARNING] = EV_PLUGIN_WARNING,
        [CERTFERRY_INFO] = EV_PLUGIN_INFO,
        [CERTFERRY_DEBUG] = EV_PLUGIN_DEBUG };
    const struct plugin *p = ctx;
    bool known = (int)level >= CERTFERRY_ERROR && (int)level <= CERTFERRY_DEBUG;

    if (message != NULL)
        log_event(known ? events[level] : EV_PLUGIN_INFO, NULL, p->conf->name, "%s", message);
}

static int64_t host_now(void *ctx)
{
    (void)ctx;
    return clock_now();
}

static int host_random(void *ctx, void *out, size_t n)
{
    struct plugin *p = ctx;
    struct err e;

    return out != NULL && lib_random(p->a->lib, out, n, &e) == 0 ? 0 : -1;
}

/* ---- the durable space: of the section, so that two sections of one plugin do not share it --------------- */

static bool is_text(const char *text, size_t most)
{
    size_t len = text != NULL ? strnlen(text, most + 1) : most + 1;

    return len <= most && utf8_valid(view_of(text, len));
}

static bool may_store(const struct plugin *p, const char *key)
{
    return p->a->store != NULL && is_text(key, KEY_MOST) && key[0] != '\0';
}

static int told(const struct plugin *p, int rc, const struct err *e)
{
    if (rc < 0)
        log_err(EV_PLUGIN_ERROR, NULL, p->conf->name, e);
    return rc;
}

static int host_get(void *ctx, const char *key, char *out, size_t size)
{
    struct plugin *p = ctx;
    struct err e;

    if (!may_store(p, key) || out == NULL || size == 0)
        return -1;
    out[0] = '\0';
    return told(p, store_note_get(p->a->store, p->conf->name, key, clock_now(), out, size, &e), &e);
}

static int host_put(void *ctx, const char *key, const char *value, int64_t expires_at)
{
    struct plugin *p = ctx;
    struct err e;

    if (!may_store(p, key) || !is_text(value, VALUE_MOST) || expires_at < 0)
        return -1;
    return told(p, store_note_put(p->a->store, p->conf->name, key, value, expires_at, &e), &e);
}

static int host_add(void *ctx, const char *key, const char *value, int64_t expires_at)
{
    struct plugin *p = ctx;
    struct err e;

    if (!may_store(p, key) || !is_text(value, VALUE_MOST) || expires_at < 0)
        return -1;
    return told(
        p, store_note_add(p->a->store, p->conf->name, key, value, expires_at, clock_now(), &e), &e);
}

static int host_drop(void *ctx, const char *key)
{
    struct plugin *p = ctx;
    struct err e;

    if (!may_store(p, key))
        return -1;
    return told(p, store_note_drop(p->a->store, p->conf->name, key, &e), &e);
}

static int host_count(void *ctx, const char *prefix)
{
    struct plugin *p = ctx;
    int64_t n = 0;
    struct err e;

    if (p->a->store == NULL || !is_text(prefix, KEY_MOST)
        || told(p, store_note_count(p->a->store, p->conf->name, prefix, clock_now(), &n, &e), &e)
               < 0)
        return -1;
    return n < INT32_MAX ? (int)n : INT32_MAX;
}

/* ---- opening ---------------------------------------------------------------------------------------------- */

static int read_certificates(struct plugin *p, struct err *e)
{
    const struct conf_plugin *c = p->conf;

    p->signer = (struct buf)BUF_INIT(CERTIFICATE_MAX);
    if ((c->decryption_certificate == NULL) != (c->signer_certificate == NULL)
        || (c->decryption_key != NULL && c->decryption_certificate == NULL))
        return err_set(
            e, ERR_CONFIG, "decryption_certificate, its key and signer_certificate go together");
    if (c->decryption_certificate == NULL)
        return 0;
    if (identity_open(&p->decryption, p->a->lib, c->decryption_certificate, c->decryption_key, e)
        != 0)
        return -1;
    if (!key_type_is_rsa(key_type(p->decryption.key)))
        return err_set(e, ERR_CONFIG, "%s: not an RSA key", c->decryption_certificate);
    return identity_certificate(p->a->lib, c->signer_certificate, &p->signer, e);
}

int plugin_host_open(struct plugin *p, struct err *e)
{
    p->host = (struct certferry_host){ .abi = CERTFERRY_PLUGIN_ABI,
        .size = sizeof p->host,
        .ctx = p,
        .log = host_log,
        .now = host_now,
        .random = host_random,
        .setting = host_setting,
        .secret = host_secret,
        .get = host_get,
        .put = host_put,
        .add = host_add,
        .drop = host_drop,
        .count = host_count,
        .setting_name = host_setting_name,
        .secret_name = host_secret_name };
    plugin_helpers(&p->host);
    if (check_list(&p->conf->settings, "settings", e) != 0
        || check_list(&p->conf->secrets, "secrets", e) != 0)
        return -1;
    read_settings(p);
    if (read_secrets(p, e) != 0)
        return -1;
    return read_certificates(p, e);
}

void plugin_host_close(struct plugin *p)
{
    for (size_t i = 0; p->setting_names != NULL && i < p->conf->settings.count; i++)
        free(p->setting_names[i]);
    free(p->setting_names);
    for (size_t i = 0; i < p->secret_count; i++) {
        buf_free(&p->secrets[i].value);
        free(p->secrets[i].name);
    }
    free(p->secrets);
    identity_close(&p->decryption);
    buf_free(&p->signer);
}
