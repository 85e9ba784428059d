/* see conf.h.  libconfuse's option arrays are made from our table; its values are copied out one by one,
 * when it has read them. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/conf_value.h"
#include "certs/mem.h"
#include "certs/text.h"

enum { PATH_LEN = 4096, SECTION_MAX = 16, OPTIONS_MAX = 64 };

/* Sections with a title may stand several times; their structs begin with the title. */
static const struct titled {
    const char *section;
    size_t size, array, count, most;
} titled[] = {
#define TITLED(name, type, array, count, most)                                                 \
    {                                                                                          \
        name, sizeof(struct type), offsetof(struct conf, array), offsetof(struct conf, count), \
            most                                                                               \
    }
    TITLED("ca", conf_ca, cas, ca_count, CONF_CA_MAX),
    TITLED("listen", conf_listen, listens, listen_count, CONF_SECTIONS_MAX),
    TITLED("scep", conf_scep, sceps, scep_count, CONF_SECTIONS_MAX),
    TITLED("plugin", conf_plugin, plugins, plugin_count, CONF_SECTIONS_MAX),
#undef TITLED
};
enum { TITLED_COUNT = sizeof titled / sizeof titled[0] };

static const struct titled *titled_named(const char *section)
{
    for (size_t i = 0; i < TITLED_COUNT; i++)
        if (strcmp(titled[i].section, section) == 0)
            return &titled[i];
    return NULL;
}

static char **array_of(const struct conf *c, const struct titled *t)
{
    return (char **)(uintptr_t)((const char *)c + t->array);
}

static size_t *count_of(const struct conf *c, const struct titled *t)
{
    return (size_t *)(uintptr_t)((const char *)c + t->count);
}

/* The struct of the i-th section of a kind; it begins with its title. */
static char *section_at(const struct conf *c, const struct titled *t, size_t i)
{
    return *array_of(c, t) + i * t->size;
}

static char *title_of(const char *base)
{
    return *(char *const *)(const void *)base;
}

/* What is being read: libconfuse's hooks have no argument of ours. */
static struct {
    struct conf *conf;
    const char *path, *dir;
    struct err *err;
} load;

/* ---- from our table to libconfuse ------------------------------------------------------------------ */

/* How much of key is at the beginning or the end of word; 0 if that is less than half. */
static size_t likeness(const char *key, const char *word)
{
    size_t same = 0, len = strlen(key), word_len = strlen(word);

    while (same < len && same < word_len && key[same] == word[same])
        same++;
    for (size_t a = 1; a <= len - same && a <= word_len && key[len - a] == word[word_len - a]; a++)
        same++;
    return same * 2 >= len ? same : 0;
}

/* The option, or section, that was probably meant; one of another section by its full name. */
static void did_you_mean(const char *section, const char *key, char *out, size_t size)
{
    size_t best = 0, score;

    out[0] = '\0';
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];
        bool here = strcmp(o->section, section) == 0;

        score = 2 * likeness(key, o->key) + (here ? 1 : 0);
        if (score > best && score > 1) {
            best = score;
            (void)snprintf(out, size, "; did you mean %s%s%s?", here ? "" : o->section,
                here ? "" : ".", o->key);
        }
    }
    for (size_t s = 0; conf_section_help[s][0] != NULL && strcmp(section, "root") == 0; s++)
        if ((score = 2 * likeness(key, conf_section_help[s][0])) >= best && score > 1) {
            best = score;
            (void)snprintf(out, size, "; did you mean %s?", conf_section_help[s][0]);
        }
}

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
        did_you_mean(section, key, hint, sizeof hint);
        (void)snprintf(text, sizeof text, "%s: no such option", key);
    }
    (void)err_set(load.err, ERR_CONFIG, "%s:%d: %s%s%s%s", load.path, cfg->line, top ? "" : section,
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
        g->sections[s] = titled_named(name) != NULL
                             ? (cfg_opt_t)CFG_SEC(name, g->options[s], CFGF_MULTI | CFGF_TITLE)
                             : (cfg_opt_t)CFG_SEC(name, g->options[s], CFGF_NONE);
        g->sections[s].validcb = on_section;
    }
    g->sections[s] = end;
}

/* ---- sections ---------------------------------------------------------------------------------------- */

static char *section_named(
    struct conf *c, const struct titled *t, const char *title, const struct place *p, struct err *e)
{
    char what[80];
    char *base;

    for (size_t i = 0; i < *count_of(c, t); i++)
        if (strcmp(title_of(section_at(c, t, i)), title) == 0)
            return section_at(c, t, i);
    if (title[0] == '\0' || strlen(title) > CONF_NAME_MAX || text_has_control(view_text(title))) {
        (void)snprintf(
            what, sizeof what, "a %s section needs a name of 1 to 63 characters", t->section);
        (void)conf_bad(p, "", e, what);
        return NULL;
    }
    if (*count_of(c, t) == t->most) {
        (void)snprintf(what, sizeof what, "more than %zu %s sections", t->most, t->section);
        (void)conf_bad(p, "", e, what);
        return NULL;
    }
    base = section_at(c, t, (*count_of(c, t))++);
    *(char **)(void *)base = xstrdup(title);
    return conf_set_defaults(t->section, base, e) == 0 ? base : NULL;
}

