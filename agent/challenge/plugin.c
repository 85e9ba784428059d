/*
 * see plugin.h.  A plugin is trusted not to attack us, and not trusted to be right: every text it gives is
 * ended and cleaned here, every number checked, and whatever makes no sense is a refusal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/challenge/plugin_inner.h"
#include "certs/mem.h"
#include "certs/text.h"
#include "proto/json.h"

#ifndef CERTFERRY_PLUGIN_DIR
#define CERTFERRY_PLUGIN_DIR "/usr/local/lib/certferry/plugins"
#endif
const char *const plugin_folder = CERTFERRY_PLUGIN_DIR;

enum {
    CONNECTIONS = 16,
    CHALLENGE_MAX = 8192,
    LATER_MAX_S = 86400,
    SERVING_MS = 3000,
    ALL_FLAGS =
        CERTFERRY_MANY_USES | CERTFERRY_NO_CHALLENGE | CERTFERRY_GENERATES | CERTFERRY_COMPARES,
};

const struct certferry_plugin *plugin_table(const struct plugin *p)
{
    return &p->table;
}

const struct conf_plugin *plugin_conf(const struct plugin *p)
{
    return p->conf;
}

/* ---- opening -------------------------------------------------------------------------------------------- */

/* A bare name is one of ours: "intune" is intune.so of plugin_folder. */
int plugin_file(const struct conf_plugin *conf, char *out, size_t size, struct err *e)
{
    const char *path = conf->path;
    int n;

    if (path[0] == '/')
        n = snprintf(out, size, "%s", path);
    else if (strchr(path, '/') != NULL || path[0] == '.' || path[0] == '\0')
        return err_set(e, ERR_CONFIG,
            "\"%s\": neither the name of a shipped plugin nor an absolute path", path);
    else
        n = snprintf(
            out, size, "%s/%s%s", plugin_folder, path, strchr(path, '.') == NULL ? ".so" : "");
    if (n < 0 || (size_t)n >= size)
        return err_set(e, ERR_CONFIG, "the plugin's path is too long");
    return 0;
}

static int check_table(const struct certferry_plugin *t, const char *file, struct err *e)
{
    if (t->name == NULL || t->version == NULL || t->open == NULL || t->close == NULL
        || t->verify == NULL)
        return err_set(
            e, ERR_CONFIG, "%s: no name, version, open, close or verify in its table", file);
    if ((t->flags & ~(unsigned)ALL_FLAGS) != 0)
        return err_set(e, ERR_CONFIG, "%s: flags 0x%x, of which this service does not know all",
            file, t->flags);
    if ((t->flags & CERTFERRY_GENERATES) != 0 && t->generate == NULL)
        return err_set(e, ERR_CONFIG, "%s: CERTFERRY_GENERATES without generate", file);
    return 0;
}

/* A newer plugin may have a longer table; the part we know is at its front. */
static int read_table(
    struct plugin *p, const struct certferry_plugin *t, const char *file, struct err *e)
{
    if (t == NULL)
        return err_set(e, ERR_CONFIG, "%s: %s() gave nothing", file, CERTFERRY_PLUGIN_ENTRY);
    if (t->abi != CERTFERRY_PLUGIN_ABI)
        return err_set(e, ERR_CONFIG, "%s: made for ABI %u, this service has %u", file,
            (unsigned)t->abi, CERTFERRY_PLUGIN_ABI);
    if (t->size < sizeof p->table)
        return err_set(e, ERR_CONFIG, "%s: its table has %u bytes, not %zu", file,
            (unsigned)t->size, sizeof p->table);
    p->table = *t;
    return check_table(&p->table, file, e);
}

/* What the plugin wrote into a text of ours, fit for a message. */
static const char *words(char *text, size_t size, const char *otherwise)
{
    text[size - 1] = '\0';
    err_clean(text);
    return text[0] != '\0' ? text : otherwise;
}

static int open_plugin(
    struct plugin *p, const struct certferry_plugin *theirs, const char *file, struct err *e)
{
    char why[200] = "";

    if (p->table.open(&p->host, &p->self, why, sizeof why) != 0)
        return err_set(e, ERR_CONFIG, "%s",
            words(why, sizeof why, "the plugin will not start and does not say why"));
    p->opened = true;
    p->table.flags = theirs->flags; /* open() may have learned from the settings what it is */
    p->table.notify =
        theirs->notify; /* perhaps it need not hear how requests end: that spares a commit */
    return check_table(&p->table, file, e);
}

