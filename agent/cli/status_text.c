/* see status.h.  The screen. */
#include <stdio.h>
#include <string.h>
#include "agent/cli/cli.h"
#include "agent/cli/status.h"

/* ---- the head ----------------------------------------------------------------------------------------------- */

/* What is in the files is not what is in use. */
static void put_refused(const struct json *config, struct buf *b)
{
    const struct json *last = json_get(config, "last_reload");

    if (last != NULL && !cli_true(last, "ok"))
        buf_printf(b,
            "Config   refused at %s, the one before is in use: %s\n         fix: certferry check\n",
            cli_text(last, "at"), cli_text(last, "message"));
}

static void put_head(const struct json *d, int64_t now, struct buf *b)
{
    char ago[40];

    if (json_get(d, "peers") == NULL)
        buf_printf(b, "certferry %s  no service is running; this is what its store holds\n",
            cli_text(d, "version"));
    else
        buf_printf(b, "certferry %s  running for %s (pid %lld)   health: %s\n",
            cli_text(d, "version"), cli_ago(now - cli_number(d, "uptime_s"), now, ago, sizeof ago),
            (long long)cli_number(d, "pid"), cli_text(d, "health"));
    put_refused(json_get(d, "config"), b);
}

/* ---- peers and endpoints ---------------------------------------------------------------------------------------- */

static void put_peer(const struct json *p, int64_t now, struct buf *b)
{
    bool cloud = strcmp(cli_text(p, "type"), "ccp") == 0;
    char ago[40], next[40];

    buf_printf(b, "%-8s %-12s ", cloud ? "Cloud" : "CA", cli_text(p, "name"));
    if (strcmp(cli_text(p, "state"), "failing") == 0) {
        buf_printf(b, "FAILING for %s (%s: %s)",
            cli_ago(cli_time(p, "failingSince"), now, ago, sizeof ago), cli_text(p, "class"),
            cli_text(p, "message"));
        if (cli_time(p, "nextTry") > now)
            buf_printf(
                b, ", next try in %s", cli_ago(cli_time(p, "nextTry"), now, next, sizeof next));
    } else if (cli_time(p, "lastOk") != 0) {
        buf_printf(b, "ok, last answer %s ago, %lld answer%s",
            cli_ago(cli_time(p, "lastOk"), now, ago, sizeof ago),
            (long long)cli_number(p, "answers"), cli_number(p, "answers") == 1 ? "" : "s");
    } else {
        buf_add_text(b, "not asked yet");
    }
    buf_add_text(b, "\n");
}

static void put_endpoint(const struct json *p, int64_t now, struct buf *b)
{
    char left[40];

    buf_printf(b, "%-8s %-12s ", "SCEP", cli_text(p, "endpoint"));
    if (cli_true(p, "serving"))
        buf_printf(b, "serving, %lld issued, %lld refused", (long long)cli_number(p, "issued"),
            (long long)cli_number(p, "refused"));
    else
        buf_printf(b, "NOT SERVING: %s", cli_text(p, "why"));
    if (cli_time(p, "raExpiresAt") != 0)
        buf_printf(b, ", RA certificate %s left",
            cli_ago(cli_time(p, "raExpiresAt"), now, left, sizeof left));
    buf_add_text(b, "\n");
}

static void put_listener(const struct json *l, struct buf *b)
{
    buf_printf(b, "%-8s %-12s port %lld%s, %lld connections\n", "Listen", cli_text(l, "name"),
        (long long)cli_number(l, "port"), cli_true(l, "tls") ? ", TLS" : "",
        (long long)cli_number(l, "connections"));
}

/* ---- who we are -------------------------------------------------------------------------------------------------- */

