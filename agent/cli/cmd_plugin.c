/* plugin list, plugin test: challenge plugins, opened here and not in the service. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/base/fs.h"
#include "agent/base/log.h"
#include "agent/challenge/plugin_inner.h"
#include "agent/cli/cli.h"
#include "agent/probe/finding.h"

enum { DATA_MAX = 1 << 20, CHALLENGE_MAX = 8192 };

/* ---- one plugin as rows and JSON ------------------------------------------------------------------------------------ */

struct looked {
    const char *name;
    char file[4096], version[80], summary[200], flags[80];
    struct finding found; /* the file, opening, serving: the first that is wrong */
};

static void flags_text(unsigned flags, char *out, size_t size)
{
    static const struct {
        unsigned bit;
        const char *text;
    } rows[] = { { CERTFERRY_MANY_USES, "many-uses" }, { CERTFERRY_NO_CHALLENGE, "no-challenge" },
        { CERTFERRY_GENERATES, "generates" }, { CERTFERRY_COMPARES, "compares" } };
    size_t at = 0;

    (void)snprintf(out, size, "-");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((flags & rows[i].bit) != 0 && at < size)
            at += (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? "," : "", rows[i].text);
}

static void copy_table(struct looked *k, const struct certferry_plugin *t)
{
    (void)snprintf(k->version, sizeof k->version, "%s", t->version != NULL ? t->version : "");
    (void)snprintf(k->summary, sizeof k->summary, "%s", t->summary != NULL ? t->summary : "");
    err_clean(k->version);
    err_clean(k->summary);
    flags_text(t->flags, k->flags, sizeof k->flags);
}

static void broken(struct looked *k, const struct err *e, const char *fix)
{
    finding_set(&k->found, GRADE_FAIL, e->cls, "%s", e->msg);
    finding_fix(&k->found, "%s", fix);
}

/* With the settings of its section. */
static struct plugin *look(struct agent *a, const struct conf_plugin *conf, struct looked *k)
{
    struct plugin *p = NULL;
    struct err e;

    *k = (struct looked){ .name = conf->name };
    if (plugin_file(conf, k->file, sizeof k->file, &e) != 0)
        broken(k, &e, "set path in the plugin's section");
    else if (fs_trusted_file(k->file, &e) != 0)
        broken(k, &e, "chown root and chmod go-w what it names");
    else if ((p = plugin_open(a, conf, &e)) == NULL)
        broken(k, &e, "mend the plugin's section; certferry-plugin(5) has its settings");
    else {
        copy_table(k, plugin_table(p));
        if (plugin_serving(p, &e) != 0)
            broken(k, &e, "the plugin's documentation says what it needs");
        else
            finding_set(&k->found, GRADE_PASS, ERR_NONE, "opens, and can judge");
    }
    return p;
}

/* A shipped one that nobody has configured: what its table says. */
static void look_shipped(const char *file_name, struct looked *k)
{
    const struct certferry_plugin *t;
    plugin_entry_fn *entry;
    void *library = NULL;
    struct err e;

    *k = (struct looked){ .name = file_name };
    fs_join(k->file, sizeof k->file, plugin_folder, file_name);
    if (fs_trusted_file(k->file, &e) != 0 || (library = plugin_load(k->file, &entry, &e)) == NULL)
        broken(k, &e, "install the package again");
    else if ((t = entry()) == NULL || t->abi != CERTFERRY_PLUGIN_ABI)
        finding_set(&k->found, GRADE_FAIL, ERR_CONFIG, "made for another version of the service");
    else {
        copy_table(k, t);
        finding_set(&k->found, GRADE_PASS, ERR_NONE, "loads");
    }
    plugin_unload(library);
}

static void put(struct json_out *o, const struct looked *k, bool configured)
{
    json_open(o, NULL, '{');
    json_put_text(o, "name", k->name);
    json_put_bool(o, "configured", configured);
    json_put_text(o, "file", k->file);
    json_put_text(o, "version", k->version);
    json_put_text(o, "summary", k->summary);
    json_put_text(o, "flags", k->flags);
    finding_json(&k->found, o);
    json_close(o, '}');
}

/* ---- what every command here opens ------------------------------------------------------------------------------ */