/* Where the values of a section go; NULL: load.err says why not. */
static char *base_of(cfg_t *sec, const struct place *p)
{
    const struct titled *t = titled_named(cfg_name(sec));

    if (t == NULL)
        return (char *)load.conf;
    return section_named(load.conf, t, cfg_title(sec), p, load.err);
}

/* A value is taken over where it stands: then its line is known, and the last one wins. */
static int on_value(cfg_t *sec, cfg_opt_t *opt)
{
    const struct place p = { load.path, sec->line, cfg_name(sec), cfg_title(sec) };
    char *base = base_of(sec, &p);

    return base == NULL ? -1 : conf_set(cfg_opt_name(opt), base, sec, load.dir, &p, load.err);
}

/* A section counts even if it sets nothing; and no value is no list. */
static int on_section(cfg_t *root, cfg_opt_t *opt)
{
    for (unsigned i = 0; i < cfg_opt_size(opt); i++) {
        cfg_t *sec = cfg_opt_getnsec(opt, i);
        const struct place p = { load.path, root->line, cfg_name(sec), cfg_title(sec) };

        if (base_of(sec, &p) == NULL)
            return -1;
        for (const cfg_opt_t *o = sec->opts; o->name != NULL; o++)
            if ((o->flags & CFGF_LIST) != 0 && (o->flags & CFGF_MODIFIED) != 0 && o->nvalues == 0)
                return conf_bad(&p, o->name, load.err, "names none; list them as {\"A\", \"B\"}");
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
    struct buf text;
    cfg_t *cfg = NULL;
    int rc = -1;

    if (conf_text(path, &text, e) != 0)
        goto done;
    build(g);
    cfg = cfg_init(g->sections, CFGF_NONE);
    (void)cfg_set_error_function(cfg, on_error);
    load.conf = c;
    load.path = path;
    load.dir = dir;
    load.err = e;
    e->cls = ERR_NONE;
    if (cfg_parse_buf(cfg, buf_text(&text)) == CFG_SUCCESS)
        rc = 0;
    else if (e->cls == ERR_NONE)
        (void)err_set(e, ERR_CONFIG, "%s: not a configuration file", path);
done:
    if (cfg != NULL)
        (void)cfg_free(cfg);
    buf_free(&text);
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
    if (n < 0 && errno != ENOENT)
        return err_set(e, ERR_CONFIG, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
        if (rc == 0)
            rc = read_file(c, path, dir, e);
        free(list[i]);
    }
    free(list);
    return rc;
}

/* What must be set; what only makes sense together is conf_check's. */
static int check_set(const struct conf *c, struct err *e)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];
        const struct titled *t = titled_named(o->section);
        size_t count = t != NULL ? *count_of(c, t) : 1;

        for (size_t n = 0; o->fallback == NULL && n < count; n++) {
            const char *base = t != NULL ? section_at(c, t, n) : (const char *)c;

            if (*(char *const *)(const void *)(base + o->offset) != NULL)
                continue;
            return t != NULL ? err_set(e, ERR_CONFIG, "%s: %s \"%s\".%s: must be set", c->path,
                       o->section, title_of(base), o->key)
                             : err_set(e, ERR_CONFIG, "%s: %s.%s: must be set", c->path, o->section,
                                 o->key);
        }
    }
    return 0;
}

struct conf *conf_load(const char *path, struct err *e)
{
    struct conf *c = xcalloc(1, sizeof *c);
    char dir[PATH_LEN];

    c->path = xstrdup(path);
    for (size_t t = 0; t < TITLED_COUNT; t++)
        *array_of(c, &titled[t]) = xcalloc(titled[t].most, titled[t].size);
    dir_of(path, dir, sizeof dir);
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++)
        if (titled_named(conf_section_help[s][0]) == NULL
            && conf_set_defaults(conf_section_help[s][0], (char *)c, e) != 0)
            goto failed;
    if (read_file(c, path, dir, e) != 0 || read_drop_ins(c, dir, e) != 0 || check_set(c, e) != 0
        || conf_check(c, e) != 0)
        goto failed;
    return c;
failed:
    conf_free(c);
    return NULL;
}

static void free_list(struct conf_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->at[i]);
    free(l->at);
}

static void free_section(const char *section, char *base)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];

        if (strcmp(o->section, section) != 0 || o->type == CONF_INT || o->type == CONF_BOOL)
            continue;
        if (o->type == CONF_LIST)
            free_list((struct conf_list *)(void *)(base + o->offset));
        else
            free(*(char **)(void *)(base + o->offset));
    }
}

void conf_free(struct conf *c)
{
    if (c == NULL)
        return;
    for (size_t t = 0; t < TITLED_COUNT; t++) {
        for (size_t i = 0; i < *count_of(c, &titled[t]); i++) {
            char *base = section_at(c, &titled[t], i);

            free_section(titled[t].section, base);
            free(title_of(base));
        }
        free(*array_of(c, &titled[t]));
    }
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++)
        if (titled_named(conf_section_help[s][0]) == NULL)
            free_section(conf_section_help[s][0], (char *)c);
    free(c->path);
    free(c);
}