static void put_identity(const struct json *d, struct buf *b)
{
    if (cli_true(d, "needsSignIn"))
        buf_printf(b, "Identity NEEDS SIGN-IN since %s: %s\n         fix: certferry sign-in\n",
            cli_text(d, "since"), cli_text(d, "reason"));
    else if (cli_text(d, "agentId")[0] != '\0')
        buf_printf(b, "Identity %s, certificate until %s, %lld d left, renewed from %s on\n",
            cli_text(d, "agentId"), cli_text(d, "notAfter"), (long long)cli_number(d, "daysLeft"),
            cli_text(d, "renewsAt"));
}

static void put_reconcile(const struct json *d, struct buf *b)
{
    const char *state = cli_text(d, "state"), *until = cli_text(d, "until");

    if (strcmp(state, "clone") == 0)
        buf_printf(b,
            "Identity TWO SERVICES UNDER ONE IDENTITY since %s: requests from before wait; seen: "
            "%s\n"
            "         fix: stop the other one, then: certferry reconcile --this-one\n",
            cli_text(d, "since"), cli_text(d, "why"));
    else if (cli_text(d, "why")[0] != '\0')
        buf_printf(b, "Compare  requests from before %s with the cloud%s%s; seen: %s\n",
            cli_text(d, "since"), until[0] != '\0' ? ", until " : "", until, cli_text(d, "why"));
}

static void put_master_key(const struct json *d, struct buf *b)
{
    if (strcmp(cli_text(d, "masterKey"), "beside the store") == 0)
        buf_add_text(b,
            "Key      WARNING: a plain file beside the store: a copy of both opens itself; "
            "certferry(1), KEYS\n");
}

static void put_log(const struct json *d, struct buf *b)
{
    const char *level = cli_text(d, "level"), *until = cli_text(d, "until");

    if (d == NULL || strcmp(level, cli_text(d, "configured")) == 0)
        return;
    buf_printf(b, "Log      level %s instead of %s%s%s\n", level, cli_text(d, "configured"),
        until[0] != '\0' ? ", until " : "; certferry logs level ",
        until[0] != '\0' ? until : cli_text(d, "configured"));
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

static void put_queue(const struct json *d, int64_t now, struct buf *b)
{
    const struct json *r = json_get(d, "requests"), *q = json_get(d, "queue");
    char ago[40];

    buf_printf(b, "Queue    %lld ready, %lld retrying, %lld pending, %lld held   oldest %s\n",
        (long long)cli_number(r, "ready"), (long long)cli_number(r, "retrying"),
        (long long)cli_number(r, "pending"), (long long)cli_number(r, "held"),
        cli_ago(cli_time(d, "oldestOpen"), now, ago, sizeof ago));
    for (size_t i = 0; i < json_count(q); i++) {
        const struct json *w = json_at(q, i);

        buf_printf(b, "         %lld %s, wait for %s%s%s   oldest %s\n",
            (long long)cli_number(w, "count"), cli_text(w, "state"), cli_text(w, "waitsFor"),
            cli_text(w, "name")[0] != '\0' ? " " : "", cli_text(w, "name"),
            cli_ago(cli_time(w, "oldest"), now, ago, sizeof ago));
    }
    if (cli_number(d, "stuck") > 0)
        buf_printf(b, "         %lld stuck: certferry requests list --stuck\n",
            (long long)cli_number(d, "stuck"));
}

static void put_ended(const struct json *d, struct buf *b)
{
    const struct json *day = json_get(d, "lastDay"), *r = json_get(d, "requests");

    buf_printf(b,
        "24 h     %lld delivered, %lld rejected, %lld superseded, %lld cancelled, %lld orphans, "
        "%lld possible duplicates\n",
        (long long)cli_number(day, "delivered"), (long long)cli_number(day, "rejected"),
        (long long)cli_number(day, "superseded"), (long long)cli_number(day, "cancelled"),
        (long long)cli_number(day, "orphans"), (long long)cli_number(day, "duplicatesPossible"));
    buf_printf(b, "Ever     %lld delivered, %lld rejected, %lld superseded, %lld cancelled\n",
        (long long)cli_number(r, "delivered"), (long long)cli_number(r, "rejected"),
        (long long)cli_number(r, "superseded"), (long long)cli_number(r, "cancelled"));
    if (cli_number(d, "orphans") > 0)
        buf_printf(b, "Orphans  %lld, of which %lld only possible: certferry orphans list\n",
            (long long)cli_number(d, "orphans"), (long long)cli_number(d, "duplicatesPossible"));
}

/* ---- the rest ----------------------------------------------------------------------------------------------------- */

static void put_certificates(const struct json *d, struct buf *b)
{
    static const char *const known[][2] = { { "cloud_client", "shown to the cloud" },
        { "connector", "shown to the cloud" }, { "ca_client", "shown to the CA" },
        { "scep_ra", "of the registration authority" }, { "listener", "of the listener" } };
    const struct json *list = json_get(d, "certificates");

    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *c = json_at(list, i);
        const char *purpose = cli_text(c, "purpose");

        for (size_t n = 0; n < sizeof known / sizeof known[0]; n++)
            if (strcmp(known[n][0], purpose) == 0)
                purpose = known[n][1];
        buf_printf(b, "Cert     %-12s %lld d left, %s%s\n", cli_text(c, "name"),
            (long long)cli_number(c, "daysLeft"), purpose,
            cli_number(c, "daysLeft") < 14 ? "  <- soon" : "");
    }
}

