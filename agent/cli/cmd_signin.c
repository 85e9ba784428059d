/* sign-in: from an address to an identity that works; see signin.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/cli/cli.h"
#include "agent/cli/cmd_signin_inner.h"
#include "agent/conf/conf_write.h"
#include "agent/secrets/secret.h"
#include "certs/mem.h"
#include "certs/text.h"
#include "proto/http.h"

enum { URL_MAX = 512, MINUTE_S = 60 };

#define DROP_IN "50-sign-in"

struct sign_in { /* the command */
    struct cli *c;
    struct conf *conf;
    struct lib *lib;
    struct vault vault;
    struct secrets *secrets;
    struct signin s;
    struct buf secret;
    char cloud[URL_MAX], name[256], trust[4096];
};

/* ---- what was given ------------------------------------------------------------------------------------------------ */

static int usage(struct sign_in *x, const char *what)
{
    struct err e;

    (void)err_set(&e, ERR_INPUT, "%s", what);
    return cli_fail(x->c, &e, "certferry help sign-in");
}

/* "cloud.example" is enough to type. */
static int take_cloud(struct sign_in *x)
{
    const char *given = cli_given(x->c, "--cloud");
    struct err e = { 0 };

    if (given == NULL)
        given = x->conf->cloud.url;
    if (given == NULL)
        return usage(x, "which cloud? no cloud.url is configured, and no --cloud given");
    if (snprintf(x->cloud, sizeof x->cloud, "%s%s", strstr(given, "://") != NULL ? "" : "https://",
            given)
        >= (int)sizeof x->cloud)
        return usage(x, "--cloud: too long");
    /* Before it is shown: a user and a password in it are not for the screen. */
    if (http_url_ok(x->cloud, &e) != 0)
        return cli_fail(x->c, &e, "certferry sign-in --cloud https://policy.contoso.example/ccp");
    x->s.to.cloud = x->cloud;
    return 0;
}

static int read_secret(struct sign_in *x, const char *ref)
{
    struct err e = { 0 };

    if (secret_read(x->secrets, ref, &x->secret, &e) != 0)
        return cli_fail(x->c, &e, "one line in a file that nobody else may read: chmod 600");
    x->s.to.secret = buf_view(&x->secret);
    return 0;
}

static int take_way(struct sign_in *x)
{
    const char *bootstrap = cli_given(x->c, "--bootstrap-file");
    const char *token = cli_given(x->c, "--token-file");
    const char *secret = cli_given(x->c, "--client-secret-file");
    const char *certificate = cli_given(x->c, "--client-certificate");

    if ((bootstrap != NULL) + (token != NULL) + (secret != NULL) + (certificate != NULL) > 1)
        return usage(x, "more than one way to sign in was given");
    if (cli_given(x->c, "--client-key") != NULL && certificate == NULL)
        return usage(x, "--client-key is the key of --client-certificate");
    if ((secret != NULL || certificate != NULL) && cli_given(x->c, "--client-id") == NULL)
        return usage(x, "--client-id is missing: whose secret or certificate is it?");
    x->s.to.client_id = cli_given(x->c, "--client-id");
    x->s.to.certificate_file = certificate;
    x->s.to.key_file = cli_given(x->c, "--client-key");
    x->s.to.way = bootstrap != NULL || token != NULL      ? SIGNIN_TOKEN
                  : secret != NULL || certificate != NULL ? SIGNIN_CLIENT
                                                          : SIGNIN_DEVICE;
    if (x->s.to.client_id == NULL)
        x->s.to.client_id = "certferry-sign-in";
    if (bootstrap != NULL || token != NULL || secret != NULL)
        return read_secret(x, bootstrap != NULL ? bootstrap : token != NULL ? token : secret);
    return 0;
}

/* Settings are read from another folder than this command's. */
static int take_trust(struct sign_in *x)
{
    const char *given = cli_given(x->c, "--trust");

    x->s.to.trust = x->conf->cloud.trust;
    if (given == NULL)
        return 0;
    if (realpath(given, x->trust) == NULL)
        return usage(x, "--trust: there is no such file");
    x->s.to.trust = x->trust;
    return 0;
}

static int take(struct sign_in *x)
{
    const char *name = cli_given(x->c, "--name"), *scope = cli_given(x->c, "--scope");
    int code;

    if ((code = take_cloud(x)) != 0 || (code = take_way(x)) != 0 || (code = take_trust(x)) != 0)
        return code;
    if (name == NULL && gethostname(x->name, sizeof x->name - 1) == 0)
        name = x->name;
    x->s.to.name = name != NULL && name[0] != '\0' ? name : "certferry";
    x->s.to.scope = scope != NULL ? scope : "ccp.enroll";
    x->s.to.secrets = x->secrets;
    x->s.to.conf = x->conf;
    return 0;
}

/* ---- what a person sees ---------------------------------------------------------------------------------------------- */