static int open_peer(struct plugin *p, struct err *e)
{
    const struct conf_plugin *c = p->conf;
    struct io_peer_conf pc = { .name = c->name,
        .trust_file = c->trust,
        .auth = IO_AUTH_NONE,
        .secrets = p->a->secrets,
        .conf = p->a->conf,
        .connections_max = CONNECTIONS };
    struct token_client client = { .id = c->client_id,
        .secret_file = c->client_secret_file,
        .certificate_file = c->client_certificate,
        .key_file = c->client_key,
        .secrets = p->a->secrets };

    if ((p->io = io_peer_new(&pc, e)) == NULL)
        return -1;
    if (c->client_id == NULL && c->client_secret_file == NULL && c->client_certificate == NULL)
        return 0;
    return (p->tokens = tokens_open(p->a->lib, p->io, &client, e)) != NULL ? 0 : -1;
}

static int open_all(struct plugin *p, struct err *e)
{
    const struct certferry_plugin *theirs;
    plugin_entry_fn *entry;
    char file[4096];

    if (plugin_file(p->conf, file, sizeof file, e) != 0 || fs_trusted_file(file, e) != 0
        || (p->conf->program != NULL && fs_trusted_file(p->conf->program, e) != 0)
        || (p->library = plugin_load(file, &entry, e)) == NULL)
        return -1;
    theirs = entry();
    if (read_table(p, theirs, file, e) != 0 || plugin_host_open(p, e) != 0 || open_peer(p, e) != 0)
        return -1;
    return open_plugin(p, theirs, file, e);
}

struct plugin *plugin_open(struct agent *a, const struct conf_plugin *conf, struct err *e)
{
    struct plugin *p = xcalloc(1, sizeof *p);

    p->a = a;
    p->conf = conf;
    if (open_all(p, e) == 0)
        return p;
    (void)err_wrap(e, "plugin \"%s\"", conf->name);
    if (e->cls != ERR_NOMEM)
        e->cls = ERR_CONFIG;
    plugin_close(p);
    return NULL;
}

void plugin_close(struct plugin *p)
{
    if (p == NULL)
        return;
    if (p->opened)
        p->table.close(p->self);
    tokens_close(p->tokens);
    io_peer_free(p->io);
    plugin_host_close(p);
    plugin_unload(p->library);
    free(p);
}

/* ---- what it answers ------------------------------------------------------------------------------------ */

static void deny(struct certferry_verdict *v, const char *why)
{
    v->answer = CERTFERRY_DENY;
    v->fail = CERTFERRY_BAD_REQUEST;
    v->hresult = 0;
    (void)snprintf(v->why, sizeof v->why, "%s", why);
    err_clean(v->why);
}

static bool is_json_object(const char *text, struct err *e)
{
    size_t len = strnlen(text, PLUGIN_CLAIMS_MAX + 1);
    struct json *j = json_parse(view_of(text, len), PLUGIN_CLAIMS_MAX, e);
    bool is = json_is_object(j);

    if (j != NULL && !is)
        (void)err_set(e, ERR_PROTO, "no object");
    json_free(j);
    return is;
}

static void check_answer(struct plugin *p, struct certferry_verdict *v)
{
    char why[sizeof v->why];
    struct err e;

    switch ((int)v->answer) {
    case CERTFERRY_DENY:
        if (v->why[0] == '\0')
            (void)snprintf(v->why, sizeof v->why, "the plugin gave no reason");
        if ((unsigned)v->fail > CERTFERRY_BAD_CERT_ID)
            v->fail = CERTFERRY_BAD_REQUEST;
        break;
    case CERTFERRY_ALLOW:
        if (v->claims != NULL && !is_json_object(v->claims, &e)) {
            (void)snprintf(why, sizeof why, "the plugin's claims are refused: %s", e.msg);
            deny(v, why);
        }
        break;
    case CERTFERRY_ASK:
        if (plugin_ask_check(p, &v->ask, &e) != 0) {
            (void)snprintf(why, sizeof why, "the plugin's question is refused: %s", e.msg);
            deny(v, why);
        }
        break;
    case CERTFERRY_LATER:
        if (v->later_s == 0 || v->later_s > LATER_MAX_S)
            v->later_s = v->later_s == 0 ? 1 : LATER_MAX_S;
        break;
    default:
        (void)snprintf(
            why, sizeof why, "the plugin answered %d, which is no answer", (int)v->answer);
        deny(v, why);
        break;
    }
}

