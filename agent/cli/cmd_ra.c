/* ra show, ra renew: what a person sees of the answers of control_ra.h. */
#include <stdio.h>
#include <string.h>
#include "agent/cli/cli.h"

static const char *text(const struct json *o, const char *name)
{
    const char *v = "";
    struct err e;

    (void)!json_text(o, name, false, 8192, &v, &e);
    return v;
}

static bool yes(const struct json *o, const char *name)
{
    bool v = false;
    struct err e;

    (void)!json_bool(o, name, false, &v, &e);
    return v;
}

static void print_certificate(const char *what, const struct json *c)
{
    int64_t days = 0;
    struct err e;

    if (c == NULL)
        return;
    (void)!json_int(c, "daysLeft", false, INT64_MIN, INT64_MAX, &days, &e);
    (void)printf("  %-10s  %s\n", what, text(c, "subject"));
    (void)printf("              issuer   %s\n", text(c, "issuer"));
    (void)printf("              serial   %s\n", text(c, "serialNumber"));
    (void)printf("              SHA-1    %s\n", text(c, "sha1"));
    (void)printf("              SHA-256  %s\n", text(c, "sha256"));
    (void)printf("              valid    %s to %s, %lld days left\n", text(c, "notBefore"),
        text(c, "notAfter"), (long long)days);
}

static void print_requests(const struct json *list)
{
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *r = json_at(list, i);

        (void)printf("  enrolling   %s: %s, request %s%s%s\n", text(r, "use"), text(r, "state"),
            text(r, "request"), text(r, "reason")[0] != '\0' ? ": " : "", text(r, "reason"));
    }
}

static void print_endpoint(const struct json *p)
{
    const struct json *previous = json_get(p, "previous");

    (void)printf("scep \"%s\"  CA %s, certificates %s%s\n", text(p, "endpoint"), text(p, "ca"),
        strcmp(text(p, "source"), "file") == 0 ? "from files" : "enrolled by the service",
        yes(p, "inUse") ? "" : "; NONE IN USE");
    print_certificate("signing", json_get(p, "signing"));
    print_certificate("encryption", json_get(p, "encryption"));
    for (size_t i = 0; i < json_count(previous); i++)
        print_certificate("previous", json_at(previous, i));
    if (text(p, "renewsAt")[0] != '\0')
        (void)printf("  renewed     from %s on\n", text(p, "renewsAt"));
    if (yes(p, "renewalAsked"))
        (void)printf("  renewed     as soon as a service runs\n");
    print_requests(json_get(p, "enrolling"));
}

static int ask(struct cli *c, const char *command, const char *endpoint, bool changes)
{
    struct buf q = BUF_INIT(4096);
    struct json_out o = { .to = &q };
    struct json *answer;
    int code;

    json_open(&o, NULL, '{');
    json_put_text(&o, "command", command);
    json_put_text(&o, "endpoint", endpoint);
    json_close(&o, '}');
    code = cli_ask(c, buf_text(&q), changes, &answer);
    buf_free(&q);
    if (answer != NULL && !c->json) {
        const struct json *list = json_get(json_get(answer, "data"), "endpoints");

        for (size_t i = 0; i < json_count(list); i++)
            print_endpoint(json_at(list, i));
        if (json_count(list) == 0)
            (void)fprintf(stderr, "no scep section is configured\n");
    }
    json_free(answer);
    return code == EXIT_NO_SERVICE ? EXIT_OK : code;
}

int cmd_ra_show(struct cli *c)
{
    return ask(c, "ra.show", NULL, false);
}

int cmd_ra_renew(struct cli *c)
{
    return ask(c, "ra.renew", c->args[0], true);
}