static void say_code(struct sign_in *x, const struct signin *s)
{
    int64_t minutes = (s->device.expires_in_s + MINUTE_S / 2) / MINUTE_S;
    char until[24];

    time_text(io_wall_s() + s->device.expires_in_s, until);
    (void)fprintf(stderr, "\n  On any device, open  %s\n  and enter the code   %s\n", s->device.url,
        s->device.user_code);
    if (s->device.url_complete[0] != '\0')
        (void)fprintf(stderr, "  or open              %s\n", s->device.url_complete);
    (void)fprintf(stderr, "  It is valid for      %lld %s, until %s\n",
        (long long)(minutes > 0 ? minutes : s->device.expires_in_s),
        minutes > 0 ? "minutes" : "seconds", until);
    (void)fprintf(stderr,
        "\nGo on only if you started this sign-in yourself, just now: whoever "
        "approves it lets this\nmachine (%s) act as a connector.\n\nwaiting ...\n",
        x->s.to.name);
}

static void show(void *arg, struct signin *s, enum signin_stage stage)
{
    struct sign_in *x = arg;
    bool person = s->to.way == SIGNIN_DEVICE;

    if (x->c->quiet && (stage != SIGNIN_TOKEN_WAIT || !person))
        return;
    switch (stage) {
    case SIGNIN_DISCOVERY:
        (void)fprintf(stderr, "cloud     %s\n", s->to.cloud);
        break;
    case SIGNIN_SERVER:
        (void)fprintf(stderr, "issuer    %s\n", s->at.issuer[0] != '\0' ? s->at.issuer : "none");
        break;
    case SIGNIN_TOKEN_WAIT:
        (void)fprintf(stderr, "client    %s, scope %s\n", s->to.client_id, s->to.scope);
        if (person)
            say_code(x, s);
        break;
    case SIGNIN_ENROL:
        (void)fprintf(stderr, "%senrolling as %s\n", person ? "approved; " : "", s->to.name);
        break;
    case SIGNIN_PROOF:
        (void)fprintf(stderr, "trying the new identity\n");
        break;
    case SIGNIN_DONE:
        break;
    }
    (void)fflush(stderr);
}

/* A person at a terminal says it; a script has been started by somebody. */
static bool is_meant(const struct sign_in *x)
{
    char line[16] = "";

    if (x->s.to.way != SIGNIN_DEVICE || cli_given(x->c, "--yes") != NULL || !isatty(STDIN_FILENO))
        return true;
    (void)fprintf(stderr,
        "Sign this machine in as connector \"%s\" of %s. Did you start this yourself? [y/N] ",
        x->s.to.name, x->cloud);
    return fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
}

/* ---- keeping ----------------------------------------------------------------------------------------------------------- */

static int set_settings(struct sign_in *x, bool *changed, struct err *e)
{
    struct conf_change list[2];
    const struct connector *made = &x->s.made;
    size_t n = 0;

    if (!cloud_is_mine(made, x->conf->cloud.url))
        list[n++] = (struct conf_change){ "cloud", NULL, "url", made->cloud };
    if (x->trust[0] != '\0'
        && (x->conf->cloud.trust == NULL || strcmp(x->trust, x->conf->cloud.trust) != 0))
        list[n++] = (struct conf_change){ "cloud", NULL, "trust", x->trust };
    *changed = n > 0;
    return n > 0 ? conf_change(x->c->config, DROP_IN, list, n, e) : 0;
}

static int keep_identity(struct sign_in *x, struct json **answer)
{
    struct buf text = BUF_SECRET(SECRET_BYTES_MAX), q = BUF_SECRET((size_t)128 << 10);
    struct err e = { 0 };
    int code;

    buf_add_text(&q, "{\"command\":\"identity.keep\"}");
    buf_add_byte(&q, CONTROL_SECRET);
    if (connector_write(&x->s.made, &text, &e) == 0)
        base64_add(&q, buf_view(&text));
    if (text.len == 0 || buf_check(&q, &e) != 0)
        code = cli_fail(x->c, &e, "free some memory, then sign in again");
    else
        code = cmd_signin_ask(x->c, buf_view(&q), answer);
    buf_free(&text);
    buf_free(&q);
    return code;
}

static void say_done(struct sign_in *x, bool changed, const struct json *data)
{
    const struct connector *made = &x->s.made;
    bool running = cmd_signin_yes(data, "running"), used = cmd_signin_yes(data, "inUse");
    char until[24], renew[24];

    time_text(made->not_after_at, until);
    time_text(connector_renew_at(made), renew);
    (void)printf("signed in to %s as agent %s\n", made->cloud, made->agent_id);
    (void)printf(
        "  the certificate ends %s and is renewed by the service from %s on\n", until, renew);
    if (changed)
        (void)printf("  conf.d/" DROP_IN ".conf sets cloud.url%s\n",
            x->trust[0] != '\0' ? " and cloud.trust" : "");
    if (!running)
        (void)printf("  no service runs yet: certferry check, then systemctl start certferry\n");
    else if (used && !changed)
        (void)printf("  the running service uses it from now on\n");
    if (x->conf->cloud.client_certificate != NULL || x->conf->cloud.token_file != NULL)
        (void)printf("  cloud.client_certificate and cloud.token_file are not used any more\n");
}