static void prepare(struct certferry_verdict *v)
{
    v->size = sizeof *v;
    v->answer = CERTFERRY_DENY;
    v->fail = CERTFERRY_BAD_REQUEST;
    v->hresult = 0;
    memset(v->why, 0, sizeof v->why);
    v->claims = NULL;
    memset(&v->ask, 0, sizeof v->ask);
    v->later_s = 0;
}

/* What belongs to another answer than the one given is not left lying about. */
static void finish(struct plugin *p, struct certferry_verdict *v)
{
    v->size = sizeof *v;
    v->memo[sizeof v->memo - 1] = '\0';
    v->why[sizeof v->why - 1] = '\0';
    err_clean(v->why);
    check_answer(p, v);
    if (v->answer != CERTFERRY_ALLOW)
        v->claims = NULL;
    if (v->answer != CERTFERRY_ASK)
        memset(&v->ask, 0, sizeof v->ask);
    if (v->answer != CERTFERRY_LATER)
        v->later_s = 0;
}

void plugin_verify(struct plugin *p, const struct certferry_request *r,
    const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v)
{
    prepare(v);
    p->table.verify(p->self, r, reply, round, v);
    finish(p, v);
}

void plugin_notify(struct plugin *p, const struct certferry_request *r,
    const struct certferry_outcome *o, const struct certferry_reply *reply, unsigned round,
    struct certferry_verdict *v)
{
    prepare(v);
    if (p->table.notify == NULL)
        v->answer = CERTFERRY_ALLOW;
    else
        p->table.notify(p->self, r, o, reply, round, v);
    finish(p, v);
}

int plugin_serving(struct plugin *p, struct err *e)
{
    uint64_t now = io_now_ms();
    char why[160] = "";

    if (p->table.serving == NULL)
        return 0;
    if (!p->serving_asked || now - p->serving_at_ms >= SERVING_MS) {
        p->serving_asked = true;
        p->serving_at_ms = now;
        p->serving = p->table.serving(p->self, why, sizeof why) == 0;
        if (!p->serving)
            (void)err_set(&p->serving_why, ERR_OPERATOR, "plugin \"%s\": %s", p->conf->name,
                words(why, sizeof why, "it cannot judge at the moment and does not say why"));
    }
    if (!p->serving)
        *e = p->serving_why;
    return p->serving ? 0 : -1;
}

static int take_challenge(const char *text, size_t size, struct buf *out, struct err *e)
{
    size_t len = strnlen(text, size), start = out->len;
    struct view v = view_of(text, len);

    if (len == 0 || len == size || text_has_control(v) || !utf8_valid(v))
        return err_set(e, ERR_PROTO, "a challenge that is empty, too long or not plain text");
    buf_add_view(out, v);
    return buf_finish(out, start, e);
}

int plugin_generate(struct plugin *p, const char *endpoint, const char *template_name,
    const char *params, struct buf *out, char why[200], struct err *e)
{
    struct buf text = BUF_SECRET(CHALLENGE_MAX);
    char *at;
    int rc = -1;

    memset(why, 0, 200);
    if (p->table.generate == NULL)
        return err_set(e, ERR_UNSUPPORTED, "plugin \"%s\" makes no challenges", p->conf->name);
    if ((at = (char *)buf_extend(&text, CHALLENGE_MAX)) == NULL) {
        rc = buf_check(&text, e);
        goto done;
    }
    rc = p->table.generate(p->self, endpoint, template_name, params, at, CHALLENGE_MAX, why, 200);
    (void)words(why, 200, "");
    if (rc == 1)
        rc = take_challenge(at, CHALLENGE_MAX, out, e) == 0 ? 1 : -1;
    else if (rc != 0)
        rc = err_set(e, ERR_OPERATOR, "%s", why[0] != '\0' ? why : "it could not be made");
    if (rc < 0)
        (void)err_wrap(e, "plugin \"%s\": challenge", p->conf->name);
done:
    buf_free(&text);
    return rc;
}
