/* proxy set, proxy clear: the way out, in the drop-in of these commands.  See conf_write.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/cli/cmd_proxy_inner.h"
#include "agent/conf/conf_write.h"
#include "agent/probe/finding.h"
#include "agent/secrets/secret.h"
#include "certs/mem.h"

enum { CHANGES = 3, URL_LEN = 300, CREDENTIAL_MAX = 4096, DATA_MAX = 1 << 20 };

static const char drop_in[] = "60-proxy", name_of_secret[] = "proxy", reference[] = "secret:proxy";

struct setting {
    char url[URL_LEN], note[URL_LEN];
    char file[4096];       /* the credential's, absolute; "": none was given */
    struct buf credential; /* its first line */
    const char *no_proxy;  /* NULL: stays */
    bool drops;            /* the credential that is set belongs to another proxy */
};

/* ---- what is asked for -------------------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static int take(struct cli *c, const struct conf *before, struct setting *s, struct err *e)
{
    const char *file = cli_given(c, "--credentials-file");
    char *real;

    s->no_proxy = cli_given(c, "--no-proxy");
    if (proxy_normalize(c->args[0], s->url, sizeof s->url, s->note, sizeof s->note, e) != 0)
        return -1;
    s->drops =
        file == NULL && before->proxy.credential != NULL && !same_text(before->proxy.url, s->url);
    if (file == NULL)
        return 0;
    if ((real = realpath(file, NULL)) == NULL)
        return err_set(e, ERR_CONFIG, "--credentials-file %.100s: there is no such file", file);
    (void)snprintf(s->file, sizeof s->file, "%s", real);
    free(real);
    if (fs_read_secret_line(s->file, &s->credential, e) != 0)
        return -1;
    if (s->credential.len < 2 || memchr(s->credential.p + 1, ':', s->credential.len - 1) == NULL)
        return err_set(e, ERR_CONFIG, "%.120s: its first line is not user:password", s->file);
    return 0;
}

/* The change with the credential's file while it is tried, and with the secret's name when it is kept. */
static size_t changes_of(
    const struct setting *s, const char *credential, struct conf_change out[CHANGES])
{
    size_t n = 0;

    out[n++] = (struct conf_change){ "proxy", NULL, "url", s->url };
    if (credential != NULL)
        out[n++] = (struct conf_change){ "proxy", NULL, "credential", credential };
    if (s->no_proxy != NULL)
        out[n++] = (struct conf_change){ "proxy", NULL, "no_proxy",
            s->no_proxy[0] != '\0' ? s->no_proxy : NULL };
    return n;
}

/* ---- what is said ------------------------------------------------------------------------------------------------- */

static void say_notes(const struct cli *c, const struct setting *s, size_t tried)
{
    if (c->json || c->quiet)
        return;
    if (s->note[0] != '\0')
        (void)fprintf(stderr, "note: %s\n", s->note);
    if (s->drops)
        (void)fprintf(stderr, "note: the credential that was set is not used any more: it belongs "
                              "to another proxy\n");
    if (tried == 0)
        (void)fprintf(stderr, "note: not tested: neither a cloud nor a CA is configured yet\n");
}

static void say_written(struct proxy_command *p, const struct setting *s, const char *file)
{
    struct buf data = BUF_INIT(DATA_MAX);
    struct json_out o = { .to = &data };

    if (p->c->json) {
        json_open(&o, NULL, '{');
        json_put_text(&o, "url", s->url);
        json_put_text(&o, "assumed", s->note);
        json_put_bool(&o, "credential", s->credential.len > 0);
        json_put_text(&o, "file", file);
        proxy_put_list(p, &o);
        json_close(&o, '}');
        cli_envelope("certferry.proxy.change/1", &data, NULL, EXIT_OK);
    } else {
        (void)printf("proxy.url: %s%s\n", s->url,
            s->credential.len > 0 ? "; its credential is kept as secret:proxy" : "");
        if (!p->c->quiet)
            (void)fprintf(
                stderr, "written to %s; for a running service: certferry service reload\n", file);
    }
    buf_free(&data);
}

static void file_of(const struct cli *c, char *out, size_t size)
{
    const char *slash = strrchr(c->config, '/');

    (void)snprintf(out, size, "%.*s/conf.d/%s.conf", slash != NULL ? (int)(slash - c->config) : 1,
        slash != NULL ? c->config : ".", drop_in);
}

/* Somebody else has the last word. */
static void warn_if_hidden(struct cli *c, const struct conf *after, const char *url)
{
    if (!same_text(after->proxy.url, url))
        cli_warn(c, "OVERRIDDEN", "certferry proxy show names the file; change it there",
            "proxy.url is set somewhere else, too, which wins: %s",
            after->proxy.url != NULL ? after->proxy.url : "none");
}

/* ---- a credential that nobody uses any more ------------------------------------------------------------------------- */

struct use {
    bool any;
};

static void note_use(void *arg, const char *what, const char *ref)
{
    struct use *u = arg;

    (void)what;
    u->any = u->any || strcmp(ref, reference) == 0;
}

static void forget(struct cli *c, const struct conf *after)
{
    struct use u = { false };
    struct secrets *s;
    struct err e = { 0 };

    conf_secrets(after, note_use, &u);
    if (u.any || (s = secrets_open(after->store.dir, NULL, NULL, &e)) == NULL)
        return;
    if (secrets_drop(s, name_of_secret, &e) != 0 && e.cls != ERR_GONE)
        cli_warn(c, "SECRET", "certferry secret delete proxy", "its credential is still kept: %s",
            e.msg);
    else if (e.cls != ERR_GONE)
        cli_audit(c, after, "secret.deleted", name_of_secret, "proxy");
    secrets_close(s);
}

