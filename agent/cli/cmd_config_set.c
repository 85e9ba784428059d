/* config set, config unset: one setting, in the drop-in of these commands.  See conf_write.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/base/fs.h"
#include "agent/cli/cli.h"
#include "agent/conf/conf_key.h"
#include "agent/conf/conf_write.h"

enum { VALUE_MAX = 64 << 10, DATA_MAX = 1 << 20, NAME_LEN = 200, ORIGIN_LEN = 4400 };

static const char drop_in[] = "90-config";

struct setting {
    struct conf_key key;
    struct conf_change change;
    char name[NAME_LEN];
    struct buf value, from, to;
    bool was_set, dry;
    bool idle; /* taken back, and never set there */
};

/* ---- what is asked for ------------------------------------------------------------------------------------- */

static int parse_key(const char *text, struct setting *s, struct err *e)
{
    if (conf_key_parse(text, &s->key, e) != 0)
        return -1;
    if (s->key.option == NULL)
        return err_set(e, ERR_INPUT, "%.80s: a section, not an option", text);
    if (conf_has_titles(s->key.section) && s->key.title[0] == '\0')
        return err_set(e, ERR_INPUT, "%.80s: which one?  Section %s has a name: %s.NAME.%s", text,
            s->key.section, s->key.section, s->key.option->key);
    s->change = (struct conf_change){ s->key.section,
        conf_has_titles(s->key.section) ? s->key.title : NULL, s->key.option->key, NULL };
    conf_key_name(s->key.option, s->change.title, s->name, sizeof s->name);
    return 0;
}

/* Several words are a list's entries, each as it is; one word may hold several. */
static int join(struct setting *s, char **words, int count, struct err *e)
{
    if (count > 1 && s->key.option->type != CONF_LIST)
        return err_set(
            e, ERR_INPUT, "%s: takes one value, not %d; quote it if it has blanks", s->name, count);
    if (count == 1)
        buf_add_text(&s->value, words[0]);
    for (int i = 0; count > 1 && i < count; i++) {
        if (words[i][0] == '\0' || strchr(words[i], '"') != NULL)
            return err_set(
                e, ERR_INPUT, "%s: an entry that is empty or has a quote in it", s->name);
        buf_printf(&s->value, "%s\"%s\"", i > 0 ? " " : "", words[i]);
    }
    s->change.value = buf_text(&s->value);
    return buf_check(&s->value, e);
}

/* ---- what must not be changed by the way ------------------------------------------------------------------- */

/* The service would begin anew: its sign-in belongs to a cloud, its requests and secrets to a store and a key. */
static int check_force(
    const struct cli *c, const struct setting *s, const struct conf *before, struct err *e)
{
    static const char *const keys[][3] = {
        { "cloud", "url", "the sign-in belongs to the cloud that is set now" },
        { "store", "dir", "its open requests, secrets and sign-in stay behind" },
        { "store", "master_key", "what is sealed with the old key would not open any more" },
    };
    if (cli_given(c, "--force") != NULL || before == NULL || s->from.len == 0
        || view_equal(buf_view(&s->from), buf_view(&s->to)))
        return 0;
    if (!cli_has_store(before))
        return 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(keys[i][0], s->key.section) == 0 && strcmp(keys[i][1], s->key.option->key) == 0)
            return err_set(e, ERR_CONFLICT, "%s: there is a store in use in %.60s: %s", s->name,
                before->store.dir, keys[i][2]);
    return 0;
}

/* ---- what is said ------------------------------------------------------------------------------------------ */

static void put_value(struct json_out *o, const char *name, struct buf *value, bool is_set)
{
    if (is_set && value->len > 0)
        json_put_text(o, name, buf_text(value));
    else
        json_put_null(o, name);
}

static void say(struct cli *c, struct setting *s, const char *file)
{
    struct buf data = BUF_INIT(DATA_MAX);
    struct json_out o = { .to = &data };
    bool same = view_equal(buf_view(&s->from), buf_view(&s->to));

    if (c->json) {
        json_open(&o, NULL, '{');
        json_put_text(&o, "key", s->name);
        put_value(&o, "from", &s->from, s->was_set);
        put_value(&o, "to", &s->to, true);
        json_put_bool(&o, "changed", !same);
        json_put_bool(&o, "dryRun", s->dry);
        json_put_text(&o, "file", file);
        json_close(&o, '}');
        cli_envelope("certferry.config.change/1", &data, NULL, EXIT_OK);
    } else if (same) {
        (void)printf("%s: %s, as before\n", s->name, s->to.len > 0 ? buf_text(&s->to) : "not set");
    } else {
        (void)printf("%s: %s -> %s\n", s->name, s->from.len > 0 ? buf_text(&s->from) : "not set",
            s->to.len > 0 ? buf_text(&s->to) : "not set");
    }
    if (s->idle && !c->json && !c->quiet)
        (void)fprintf(stderr, "config set has not set it; nothing was changed\n");
    else if (!c->json && !c->quiet)
        (void)fprintf(stderr,
            s->dry ? "would be written to %s\n"
                   : "written to %s; for a running service: certferry service "
                     "reload\n",
            file);
    buf_free(&data);
}

