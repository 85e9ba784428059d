/* see conf.h.  libconfuse's option arrays are made from our table, and its values copied out again. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include "agent/conf_value.h"
#include "certs/mem.h"
#include "proto/http.h"

enum { PATH_LEN = 4096, SECTION_MAX = 12, OPTIONS_MAX = 48 };

static struct err *load_err; /* libconfuse's error hook has no argument */

/* ---- from our table to libconfuse ------------------------------------------------------------------ */

static const char *nearest(const char *key)
{
    const char *best = NULL;
    size_t best_score = 0;

    for (size_t i = 0; i < conf_option_count; i++) {
        const char *k = conf_options[i].key;
        size_t same = 0, len = strlen(key), klen = strlen(k);

        while (same < len && same < klen && key[same] == k[same])
            same++;
        for (size_t a = 1; a <= len - same && a <= klen && key[len - a] == k[klen - a]; a++)
            same++;
        if (same > best_score && same * 2 >= len) {
            best_score = same;
            best = k;
        }
    }
    return best;
}

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
    static const char unknown[] = "no such option '";
    char text[160];
    const char *hint = NULL;

    if (load_err->cls != ERR_NONE)
        return; /* the first one is the cause */
    (void)vsnprintf(text, sizeof text, fmt, ap);
    if (strncmp(text, unknown, sizeof unknown - 1) == 0) {
        char key[64];

        (void)snprintf(key, sizeof key, "%.*s", (int)strcspn(text + sizeof unknown - 1, "'"),
            text + sizeof unknown - 1);
        hint = nearest(key);
        (void)snprintf(text, sizeof text, "%s: no such option", key);
    }
    (void)err_set(load_err, ERR_CONFIG, "%s:%d: %s%s%s%s",
        cfg != NULL && cfg->filename ? cfg->filename : "?", cfg != NULL ? cfg->line : 0, text,
        hint != NULL ? "; did you mean " : "", hint != NULL ? hint : "", hint != NULL ? "?" : "");
}

static cfg_opt_t option_of(const struct conf_option *o)
{
    char *key = (char *)(uintptr_t)o->key; /* libconfuse copies it, but takes it as char * */
    char *none = NULL;

    switch (o->type) {
    case CONF_INT:
        return (cfg_opt_t)CFG_INT(key, 0, CFGF_NODEFAULT);
    case CONF_BOOL:
        return (cfg_opt_t)CFG_BOOL(key, cfg_false, CFGF_NODEFAULT);
    case CONF_LIST:
        return (cfg_opt_t)CFG_STR_LIST(key, none, CFGF_NODEFAULT);
    case CONF_TEXT:
    case CONF_FILE:
    case CONF_CHOICE:
        break;
    }
    return (cfg_opt_t)CFG_STR(key, none, CFGF_NODEFAULT);
}

struct grammar {
    cfg_opt_t options[SECTION_MAX][OPTIONS_MAX];
    cfg_opt_t sections[SECTION_MAX];
};

static void build(struct grammar *g)
{
    const cfg_opt_t end = CFG_END();
    size_t s;

    for (s = 0; conf_section_help[s][0] != NULL; s++) {
        char *name = (char *)(uintptr_t)conf_section_help[s][0];
        size_t n = 0;

        for (size_t i = 0; i < conf_option_count; i++)
            if (strcmp(conf_options[i].section, name) == 0)
                g->options[s][n++] = option_of(&conf_options[i]);
        g->options[s][n] = end;
        g->sections[s] = strcmp(name, "ca") == 0
                             ? (cfg_opt_t)CFG_SEC(name, g->options[s], CFGF_MULTI | CFGF_TITLE)
                             : (cfg_opt_t)CFG_SEC(name, g->options[s], CFGF_NONE);
    }
    g->sections[s] = end;
}

/* ---- sections ---------------------------------------------------------------------------------------- */

static struct conf_ca *ca_named(
    struct conf *c, const char *name, const struct place *p, struct err *e)
{
    struct conf_ca *ca = (struct conf_ca *)(uintptr_t)conf_ca(c, name);

    if (ca != NULL)
        return ca;
    if (c->ca_count == CONF_CA_MAX || name[0] == '\0') {
        (void)conf_bad(p, "", e, name[0] == '\0' ? "a ca section needs a name" : "too many CAs");
        return NULL;
    }
    ca = &c->cas[c->ca_count++];
    ca->name = xstrdup(name);
    return conf_set_defaults("ca", (char *)ca, e) == 0 ? ca : NULL;
}

static int read_all(struct conf *c, cfg_t *cfg, const char *dir, struct err *e)
{
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++) {
        const char *name = conf_section_help[s][0];

        for (unsigned i = 0; i < cfg_size(cfg, name); i++) {
            cfg_t *sec = cfg_getnsec(cfg, name, i);
            struct place p = { sec->filename ? sec->filename : "?", sec->line, name,
                cfg_title(sec) };
            char *base = (char *)c;

            if (strcmp(name, "ca") == 0
                && (base = (char *)ca_named(c, cfg_title(sec), &p, e)) == NULL)
                return -1;
            if (conf_read_section(name, base, sec, dir, e) != 0)
                return -1;
        }
    }
    return 0;
}

static void dir_of(const char *path, char *dir, size_t size)
{
    const char *slash = strrchr(path, '/');

    (void)snprintf(
        dir, size, "%.*s", slash == NULL ? 1 : (int)(slash - path), slash == NULL ? "." : path);
}

