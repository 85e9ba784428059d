/*
 * A challenge plugin that answers what the challenge names: every answer that is none.  It sees the installed
 * header and the C library; test/live/scep_plugin.sh builds it.
 */
#include <certferry/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wants(const struct certferry_request *r, const char *what)
{
    return r->challenge != NULL && strcmp(r->challenge, what) == 0;
}

static void question(struct certferry_verdict *v, const char *method, const char *url)
{
    v->answer = CERTFERRY_ASK;
    v->ask.method = method;
    v->ask.url = url;
}

static void claim(struct certferry_verdict *v, const char *claims)
{
    v->answer = CERTFERRY_ALLOW;
    v->claims = claims;
}

static void verify(void *self, const struct certferry_request *r,
    const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v)
{
    static const struct {
        const char *challenge, *claims;
    } claims[] = { { "liar-claims-fit", "{\"subject\":\"CN=claims-fit\"}" },
        { "liar-claims-other", "{\"subject\":\"CN=boss\"}" },
        { "liar-claims-cut", "{\"subject\":" }, { "liar-claims-two", "{} {}" },
        { "liar-claims-list", "[]" }, { "liar-claims-empty", "" },
        { "liar-claims-twice", "{\"subject\":\"CN=boss\",\"subject\":\"CN=claims-twice\"}" },
        { "liar-claims-new", "{\"floor\":3}" } };

    (void)self;
    (void)reply;
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++)
        if (wants(r, claims[i].challenge))
            claim(v, claims[i].claims);
    if (wants(r, "liar-seven"))
        v->answer = (enum certferry_answer)7;
    if (wants(r, "liar-minus"))
        v->answer = (enum certferry_answer) - 1;
    if (wants(r, "liar-fail-number")) {
        v->fail = (enum certferry_fail)77;
        memset(v->why, '\n', sizeof v->why); /* and no end */
    }
    if (wants(r, "liar-plain-http"))
        question(v, "POST", "http://127.0.0.1/");
    if (wants(r, "liar-no-url"))
        question(v, "GET", NULL);
    if (wants(r, "liar-program")) { /* its section names none */
        v->answer = CERTFERRY_ASK;
        v->ask.program = 1;
    }
    if (wants(r, "liar-endless")) { /* nobody listens on port 1, which is an answer each time */
        if (round > 20)
            v->answer = CERTFERRY_ALLOW;
        else
            question(v, "GET", "https://127.0.0.1:1/");
    }
    if (wants(r, "liar-late-mind") && round == 0)
        question(v, "GET", "https://127.0.0.1:1/");
    else if (wants(r, "liar-late-mind"))
        v->answer = CERTFERRY_ALLOW;
    if (wants(r, "liar-crash"))
        abort();
    if (wants(r, "liar-not-noted") || wants(r, "liar-not-noted-either"))
        v->answer = CERTFERRY_ALLOW;
}

static void notify(void *self, const struct certferry_request *r, const struct certferry_outcome *o,
    const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v)
{
    (void)self;
    (void)o;
    (void)reply;
    (void)round;
    v->answer = wants(r, "liar-not-noted")          ? CERTFERRY_DENY
                : wants(r, "liar-not-noted-either") ? (enum certferry_answer)99
                                                    : CERTFERRY_ALLOW;
}

static int begin(const struct certferry_host *h, void **self, char *why, size_t size)
{
    const char *refuse = h->setting(h->ctx, "refuse");

    *self = NULL;
    if (refuse != NULL)
        snprintf(why, size, "%s", refuse);
    return refuse != NULL ? -1 : 0;
}

static void end(void *self)
{
    (void)self;
}

#ifndef LIAR_ABI
#define LIAR_ABI CERTFERRY_PLUGIN_ABI
#endif
#ifndef LIAR_SIZE
#define LIAR_SIZE sizeof(struct certferry_plugin)
#endif
#ifndef LIAR_FLAGS
#define LIAR_FLAGS 0
#endif
#ifndef LIAR_VERIFY
#define LIAR_VERIFY verify
#endif

const struct certferry_plugin *certferry_plugin_v1(void)
{
    static const struct certferry_plugin table = { .abi = LIAR_ABI,
        .size = LIAR_SIZE,
        .name = "liar",
        .version = "1",
        .summary = "answers that are none",
        .flags = LIAR_FLAGS,
        .open = begin,
        .close = end,
        .verify = LIAR_VERIFY,
        .notify = notify };

    (void)verify;
    return &table;
}