/* ---- set ------------------------------------------------------------------------------------------------------------ */

static bool is_the_proxys(const struct destination *d)
{
    return d->why.cls == ERR_PROXY || d->why.cls == ERR_PROXY_DOWN || d->why.cls == ERR_CONFIG;
}

/* Only what is wrong with the way counts: a CA that is down is no reason not to set a proxy. */
static int test(struct proxy_command *p, const struct conf *after)
{
    bool refused = false;

    p->count = destination_list(after, p->list);
    (void)proxy_try_all(p, after);
    for (size_t i = 0; i < p->count; i++)
        refused = refused || is_the_proxys(&p->list[i]);
    if (!p->c->json && p->count > 0)
        proxy_print_tried(p);
    return refused ? -1 : 0;
}

static int refuse(struct proxy_command *p)
{
    const struct destination *worst = NULL;
    char fix[300], whole[360];

    for (size_t i = 0; i < p->count && worst == NULL; i++)
        if (is_the_proxys(&p->list[i]))
            worst = &p->list[i];
    destination_fix(worst, fix, sizeof fix);
    (void)snprintf(whole, sizeof whole, "nothing was changed; %s; all the same: --force", fix);
    return cli_fail(p->c, &worst->why, "%s", whole);
}

static int keep(struct proxy_command *p, const struct setting *s, struct err *e)
{
    const char *credential = s->credential.len > 0 ? reference : s->drops ? "" : NULL;
    struct conf_change changes[CHANGES];

    return conf_change(p->c->config, drop_in, changes, changes_of(s, credential, changes), e);
}

static int set(struct proxy_command *p, struct setting *s)
{
    const char *credential = s->file[0] != '\0' ? s->file : s->drops ? "" : NULL;
    struct conf_change changes[CHANGES];
    size_t count = changes_of(s, credential, changes);
    struct conf *after = NULL;
    struct err e;
    char file[4400];
    int code = EXIT_OK;

    if (conf_change_try(p->c->config, drop_in, changes, count, &after, &e) != 0)
        return cli_fail(p->c, &e, "nothing was changed; certferry config explain proxy");
    if (cli_given(p->c, "--force") == NULL) {
        if ((code = proxy_open_io(p)) == EXIT_OK && test(p, after) != 0)
            code = refuse(p);
    }
    if (code == EXIT_OK && s->credential.len > 0)
        code = cli_put_secret(p->c, name_of_secret, buf_view(&s->credential));
    if (code == EXIT_OK && keep(p, s, &e) != 0)
        code = cli_fail(p->c, &e, "run it as a user who may write beside %s", p->c->config);
    if (code == EXIT_OK) {
        cli_audit(p->c, after, "config.changed", "proxy.url", "set");
        file_of(p->c, file, sizeof file);
        if (cli_given(p->c, "--force") == NULL)
            say_notes(p->c, s, p->count);
        else
            say_notes(p->c, s, 1);
        warn_if_hidden(p->c, after, s->url);
        if (s->drops)
            forget(p->c, after);
        for (size_t i = 0; i < p->count; i++) /* it was tried by its file */
            if (same_text(p->list[i].credential, s->file))
                p->list[i].credential = reference;
        say_written(p, s, file);
    }
    conf_free(after);
    return code;
}

int cmd_proxy_set(struct cli *c)
{
    struct setting s = { .credential = BUF_SECRET(CREDENTIAL_MAX) };
    struct proxy_command p;
    struct err e;
    int code = proxy_open(c, &p);

    if (code != EXIT_OK)
        return code;
    if (take(c, p.conf, &s, &e) != 0)
        code = cli_fail(c, &e, "nothing was changed; as certferry proxy set http://proxy:3128");
    else
        code = set(&p, &s);
    buf_free(&s.credential);
    proxy_close(&p);
    return code;
}

/* ---- clear ---------------------------------------------------------------------------------------------------------- */

static int clear(struct proxy_command *p, struct err *e)
{
    struct conf_change changes[] = { { "proxy", NULL, "url", NULL },
        { "proxy", NULL, "credential", NULL }, { "proxy", NULL, "no_proxy", NULL } };
    struct conf *after = NULL;
    bool straight;

    if (conf_change_try(p->c->config, drop_in, changes, CHANGES, &after, e) != 0)
        return -1;
    straight = same_text(after->proxy.url, "none");
    conf_free(after);
    if (!straight) /* another file sets one: this command says otherwise */
        changes[0].value = "none";
    after = NULL;
    if (conf_change_try(p->c->config, drop_in, changes, CHANGES, &after, e) != 0
        || conf_change(p->c->config, drop_in, changes, CHANGES, e) != 0) {
        conf_free(after);
        return -1;
    }
    cli_audit(p->c, after, "config.changed", "proxy.url", "clear");
    warn_if_hidden(p->c, after, "none");
    forget(p->c, after);
    conf_free(after);
    return 0;
}

int cmd_proxy_clear(struct cli *c)
{
    const struct setting none = { .url = "none" };
    struct proxy_command p;
    char file[4400];
    struct err e;
    int code = proxy_open(c, &p);

    if (code != EXIT_OK)
        return code;
    file_of(c, file, sizeof file);
    if (clear(&p, &e) != 0)
        code = cli_fail(c, &e, "run it as a user who may write beside %s", c->config);
    else
        say_written(&p, &none, file);
    proxy_close(&p);
    return code;
}