static void put_machine(const struct json *d, int64_t now, struct buf *b)
{
    const struct json *peers = json_get(d, "peers");
    int64_t mib = cli_number(d, "storeFree") >> 20, backup = cli_time(d, "backupAt");
    char ago[40];

    for (size_t i = 0; i < json_count(peers); i++)
        if (json_get(json_at(peers, i), "clockOffset_s") != NULL) {
            buf_printf(b, "Clock    %+lld s at %s\n",
                (long long)cli_number(json_at(peers, i), "clockOffset_s"),
                cli_text(json_at(peers, i), "name"));
            break; /* the cloud's, if there is one */
        }
    buf_printf(b, "Store    %s, %lld.%lld GiB free", cli_text(d, "store"), (long long)(mib / 1024),
        (long long)(mib % 1024 * 10 / 1024));
    if (backup != 0)
        buf_printf(b, ", backup %s ago", cli_ago(backup, now, ago, sizeof ago));
    buf_add_text(b, "\n");
}

/* No service: how its peers were when it was there last. */
static void put_last_seen(const struct json *d, int64_t now, struct buf *b)
{
    const struct json *seen = json_get(d, "lastSeen"), *peers = json_get(seen, "peers");
    char ago[40];

    if (seen == NULL)
        return;
    buf_printf(b, "Seen     %s ago:", cli_ago(cli_time(seen, "time"), now, ago, sizeof ago));
    for (size_t i = 0; i < json_count(peers); i++)
        buf_printf(b, "%s %s %s", i > 0 ? "," : "", cli_text(json_at(peers, i), "name"),
            cli_text(json_at(peers, i), "state"));
    buf_add_text(b, "\n");
}

void status_text(const struct json *d, int64_t now, struct buf *b)
{
    const struct json *peers = json_get(d, "peers"), *scep = json_get(d, "scep"),
                      *listeners = json_get(d, "listeners");

    put_head(d, now, b);
    put_last_seen(d, now, b);
    for (size_t i = 0; i < json_count(peers); i++)
        put_peer(json_at(peers, i), now, b);
    for (size_t i = 0; i < json_count(scep); i++)
        put_endpoint(json_at(scep, i), now, b);
    for (size_t i = 0; i < json_count(listeners); i++)
        put_listener(json_at(listeners, i), b);
    put_identity(json_get(d, "identity"), b);
    put_reconcile(json_get(d, "reconcile"), b);
    put_queue(d, now, b);
    put_ended(d, b);
    put_certificates(d, b);
    put_machine(d, now, b);
    put_log(json_get(d, "log"), b);
    put_master_key(d, b);
}
