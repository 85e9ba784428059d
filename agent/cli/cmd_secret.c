/* secret set, list, delete; keys rotate: what an administrator gives the service to keep; before the configuration is
 * complete, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/cli/cli.h"
#include "agent/conf/conf.h"
#include "agent/control/control_secret.h"
#include "agent/secrets/secret.h"
#include "certs/mem.h"
#include "certs/text.h"

static const char who[] = "run it as root, or as the user of the service";

/* ---- which options use a secret ------------------------------------------------------------------------------- */

struct uses {
    const char *name;
    struct buf text; /* "cloud.token_file, ca \"issuing1\".credentials_file" */
    struct json_out *o;
};

static void note_use(void *arg, const char *what, const char *ref)
{
    struct uses *u = arg;

    if (strncmp(ref, "secret:", 7) != 0 || strcmp(ref + 7, u->name) != 0)
        return;
    buf_printf(&u->text, "%s%s", u->text.len > 0 ? ", " : "", what);
    if (u->o != NULL)
        json_put_text(u->o, NULL, what);
}

/* "" if no option does.  Valid until buf_free(&u->text). */
static const char *uses_of(
    struct uses *u, const struct conf *conf, const char *name, struct json_out *o)
{
    *u = (struct uses){ .name = name, .text = BUF_INIT(16384), .o = o };
    conf_secrets(conf, note_use, u);
    return buf_text(&u->text);
}

static int refuse_name(const char *name, struct err *e)
{
    if (!secret_name_ok(name))
        return err_set(e, ERR_INPUT,
            "a name has 1 to %d characters of a-z 0-9 . _ -, the first a letter or digit",
            SECRET_NAME_MAX);
    if (secret_name_is_ours(name))
        return err_set(
            e, ERR_INPUT, "secrets that begin with \"certferry.\" are the service's own");
    return 0;
}

/* ---- set ------------------------------------------------------------------------------------------------------ */

static int send_value(struct cli *c, const char *name, struct view value, struct json **answer)
{
    struct buf q = BUF_SECRET((size_t)128 << 10);
    struct json_out o = { .to = &q };
    struct err e;
    int code;

    json_open(&o, NULL, '{');
    json_put_text(&o, "command", "secret.set");
    json_put_text(&o, "name", name);
    json_close(&o, '}');
    buf_add_byte(&q, CONTROL_SECRET);
    base64_add(&q, value);
    if (buf_check(&q, &e) != 0)
        code = cli_fail(c, &e, "free some memory, then try again");
    else
        code = cli_ask_keys(c, buf_view(&q), answer);
    buf_free(&q);
    return code;
}

int cli_put_secret(struct cli *c, const char *name, struct view value)
{
    struct json *answer = NULL;
    int code;

    c->answer_hidden = true;
    code = send_value(c, name, value, &answer);
    c->answer_hidden = false;
    json_free(answer);
    return code;
}

static void say_set(const struct cli *c, const struct conf *conf, const char *name, bool replaced)
{
    struct uses u;
    const char *uses = uses_of(&u, conf, name, NULL);

    (void)printf("secret \"%s\" is %s\n", name, replaced ? "replaced" : "set");
    if (c->quiet)
        ;
    else if (uses[0] == '\0')
        (void)fprintf(stderr,
            "note: no option names it yet; where a file with a secret stands, "
            "write \"secret:%s\"\n",
            name);
    else
        (void)fprintf(stderr,
            "note: used by %s; a service that runs uses it after a reload (systemctl reload "
            "certferry)\n",
            uses);
    buf_free(&u.text);
}

int cmd_secret_set(struct cli *c)
{
    const char *name = c->args[0], *file = cli_given(c, "--file");
    struct buf value = BUF_SECRET(SECRET_BYTES_MAX);
    struct json *answer = NULL;
    struct conf *conf = NULL;
    struct err e = { 0 }, missing;
    bool replaced = false;
    char what[100];
    int code;

    (void)snprintf(what, sizeof what, "secret \"%.63s\"", name);
    if (refuse_name(name, &e) != 0)
        code = cli_fail(c, &e, "certferry secret set NAME");
    else if ((conf = conf_load_incomplete(c->config, &missing, &e)) == NULL)
        code = cli_fail(c, &e, "certferry check --config %s", c->config);
    else if (cli_secret_value(what, file, &value, &e) != 0)
        code = cli_fail(c, &e, "type it at the prompt, pipe it in, or name a file of mode 0600");
    else
        code = send_value(c, name, buf_view(&value), &answer);
    buf_free(&value);
    if (answer != NULL && !c->json) {
        (void)!json_bool(json_get(answer, "data"), "replaced", false, &replaced, &e);
        say_set(c, conf, name, replaced);
    }
    json_free(answer);
    conf_free(conf);
    return code;
}

/* ---- list ----------------------------------------------------------------------------------------------------- */

struct listing {
    const struct conf *conf;
    struct cli_table *table; /* NULL: JSON */
    struct json_out *o;
    struct buf names; /* each with a blank around it: " a b " */
    size_t count;
};

static void list_row(struct listing *l, const char *name, int64_t set_at)
{
    struct uses u;
    char when[24] = "MISSING";
    const char *uses;

    if (set_at != 0)
        time_text(set_at, when);
    if (l->table == NULL) {
        json_open(l->o, NULL, '{');
        json_put_text(l->o, "name", name);
        json_put_bool(l->o, "missing", set_at == 0);
        json_put_time(l->o, "setAt", set_at);
        json_open(l->o, "usedBy", '[');
        (void)uses_of(&u, l->conf, name, l->o);
        json_close(l->o, ']');
        json_close(l->o, '}');
    } else {
        uses = uses_of(&u, l->conf, name, NULL);
        cli_table_row(l->table, (const char *const[]){ name, when, uses[0] != '\0' ? uses : "-" });
    }
    buf_free(&u.text);
    buf_printf(&l->names, "%s ", name);
    l->count++;
}

