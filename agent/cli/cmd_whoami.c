/* whoami, sign-out, reconcile: the identity that is kept, and whether it is ours alone. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "agent/cli/cmd_signin_inner.h"

/* ---- questions --------------------------------------------------------------------------------------------------------- */

int cmd_signin_ask(struct cli *c, struct view request, struct json **answer)
{
    int code;

    c->answer_hidden = true; /* it is not ours, it only helps us */
    code = cli_ask_keys(c, request, answer);
    c->answer_hidden = false;
    return code;
}

const char *cmd_signin_text(const struct json *o, const char *name)
{
    const char *v = "";
    struct err e;

    (void)!json_text(o, name, false, 8192, &v, &e);
    return v;
}

bool cmd_signin_yes(const struct json *o, const char *name)
{
    bool v = false;
    struct err e;

    (void)!json_bool(o, name, false, &v, &e);
    return v;
}

/* ---- whoami ------------------------------------------------------------------------------------------------------------ */

static void print_identity(const struct json *d)
{
    const struct json *certificate = json_get(d, "certificate");
    bool tokens = strcmp(cmd_signin_text(d, "method"), "private_key_jwt") == 0;
    int64_t days = 0;
    struct err e;

    (void)!json_int(d, "daysLeft", false, INT64_MIN, INT64_MAX, &days, &e);
    (void)printf("agent        %s\n", cmd_signin_text(d, "agentId"));
    (void)printf("cloud        %s\n", cmd_signin_text(d, "cloud"));
    (void)printf("known by     %s\n",
        tokens ? "access tokens, which its key signs for" : "its certificate (TLS)");
    (void)printf("certificate  %s, issued by %s\n", cmd_signin_text(certificate, "serialNumber"),
        cmd_signin_text(certificate, "issuer"));
    (void)printf("valid        %s to %s, %lld days left\n",
        cmd_signin_text(certificate, "notBefore"), cmd_signin_text(certificate, "notAfter"),
        (long long)days);
    (void)printf("renewed      from %s on%s\n", cmd_signin_text(d, "renewsAt"),
        cmd_signin_yes(d, "renewalUntried") ? "; the new certificate is being tried" : "");
    if (!cmd_signin_yes(d, "forConfiguredCloud"))
        (void)printf("NOT USED: cloud.url is %s\n", cmd_signin_text(d, "configuredCloud")[0] != '\0'
                                                        ? cmd_signin_text(d, "configuredCloud")
                                                        : "not set");
}

static void print_nobody(const struct json *d)
{
    (void)printf("not signed in\n");
    if (cmd_signin_text(d, "clientCertificate")[0] != '\0')
        (void)printf(
            "known by     cloud.client_certificate, %s\n", cmd_signin_text(d, "clientCertificate"));
    else if (cmd_signin_yes(d, "tokenFile"))
        (void)printf("known by     the token of cloud.token_file\n");
    else
        (void)fprintf(stderr, "  fix:  certferry sign-in\n");
}

int cmd_whoami(struct cli *c)
{
    struct json *answer = NULL;
    int code = cli_ask_keys(c, view_text("{\"command\":\"identity.show\"}"), &answer);
    const struct json *d = json_get(answer, "data");
    bool known = cmd_signin_yes(d, "signedIn") || cmd_signin_yes(d, "tokenFile")
                 || cmd_signin_text(d, "clientCertificate")[0] != '\0';

    if (code == 0 && !c->json) {
        if (cmd_signin_yes(d, "signedIn"))
            print_identity(d);
        else
            print_nobody(d);
        if (cmd_signin_yes(d, "needsSignIn"))
            (void)printf("NEEDS SIGN-IN since %s: %s\n", cmd_signin_text(d, "since"),
                cmd_signin_text(d, "reason"));
    }
    if (code == 0 && (!known || cmd_signin_yes(d, "needsSignIn")))
        code = EXIT_AUTH;
    json_free(answer);
    return code;
}

/* ---- reconcile ---------------------------------------------------------------------------------------------------------- */

static int say_reconcile(const struct json *r)
{
    const char *state = cmd_signin_text(r, "state"), *why = cmd_signin_text(r, "why");

    if (strcmp(state, "clone") == 0) {
        (void)printf("two services live under this identity, since %s\n  %s\n"
                     "  requests from before wait here; new ones go on\n"
                     "  stop the other service, then: certferry reconcile --this-one\n"
                     "  or, if both are to live: certferry sign-in at one of them\n",
            cmd_signin_text(r, "since"), why);
        return EXIT_DEGRADED;
    }
    if (why[0] == '\0') {
        (void)printf("this is the only service under this identity, as far as the cloud knows\n");
        return EXIT_OK;
    }
    (void)printf("requests from before %s are compared with the cloud\n  %s\n",
        cmd_signin_text(r, "since"), why);
    if (cmd_signin_text(r, "until")[0] != '\0')
        (void)printf("  until %s another service would show itself; then they go on\n",
            cmd_signin_text(r, "until"));
    return EXIT_DEGRADED;
}

int cmd_reconcile(struct cli *c)
{
    bool claim = cli_given(c, "--this-one") != NULL;
    struct json *answer = NULL;
    int code = cli_ask_keys(c,
        view_text(claim ? "{\"command\":\"reconcile.claim\"}" : "{\"command\":\"reconcile.show\"}"),
        &answer);

    if (code == 0 && !c->json)
        code = say_reconcile(json_get(json_get(answer, "data"), "reconcile"));
    json_free(answer);
    return claim && code == EXIT_DEGRADED ? EXIT_OK : code;
}

/* ---- sign-out ------------------------------------------------------------------------------------------------------------ */

static bool is_meant(const struct cli *c, const struct json *d)
{
    char line[16] = "";

    if (cli_given(c, "--yes") != NULL)
        return true;
    if (!isatty(STDIN_FILENO))
        return false;
    (void)fprintf(stderr,
        "Agent %s of %s: its key is destroyed, requests wait until somebody signs in again. "
        "Sign out? [y/N] ",
        cmd_signin_text(d, "agentId"), cmd_signin_text(d, "cloud"));
    return fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
}

int cmd_sign_out(struct cli *c)
{
    const struct view show = view_text("{\"command\":\"identity.show\"}");
    struct json *shown = NULL, *answer = NULL;
    struct err e = { 0 };
    bool json = c->json;
    int code;

    c->json = false; /* one document only: what comes of it is the last one's */
    code = cmd_signin_ask(c, show, &shown);
    c->json = json;
    if (json && code != 0 && code != EXIT_FAILED)
        return cmd_signin_ask(c, show, &shown); /* the same error as a document */

    if (code == 0 && cmd_signin_yes(json_get(shown, "data"), "signedIn")
        && !is_meant(c, json_get(shown, "data"))) {
        (void)err_set(&e, ERR_INPUT, "not confirmed; nothing was changed");
        code = cli_fail(c, &e, "certferry sign-out --yes");
    } else if (code == 0
               || code == EXIT_FAILED) { /* what cannot be read can be destroyed all the same */
        code = cli_ask_keys(c, view_text("{\"command\":\"identity.drop\"}"), &answer);
        if (code == 0 && !c->json)
            (void)printf(
                "signed out; the key is destroyed\n  the cloud still lists agent %s: remove it "
                "there if it is not to come back\n",
                cmd_signin_text(json_get(answer, "data"), "agentId"));
    }
    json_free(shown);
    json_free(answer);
    return code;
}