static int read_file(struct conf *c, const char *path, const char *dir, struct err *e)
{
    struct grammar *g = xcalloc(1, sizeof *g);
    cfg_t *cfg;
    int rc = -1;

    build(g);
    cfg = cfg_init(g->sections, CFGF_NONE);
    (void)cfg_set_error_function(cfg, on_error);
    load_err = e;
    e->cls = ERR_NONE;
    switch (cfg_parse(cfg, path)) {
    case CFG_SUCCESS:
        rc = read_all(c, cfg, dir, e);
        break;
    case CFG_FILE_ERROR:
        (void)err_set(e, ERR_CONFIG, "%s: cannot be read", path);
        break;
    default:
        if (e->cls == ERR_NONE)
            (void)err_set(e, ERR_CONFIG, "%s: not a configuration file", path);
        break;
    }
    cfg_free(cfg);
    free(g);
    return rc;
}

/* ---- the whole --------------------------------------------------------------------------------------- */

static int only_conf(const struct dirent *d)
{
    size_t len = strlen(d->d_name);

    return d->d_name[0] != '.' && len > 5 && strcmp(d->d_name + len - 5, ".conf") == 0;
}

static int read_drop_ins(struct conf *c, const char *dir, struct err *e)
{
    char folder[PATH_LEN], path[PATH_LEN + 300];
    struct dirent **list = NULL;
    int n, rc = 0;

    (void)snprintf(folder, sizeof folder, "%s/conf.d", dir);
    n = scandir(folder, &list, only_conf, alphasort);
    for (int i = 0; i < n; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
        if (rc == 0)
            rc = read_file(c, path, dir, e);
        free(list[i]);
    }
    free(list);
    return rc;
}

/* What must be set, and what only makes sense together. */
static int check_whole(const struct conf *c, struct err *e)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];

        if (o->fallback != NULL)
            continue;
        if (strcmp(o->section, "ca") != 0) {
            if (*(char *const *)(const void *)((const char *)c + o->offset) == NULL)
                return err_set(
                    e, ERR_CONFIG, "%s: %s.%s: must be set", c->path, o->section, o->key);
            continue;
        }
        for (size_t n = 0; n < c->ca_count; n++)
            if (*(char *const *)(const void *)((const char *)&c->cas[n] + o->offset) == NULL)
                return err_set(e, ERR_CONFIG, "%s: ca \"%s\".%s: must be set", c->path,
                    c->cas[n].name, o->key);
    }
    if (c->ca_count == 0)
        return err_set(e, ERR_CONFIG, "%s: no ca section; at least one CA is needed", c->path);
    for (size_t n = 0; n < c->ca_count; n++) {
        const struct conf_ca *ca = &c->cas[n];
        bool needs = strcmp(ca->auth, "basic") == 0 || strcmp(ca->auth, "ntlm") == 0;

        if (needs && ca->credentials_file == NULL)
            return err_set(e, ERR_CONFIG,
                "%s: ca \"%s\".credentials_file: must be set with auth = \"%s\"", c->path, ca->name,
                ca->auth);
        if (strcmp(ca->type, "est") == 0 && strcmp(ca->auth, "negotiate") == 0)
            return err_set(e, ERR_CONFIG,
                "%s: ca \"%s\".auth: EST knows basic and client certificates only", c->path,
                ca->name);
    }
    return 0;
}

struct conf *conf_load(const char *path, struct err *e)
{
    struct conf *c = xcalloc(1, sizeof *c);
    char dir[PATH_LEN];

    c->path = xstrdup(path);
    c->cas = xcalloc(CONF_CA_MAX, sizeof *c->cas);
    dir_of(path, dir, sizeof dir);
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++)
        if (strcmp(conf_section_help[s][0], "ca") != 0
            && conf_set_defaults(conf_section_help[s][0], (char *)c, e) != 0)
            goto failed;
    if (read_file(c, path, dir, e) != 0 || read_drop_ins(c, dir, e) != 0 || check_whole(c, e) != 0)
        goto failed;
    return c;
failed:
    conf_free(c);
    return NULL;
}

static void free_texts(const char *section, char *base)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];

        if (strcmp(o->section, section) == 0 && o->type != CONF_INT && o->type != CONF_BOOL
            && o->type != CONF_LIST)
            free(*(char **)(void *)(base + o->offset));
    }
}

void conf_free(struct conf *c)
{
    if (c == NULL)
        return;
    for (size_t n = 0; n < c->ca_count; n++) {
        free_texts("ca", (char *)&c->cas[n]);
        for (size_t t = 0; t < c->cas[n].template_count; t++)
            free(c->cas[n].templates[t]);
        free(c->cas[n].templates);
        free(c->cas[n].name);
    }
    free(c->cas);
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++)
        if (strcmp(conf_section_help[s][0], "ca") != 0)
            free_texts(conf_section_help[s][0], (char *)c);
    free(c->path);
    free(c);
}

const struct conf_ca *conf_ca(const struct conf *c, const char *name)
{
    for (size_t i = 0; i < c->ca_count; i++)
        if (strcmp(c->cas[i].name, name) == 0)
            return &c->cas[i];
    return NULL;
}

bool conf_ca_offers(const struct conf_ca *ca, const char *template_name)
{
    for (size_t i = 0; i < ca->template_count; i++)
        if (strcmp(ca->templates[i], template_name) == 0)
            return true;
    return false;
}

enum keygen conf_keygen(const struct conf *c)
{
    if (strcmp(c->keys.generation, "fast") == 0)
        return KEYGEN_FAST;
    return strcmp(c->keys.generation, "openssl") == 0 ? KEYGEN_OPENSSL : KEYGEN_PRIMES;
}

enum io_auth conf_auth(const struct conf_ca *ca)
{
    if (strcmp(ca->auth, "basic") == 0)
        return IO_AUTH_BASIC;
    if (strcmp(ca->auth, "ntlm") == 0)
        return IO_AUTH_NTLM;
    return strcmp(ca->auth, "negotiate") == 0 ? IO_AUTH_NEGOTIATE : IO_AUTH_NONE;
}