/* The store is where plugins remember; a plugin can be looked at without. */
static void open_store(struct agent *a)
{
    struct err e;

    a->store = store_open(a->conf->store.dir, true, &e);
}

static int open_agent(struct cli *c, struct agent *a)
{
    struct err e;
    int code;

    *a = (struct agent){ .lock = -1 };
    log_open(LOG_HUMAN, LOG_LEVEL_WARNING);
    if ((a->conf = conf_load(c->config, &e)) == NULL)
        return cli_fail(c, &e, "certferry check --config %s", c->config);
    if ((code = cli_io(c, &a->lib)) != 0)
        conf_free(a->conf);
    return code;
}

static void close_agent(struct agent *a)
{
    store_close(a->store);
    fs_unlock(a->lock);
    cli_io_end(a->lib);
    conf_free(a->conf);
}

/* ---- list ------------------------------------------------------------------------------------------------------------- */

struct listing {
    struct cli_table *table; /* NULL with --json */
    struct json_out *json;
    struct finding worst;
};

static void add(struct listing *l, const struct looked *k, bool configured)
{
    const char *const row[] = { k->name, configured ? "yes" : "no", k->version, k->flags,
        grade_name(k->found.grade), k->found.grade == GRADE_PASS ? k->summary : k->found.fact };

    if (l->table != NULL)
        cli_table_row(l->table, row);
    put(l->json, k, configured);
    if (configured && k->found.grade == GRADE_FAIL && l->worst.grade == GRADE_NONE)
        l->worst = k->found;
}

static int is_plugin(const struct dirent *d)
{
    size_t len = strlen(d->d_name);

    return len > 3 && strcmp(d->d_name + len - 3, ".so") == 0;
}

static bool is_configured(const struct agent *a, const char *file)
{
    char other[4096];
    struct err e;

    for (size_t i = 0; i < a->conf->plugin_count; i++)
        if (plugin_file(&a->conf->plugins[i], other, sizeof other, &e) == 0
            && strcmp(other, file) == 0)
            return true;
    return false;
}

static void list_shipped(struct agent *a, struct listing *l)
{
    struct dirent **list = NULL;
    int n = scandir(plugin_folder, &list, is_plugin, alphasort);
    struct looked k;

    for (int i = 0; i < n; i++) {
        fs_join(k.file, sizeof k.file, plugin_folder, list[i]->d_name);
        if (!is_configured(a, k.file)) {
            look_shipped(list[i]->d_name, &k);
            add(l, &k, false);
        }
        free(list[i]);
    }
    free(list);
}

static void list_all(struct agent *a, struct listing *l)
{
    struct looked k;

    json_open(l->json, NULL, '{');
    json_put_text(l->json, "folder", plugin_folder);
    json_open(l->json, "plugins", '[');
    for (size_t i = 0; i < a->conf->plugin_count; i++) {
        plugin_close(look(a, &a->conf->plugins[i], &k));
        add(l, &k, true);
    }
    list_shipped(a, l);
    json_close(l->json, ']');
    json_close(l->json, '}');
}

int cmd_plugin_list(struct cli *c)
{
    static const char *const heads[] = { "NAME", "CONFIGURED", "VERSION", "FLAGS", "STATE",
        "SUMMARY" };
    struct buf data = BUF_INIT(DATA_MAX);
    struct json_out o = { .to = &data };
    struct listing l = { .json = &o };
    struct agent a;
    int code = open_agent(c, &a);

    if (code != 0)
        return code;
    open_store(&a);
    if (!c->json)
        l.table = cli_table_new(heads, sizeof heads / sizeof heads[0]);
    list_all(&a, &l);
    code = l.worst.grade == GRADE_FAIL ? (int)exit_code_of(l.worst.cls) : EXIT_OK;
    if (c->json)
        cli_envelope(
            "certferry.plugins/1", &data, l.worst.grade == GRADE_FAIL ? &l.worst : NULL, code);
    else
        cli_table_print(l.table);
    close_agent(&a);
    buf_free(&data);
    return code;
}

/* ---- test ------------------------------------------------------------------------------------------------------------- */

static const struct conf_scep *endpoint_of(const struct conf *c, const char *plugin)
{
    for (size_t i = 0; i < c->scep_count; i++)
        if (c->sceps[i].plugin != NULL && strcmp(c->sceps[i].plugin, plugin) == 0)
            return &c->sceps[i];
    return NULL;
}