static void json_done(struct sign_in *x, bool changed, const struct json *answer)
{
    struct buf data = BUF_INIT(8192);
    struct json_out o = { .to = &data };
    const struct connector *made = &x->s.made;

    json_open(&o, NULL, '{');
    json_put_text(&o, "agentId", made->agent_id);
    json_put_text(&o, "cloud", made->cloud);
    json_put_text(&o, "method", connector_method_name(made->method));
    json_put_time(&o, "notAfter", made->not_after_at);
    json_put_time(&o, "renewsAt", connector_renew_at(made));
    json_put_bool(&o, "settingsChanged", changed);
    json_put_bool(&o, "serviceRunning", cmd_signin_yes(answer, "running"));
    json_close(&o, '}');
    cli_envelope("certferry.sign-in/1", &data, NULL, EXIT_OK);
    buf_free(&data);
}

/* The service reads its settings again only if there are new ones. */
static void reload(struct sign_in *x)
{
    struct json *answer = NULL;
    struct cli quiet = *x->c;

    quiet.quiet = true;
    if (cmd_signin_ask(&quiet, view_text("{\"command\":\"reload\"}"), &answer) != 0)
        (void)fprintf(stderr, "note: restart the service, so that it uses the new settings: "
                              "systemctl restart certferry\n");
    else if (!x->c->json)
        (void)printf("  the running service takes over the new settings\n");
    json_free(answer);
}

static int keep(struct sign_in *x)
{
    struct json *answer = NULL;
    struct err e = { 0 };
    bool changed;
    int code;

    if (set_settings(x, &changed, &e) != 0)
        return cli_fail(x->c, &e,
            "mend it, then sign in again; the identity that was kept before is untouched");
    if ((code = keep_identity(x, &answer)) != 0)
        return code;
    if (changed)
        cli_audit(x->c, x->conf, "config.changed", "cloud.url", "sign-in");
    if (x->c->json)
        json_done(x, changed, json_get(answer, "data"));
    else
        say_done(x, changed, json_get(answer, "data"));
    if (changed && cmd_signin_yes(json_get(answer, "data"), "running"))
        reload(x);
    json_free(answer);
    return EXIT_OK;
}

/* ---- the command --------------------------------------------------------------------------------------------------------- */

/* Before anybody is troubled: may we keep what will come of it? */
static int look_first(struct sign_in *x)
{
    struct json *answer = NULL;
    int code = cmd_signin_ask(x->c, view_text("{\"command\":\"identity.show\"}"), &answer);
    const struct json *data = json_get(answer, "data");

    if (code == 0 && cmd_signin_yes(data, "signedIn") && !x->c->quiet)
        (void)fprintf(stderr,
            "note: this connector is agent %s of %s until %s; that stays so until the new identity "
            "has worked\n",
            cmd_signin_text(data, "agentId"), cmd_signin_text(data, "cloud"),
            cmd_signin_text(data, "notAfter"));
    json_free(answer);
    return code;
}

static int go(struct sign_in *x)
{
    struct lib *l = NULL;
    struct err e = { 0 };
    int code;

    if (!is_meant(x)) {
        (void)err_set(&e, ERR_INPUT, "not confirmed; nothing was changed");
        return cli_fail(x->c, &e, "certferry sign-in, and answer y; or --yes");
    }
    if ((code = cli_io(x->c, &l)) != 0)
        return code;
    x->s.show = show;
    x->s.arg = x;
    if (signin_run(&x->s, l, &e) != 0)
        code = cli_fail(x->c, &e, "%s", signin_fix(&x->s, &e));
    else
        code = keep(x);
    signin_end(&x->s);
    cli_io_end(l);
    return code;
}

int cmd_sign_in(struct cli *c)
{
    struct sign_in x = { .c = c, .secret = BUF_SECRET(SECRET_BYTES_MAX) };
    struct err e = { 0 }, missing;
    int code;

    if ((x.conf = conf_load_incomplete(c->config, &missing, &e)) == NULL)
        return cli_fail(c, &e, "certferry check --config %s", c->config);
    if ((x.lib = lib_new(&e)) == NULL)
        code = cli_fail(c, &e, "free some memory, then try again");
    else {
        x.secrets = cli_secrets(c, x.conf, x.lib, &x.vault);
        if ((code = take(&x)) == 0 && (code = look_first(&x)) == 0)
            code = go(&x);
    }
    buf_free(&x.secret);
    secrets_close(x.secrets);
    vault_close(&x.vault);
    lib_free(x.lib);
    conf_free(x.conf);
    return code;
}
