/* One file through libconfuse, see conf_value.h: its option arrays are made from our table; its values are copied out
 * one by one, where they stand. */
#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/conf/conf_key.h"
#include "agent/conf/conf_value.h"
#include "certs/mem.h"

enum { SECTION_MAX = 16, OPTIONS_MAX = 64 };

/* What is being read: libconfuse's hooks have no argument of ours. */
static struct {
    struct conf *conf;
    const struct conf_source *s;
    struct err *err;
} load;

/* ---- from our table to libconfuse ------------------------------------------------------------------ */

static void on_error(cfg_t *cfg, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
    static const char unknown[] = "no such option '";
    const char *section = cfg_name(cfg);
    char text[160], hint[100] = "";
    bool top = strcmp(section, "root") == 0, is_unknown;

    if (load.err->cls != ERR_NONE)
        return; /* the first one is the cause */
    (void)vsnprintf(text, sizeof text, fmt, ap);
    if ((is_unknown = strncmp(text, unknown, sizeof unknown - 1) == 0)) {
        char key[64];

        (void)snprintf(key, sizeof key, "%.*s", (int)strcspn(text + sizeof unknown - 1, "'"),
            text + sizeof unknown - 1);
        conf_did_you_mean(section, key, hint, sizeof hint);
        (void)snprintf(text, sizeof text, "%s: no such option", key);
    }
    (void)err_set(load.err, ERR_CONFIG, "%s:%d: %s%s%s%s", load.s->path, cfg->line,
        top ? "" : section,
        top          ? ""
        : is_unknown ? "."
                     : ": ",
        text, hint);
}

static int on_value(cfg_t *sec, cfg_opt_t *opt);
static int on_section(cfg_t *root, cfg_opt_t *opt);

static cfg_opt_t option_of(const struct conf_option *o)
{
    char *key = (char *)(uintptr_t)o->key; /* libconfuse copies it, but takes it as char * */
    char *none = NULL;
    cfg_opt_t opt = CFG_STR(key, none, CFGF_NODEFAULT);

    if (o->type == CONF_INT)
        opt = (cfg_opt_t)CFG_INT(key, 0, CFGF_NODEFAULT);
    else if (o->type == CONF_BOOL)
        opt = (cfg_opt_t)CFG_BOOL(key, cfg_false, CFGF_NODEFAULT);
    else if (o->type == CONF_LIST)
        opt = (cfg_opt_t)CFG_STR_LIST(key, none, CFGF_NODEFAULT);
    opt.validcb = on_value;
    return opt;
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
        g->sections[s] = conf_has_titles(name)
                             ? (cfg_opt_t)CFG_SEC(name, g->options[s], CFGF_MULTI | CFGF_TITLE)
                             : (cfg_opt_t)CFG_SEC(name, g->options[s], CFGF_NONE);
        g->sections[s].validcb = on_section;
    }
    g->sections[s] = end;
}

/* ---- what stands in it --------------------------------------------------------------------------------- */

static const struct conf_option *option_named(const char *section, const char *key)
{
    for (size_t i = 0; i < conf_option_count; i++)
        if (strcmp(conf_options[i].section, section) == 0 && strcmp(conf_options[i].key, key) == 0)
            return &conf_options[i];
    return NULL; /* the grammar has no other */
}

/* The value as text, whatever libconfuse made of it. */
static char *raw_of(const struct conf_option *o, cfg_t *sec, unsigned i)
{
    char number[24];

    if (o->type == CONF_BOOL)
        return xstrdup(cfg_getbool(sec, o->key) == cfg_true ? "true" : "false");
    if (o->type != CONF_INT)
        return xstrdup(cfg_getnstr(sec, o->key, i));
    (void)snprintf(number, sizeof number, "%ld", cfg_getint(sec, o->key));
    return xstrdup(number);
}

/* A value is taken over where it stands: then its line is known, and the last one wins. */
static int on_value(cfg_t *sec, cfg_opt_t *opt)
{
    const struct place p = { load.s->path, sec->line, cfg_name(sec), cfg_title(sec) };
    const struct conf_option *o = option_named(cfg_name(sec), cfg_opt_name(opt));
    char *base = conf_section_make(load.conf, &p, load.err);
    unsigned n = cfg_opt_size(opt);
    struct conf_list raw = { 0 };
    int rc;

    if (base == NULL)
        return -1;
    if (n > CONF_LIST_MAX)
        return conf_bad(&p, o->key, load.err, "too many entries");
    raw.at = xcalloc(n + 1, sizeof *raw.at);
    for (; raw.count < n; raw.count++)
        raw.at[raw.count] = raw_of(o, sec, (unsigned)raw.count);
    if ((rc = conf_set(o, base, &raw, load.s->dir, &p, load.err)) == 0)
        conf_origin_note(load.conf, o, &p, load.s->layer, &raw);
    conf_list_free(&raw);
    return rc;
}

/* A section counts even if it sets nothing; and no value is no list. */
static int on_section(cfg_t *root, cfg_opt_t *opt)
{
    for (unsigned i = 0; i < cfg_opt_size(opt); i++) {
        cfg_t *sec = cfg_opt_getnsec(opt, i);
        const struct place p = { load.s->path, root->line, cfg_name(sec), cfg_title(sec) };

        if (conf_section_make(load.conf, &p, load.err) == NULL)
            return -1;
        for (const cfg_opt_t *o = sec->opts; o->name != NULL; o++)
            if ((o->flags & CFGF_LIST) != 0 && (o->flags & CFGF_MODIFIED) != 0 && o->nvalues == 0)
                return conf_bad(&p, o->name, load.err, "names none; list them as {\"A\", \"B\"}");
    }
    return 0;
}

static int text_of(const struct conf_source *s, struct buf *out, struct err *e)
{
    if (s->text == NULL)
        return conf_text(s->path, out, e);
    *out = (struct buf)BUF_INIT(CONF_FILE_MAX);
    buf_add_text(out, s->text);
    return buf_check(out, e) == 0 ? conf_text_ready(s->path, out, e) : -1;
}

static int note_file(struct conf *c, const char *path)
{
    char **more = xcalloc(c->files.count + 1, sizeof *more);

    for (size_t i = 0; i < c->files.count; i++)
        more[i] = c->files.at[i];
    free(c->files.at);
    c->files.at = more;
    c->files.at[c->files.count++] = xstrdup(path);
    return 0;
}

int conf_read(struct conf *c, const struct conf_source *s, struct err *e)
{
    struct grammar *g = xcalloc(1, sizeof *g);
    struct buf text;
    cfg_t *cfg = NULL;
    int rc = -1;

    if (text_of(s, &text, e) != 0)
        goto done;
    build(g);
    cfg = cfg_init(g->sections, CFGF_NONE);
    (void)cfg_set_error_function(cfg, on_error);
    load.conf = c;
    load.s = s;
    load.err = e;
    e->cls = ERR_NONE;
    if (cfg_parse_buf(cfg, buf_text(&text)) == CFG_SUCCESS)
        rc = note_file(c, s->path);
    else if (e->cls == ERR_NONE)
        (void)err_set(e, ERR_CONFIG, "%s: not a configuration file", s->path);
done:
    if (cfg != NULL)
        (void)cfg_free(cfg);
    buf_free(&text);
    free(g);
    return rc;
}