static void list_set(void *arg, const char *name, int64_t set_at)
{
    list_row(arg, name, set_at);
}

/* Named by an option and not there; each once. */
static void list_missing(void *arg, const char *what, const char *ref)
{
    struct listing *l = arg;
    char word[SECRET_NAME_MAX + 3];

    (void)what;
    if (strncmp(ref, "secret:", 7) != 0 || !secret_name_ok(ref + 7))
        return;
    (void)snprintf(word, sizeof word, " %s ", ref + 7);
    if (strstr(buf_text(&l->names), word) == NULL)
        list_row(l, ref + 7, 0);
}

static int list(struct cli *c, struct listing *l, struct secrets *s, struct err *e)
{
    static const char *const heads[] = { "SECRET", "SET", "USED BY" };
    struct buf data = BUF_INIT((size_t)4 << 20);
    struct json_out o = { .to = &data };
    int rc;

    l->o = &o;
    l->table = c->json ? NULL : cli_table_new(heads, 3);
    l->names = (struct buf)BUF_INIT((size_t)1 << 20);
    buf_add_byte(&l->names, ' ');
    json_open(&o, NULL, '{');
    json_open(&o, "secrets", '[');
    rc = secrets_list(s, list_set, l, e);
    if (rc == 0)
        conf_secrets(l->conf, list_missing, l);
    json_close(&o, ']');
    json_close(&o, '}');
    if (rc == 0 && c->json)
        cli_envelope("certferry.secrets/1", &data, NULL, 0);
    else if (rc == 0 && l->count == 0)
        (void)printf("No secrets.\n");
    if (l->table != NULL && (rc != 0 || l->count == 0))
        cli_table_free(l->table);
    else if (l->table != NULL)
        cli_table_print(l->table);
    buf_free(&l->names);
    buf_free(&data);
    return rc;
}

int cmd_secret_list(struct cli *c)
{
    struct err e = { 0 }, missing;
    struct conf *conf = conf_load_incomplete(c->config, &missing, &e);
    struct listing l = { .conf = conf };
    struct secrets *s;
    int code = EXIT_OK;

    if (conf == NULL)
        return cli_fail(c, &e, "certferry check --config %s", c->config);
    s = secrets_open(conf->store.dir, NULL, NULL, &e);
    if (s == NULL || list(c, &l, s, &e) != 0)
        code = cli_fail(c, &e, "%s", who);
    secrets_close(s);
    conf_free(conf);
    return code;
}

/* ---- delete --------------------------------------------------------------------------------------------------- */

static int drop(const struct cli *c, const struct conf *conf, const char *name, struct err *e)
{
    struct secrets *s = secrets_open(conf->store.dir, NULL, NULL, e);
    struct uses u;
    const char *uses = uses_of(&u, conf, name, NULL);
    int rc = -1;

    if (uses[0] != '\0' && cli_given(c, "--force") == NULL)
        (void)err_set(e, ERR_CONFLICT, "secret \"%s\" is used by %s", name, uses);
    else if (s != NULL)
        rc = secrets_drop(s, name, e);
    buf_free(&u.text);
    secrets_close(s);
    return rc;
}

int cmd_secret_delete(struct cli *c)
{
    const char *name = c->args[0];
    struct conf *conf = NULL;
    struct err e = { 0 }, missing;
    int code = EXIT_OK;

    if (refuse_name(name, &e) != 0)
        return cli_fail(c, &e, "certferry secret list");
    if ((conf = conf_load_incomplete(c->config, &missing, &e)) == NULL)
        return cli_fail(c, &e, "certferry check --config %s", c->config);
    if (drop(c, conf, name, &e) != 0) {
        code = cli_fail(c, &e, "%s",
            e.cls == ERR_CONFLICT ? "change that option first, or: certferry secret delete --force"
            : e.cls == ERR_GONE   ? "certferry secret list"
                                  : who);
        conf_free(conf);
        return code;
    }
    cli_audit(c, conf, "secret.deleted", name, NULL);
    if (c->json) {
        struct buf data = BUF_INIT(1024);
        struct json_out o = { .to = &data };

        json_open(&o, NULL, '{');
        json_put_text(&o, "name", name);
        json_close(&o, '}');
        cli_envelope("certferry.secret/1", &data, NULL, 0);
        buf_free(&data);
    } else {
        (void)printf("secret \"%s\" is deleted\n", name);
    }
    conf_free(conf);
    return code;
}

/* ---- keys rotate ---------------------------------------------------------------------------------------------- */

static long long number(const struct json *o, const char *name)
{
    int64_t v = 0;
    struct err e;

    (void)!json_int(o, name, false, 0, INT64_MAX, &v, &e);
    return v;
}

int cmd_keys_rotate(struct cli *c)
{
    struct json *answer = NULL;
    int code = cli_ask_keys(c, view_text("{\"command\":\"keys.rotate\"}"), &answer);
    const struct json *d = answer != NULL ? json_get(answer, "data") : NULL;

    if (d != NULL && !c->json) {
        (void)printf(
            "the master key is exchanged; %lld keys of requests and %lld secrets are sealed "
            "again\n",
            number(d, "dataKeys"), number(d, "secrets"));
        if (number(d, "unreadable") > 0)
            (void)fprintf(stderr, "warning: %lld could not be opened before, and cannot now\n",
                number(d, "unreadable"));
        if (!c->quiet)
            (void)fprintf(stderr, "note: a backup of the store made until now needs the old key, "
                                  "which is overwritten; make a new backup\n");
    }
    json_free(answer);
    return code;
}