/* What a plugin remembers of a challenge must be in the store of the service: nobody else may have it open, and what
 * is written is its owner's. */
static int take_store(struct agent *a, struct fs_self *self, struct err *e)
{
    char path[4096];

    if (fs_as_owner(a->conf->store.dir, self, e) != 0)
        return -1;
    fs_join(path, sizeof path, a->conf->store.dir, "lock");
    if ((a->lock = fs_lock(path, e)) < 0)
        return -1;
    return (a->store = store_open(a->conf->store.dir, false, e)) != NULL ? 0 : -1;
}

static int make(struct agent *a, struct plugin *p, struct buf *out, struct err *e)
{
    const struct conf_scep *s = endpoint_of(a->conf, plugin_conf(p)->name);
    char why[200];
    int got;

    if ((plugin_table(p)->flags & CERTFERRY_GENERATES) == 0)
        return err_set(
            e, ERR_UNSUPPORTED, "plugin \"%s\" makes no challenges", plugin_conf(p)->name);
    if (s == NULL)
        return err_set(e, ERR_CONFIG, "no section scep uses plugin \"%s\"", plugin_conf(p)->name);
    if ((got = plugin_generate(p, s->name, s->general_template, "", out, why, e)) < 0)
        return -1;
    if (got == 0)
        return err_set(e, ERR_OPERATOR, "the plugin refuses: %s", why);
    return store_commit(a->store, e);
}

static void json_challenge(const char *challenge)
{
    struct buf data = BUF_SECRET(2 * CHALLENGE_MAX);
    struct json_out o = { .to = &data };

    json_open(&o, NULL, '{');
    json_put_text(&o, "challenge", challenge);
    json_close(&o, '}');
    cli_envelope("certferry.challenge/1", &data, NULL, EXIT_OK);
    buf_free(&data);
}

static int test_generate(struct cli *c, struct agent *a, struct plugin *p)
{
    struct buf challenge = BUF_SECRET(CHALLENGE_MAX);
    struct err e;
    int code = EXIT_OK;

    if (make(a, p, &challenge, &e) != 0)
        code = cli_fail(c, &e, "certferry plugin list shows which plugins generate");
    else if (c->json)
        json_challenge(buf_text(&challenge));
    else
        (void)printf("%s\n", buf_text(&challenge)); /* it was asked for */
    buf_free(&challenge);
    return code;
}

static int report(struct cli *c, const struct looked *k)
{
    struct buf data = BUF_INIT(DATA_MAX);
    struct json_out o = { .to = &data };
    bool bad = k->found.grade == GRADE_FAIL;
    int code = bad ? (int)exit_code_of(k->found.cls) : EXIT_OK;

    if (c->json) {
        put(&o, k, true);
        cli_envelope("certferry.plugin/1", &data, bad ? &k->found : NULL, code);
    } else {
        (void)printf("%s  %s\n", k->name, k->file);
        if (k->version[0] != '\0')
            (void)printf("version %s, %s; flags %s\n", k->version, k->summary, k->flags);
        finding_print(&k->found, "");
    }
    buf_free(&data);
    return code;
}

int cmd_plugin_test(struct cli *c)
{
    const struct conf_plugin *conf;
    struct plugin *p = NULL;
    struct fs_self self = { 0 };
    struct looked k;
    struct agent a;
    struct err e;
    int code = open_agent(c, &a);

    if (code != 0)
        return code;
    if ((conf = conf_plugin(a.conf, c->args[0])) == NULL) {
        (void)err_set(&e, ERR_GONE, "no section plugin \"%.63s\" in %s", c->args[0], c->config);
        code = cli_fail(c, &e, "certferry plugin list");
    } else if ((cli_given(c, "--generate") != NULL) && take_store(&a, &self, &e) != 0) {
        code = cli_fail(c, &e, "stop the service, or ask its page mscep_admin for a challenge");
    } else {
        if (a.store == NULL)
            open_store(&a);
        p = look(&a, conf, &k);
        if (!(cli_given(c, "--generate") != NULL) || p == NULL || k.found.grade == GRADE_FAIL)
            code = report(c, &k);
        else
            code = test_generate(c, &a, p);
    }
    plugin_close(p);
    close_agent(&a);
    fs_as_self(&self);
    return code;
}