/* Somebody else has the last word. */
static void warn_if_hidden(struct cli *c, const struct setting *s, const struct conf *after)
{
    const struct conf_origin *at = conf_origin(after, s->key.option, s->change.title);
    char origin[ORIGIN_LEN], ours[80];

    (void)snprintf(ours, sizeof ours, "/conf.d/%s.conf", drop_in);
    if (at == NULL || strstr(at->file, ours) != NULL)
        return;
    conf_origin_text(at, origin, sizeof origin);
    cli_warn(c, "OVERRIDDEN", "change it there, or take it out",
        s->change.value != NULL ? "%s is set by %s, too, which wins" : "%s is still set by %s",
        s->name, origin);
}

static void folder_of(const struct cli *c, char *out, size_t size)
{
    const char *slash = strrchr(c->config, '/');

    (void)snprintf(out, size, "%.*s", slash != NULL ? (int)(slash - c->config) : 1,
        slash != NULL ? c->config : ".");
}

/* ---- doing it ---------------------------------------------------------------------------------------------- */

static int fail_to_write(const struct cli *c, const struct err *e)
{
    char dir[4200];
    int code = (int)exit_code_of(e->cls);

    folder_of(c, dir, sizeof dir);
    if (e->cls == ERR_STORE && access(dir, W_OK) != 0)
        code = EXIT_PERMISSION;
    return cli_fail_as(c, code, e, "run it as a user who may write in %s", dir);
}

static void look_at(const char *file, struct buf *out)
{
    struct err e;

    (void)!fs_read(file, out, &e); /* it may well not be there */
}

static int apply(struct cli *c, struct setting *s)
{
    struct buf was = BUF_INIT(DATA_MAX), is = BUF_INIT(DATA_MAX);
    struct conf *before, *after = NULL;
    char file[4400], dir[4200];
    struct err e, missing;
    int code = EXIT_OK;

    if ((before = conf_load_incomplete(c->config, &missing, &e)) != NULL)
        s->was_set = conf_value_text(before, s->key.option, s->change.title, &s->from);
    if (conf_change_try(c->config, drop_in, &s->change, 1, &after, &e) != 0) {
        code = cli_fail(c, &e, "nothing was changed; certferry config explain '%s'", s->name);
        goto done;
    }
    (void)conf_value_text(after, s->key.option, s->change.title, &s->to);
    if (check_force(c, s, before, &e) != 0) {
        code = cli_fail(c, &e, "nothing was changed; --force, if that is meant");
        goto done;
    }
    folder_of(c, dir, sizeof dir);
    (void)snprintf(file, sizeof file, "%s/conf.d/%s.conf", dir, drop_in);
    look_at(file, &was);
    if (!s->dry && conf_change(c->config, drop_in, &s->change, 1, &e) != 0) {
        code = fail_to_write(c, &e);
        goto done;
    }
    look_at(file, &is);
    s->idle = !s->dry && s->change.value == NULL && view_equal(buf_view(&was), buf_view(&is));
    warn_if_hidden(c, s, after);
    say(c, s, file);
    if (!s->dry && !s->idle)
        cli_audit(c, after, "config.changed", s->name, s->change.value != NULL ? "set" : "unset");
done:
    buf_free(&was);
    buf_free(&is);
    conf_free(before);
    conf_free(after);
    return code;
}

static int change(struct cli *c, bool unset)
{
    struct setting s = { .value = BUF_INIT(VALUE_MAX),
        .from = BUF_INIT(VALUE_MAX),
        .to = BUF_INIT(VALUE_MAX),
        .dry = cli_given(c, "--dry-run") != NULL };
    struct err e;
    int code;

    if (parse_key(c->args[0], &s, &e) != 0
        || (!unset && join(&s, c->args + 1, c->arg_count - 1, &e) != 0))
        code =
            cli_fail(c, &e, "certferry config explain '%s'", s.key.option != NULL ? s.name : "KEY");
    else
        code = apply(c, &s);
    buf_free(&s.value);
    buf_free(&s.from);
    buf_free(&s.to);
    return code;
}

int cmd_config_set(struct cli *c)
{
    return change(c, false);
}

int cmd_config_unset(struct cli *c)
{
    return change(c, true);
}
