/*
 * scep-hostile: messages from nobody who means well, to a running service; a verdict for each as TAP.
 *
 *   scep-hostile [rows|race|oracle] --url URL (--sandbox DIR | --challenge-file FILE)
 *                [--renew-url URL] [--only TEXT] [--clients N] [--times N]
 *
 * With --sandbox the challenges come from Intune's stand-in, and the CA's book is looked at after each case:
 * what is refused must not have reached the CA.
 */
#include "test/scep/hostile.h"
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tap {
    unsigned number, failed;
};

static void verdict(struct tap *t, bool good, const char *name, unsigned want, struct bench *b)
{
    struct str wanted = { 0 };

    t->number++;
    t->failed += !good;
    outcome_text(want, &wanted);
    printf("%sok %u - %s\n", good ? "" : "not ", t->number, name);
    if (!good)
        printf("# wanted %s, got %s\n", wanted.p, str_text(&b->why));
    fflush(stdout);
    str_free(&wanted);
}

/* What was refused must not have been submitted; SUCCESS is one submission at most. */
static bool book_agrees(struct bench *b, int64_t before, unsigned got)
{
    int64_t after = before;

    if (!bench_submitted(b, &after))
        return true;
    b->submitted = after;
    if (got == OK || got == PENDING || after == before)
        return after - before <= 1;
    str_f(&b->why, ", but the CA got %lld requests", (long long)(after - before));
    return false;
}

static unsigned raw_case(struct bench *b, const struct row *r)
{
    struct str request = { 0 }, body = { 0 };
    struct response a = { 0 };
    char why[WHY] = "";
    unsigned bit = CLOSED;

    str_cut(&b->why, 0);
    if (r->raw != NULL) {
        r->raw(b, r, &request);
    } else {
        r->body(b, &body);
        post_request(
            &b->to, "operation=PKIOperation", "application/x-pki-message", &body, &request);
    }
    if (talk(&b->to, &request, &a, why))
        bit = read_answer(b, &a, NULL, NULL);
    else
        str_f(&b->why, "%s", why);
    if (a.status != 0 && strstr(str_text(&a.head), "X-Evil") != NULL) {
        bit = 0;
        str_puts(&b->why, "a header that was ours");
    }
    response_free(&a);
    str_free(&request);
    str_free(&body);
    return bit;
}

static void run_row(struct bench *b, const struct row *r, struct tap *t)
{
    struct made m = { .key = NULL };
    int64_t before = b->submitted;
    unsigned got = 0;

    str_cut(&b->why, 0);
    if (r->raw != NULL || r->body != NULL)
        got = raw_case(b, r);
    else if (make_case(b, r, &m))
        got = post_case(b, &m, NULL);
    else if (b->why.len == 0)
        str_puts(&b->why, "the case could not be made");
    verdict(t, (got & r->want) != 0 && book_agrees(b, before, got), r->name, r->want, b);
    made_free(&m);
}

static void run_table(
    struct bench *b, const struct row *rows, size_t count, const char *only, struct tap *t)
{
    for (size_t i = 0; i < count; i++) {
        if (only == NULL || strstr(rows[i].name, only) != NULL)
            run_row(b, &rows[i], t);
    }
}

/* SR-05: every number, whatever it means.  19 is in the other tables; 17 here is self-signed, 20 to 22 have a
 * request inside where something else belongs. */
static void run_types(struct bench *b, const char *only, struct tap *t)
{
    for (unsigned i = 0; i < 256; i++) {
        char name[32], type[8];
        struct row r = { .name = name, .want = BAD_REQUEST, .challenge = FRESH };

        snprintf(name, sizeof name, "messageType %u", i);
        snprintf(type, sizeof type, "%u", i);
        r.msg.type = type;
        if (i == 17)
            r.want = BAD_CHECK | BAD_REQUEST;
        else if (i >= 20 && i <= 22)
            r.want = BAD_REQUEST | BAD_CERT_ID;
        if (i != 19 && (only == NULL || strstr(name, only) != NULL))
            run_row(b, &r, t);
    }
}

int run_rows(struct bench *b, const char *only)
{
    struct tap t = { 0 };
    static const struct row alive = { .name = "and the service still serves", .want = OK };

    if (!bench_first(b)) {
        printf("not ok 1 - an ordinary enrolment\n# %s\n1..1\n", str_text(&b->why));
        return 1;
    }
    bench_submitted(b, &b->submitted);
    run_table(b, rows_message, rows_message_count, only, &t);
    run_table(b, rows_envelope, rows_envelope_count, only, &t);
    run_table(b, rows_request, rows_request_count, only, &t);
    run_table(b, rows_renewal, rows_renewal_count, only, &t);
    run_table(b, rows_http, rows_http_count, only, &t);
    run_table(b, rows_type, rows_type_count, only, &t);
    run_types(b, only, &t);
    run_row(b, &alive, &t);
    printf("1..%u\n", t.number);
    return t.failed > 0;
}

static int usage(void)
{
    fputs(
        "usage: scep-hostile [rows|race|oracle] --url URL (--sandbox DIR | --challenge-file FILE)\n"
        "         [--only TEXT]  [--clients N (64)]  [--times N (300)]\n",
        stderr);
    return 64;
}

static const struct option longs[] = {
    { "url", required_argument, NULL, 'u' },
    { "renew-url", required_argument, NULL, 'r' },
    { "sandbox", required_argument, NULL, 's' },
    { "challenge-file", required_argument, NULL, 'c' },
    { "only", required_argument, NULL, 'o' },
    { "clients", required_argument, NULL, 'n' },
    { "times", required_argument, NULL, 't' },
    { NULL, 0, NULL, 0 },
};

int main(int argc, char **argv)
{
    static struct bench b;
    const char *mode = argc > 1 && argv[1][0] != '-' ? argv[1] : "rows", *url = NULL, *only = NULL,
               *renew_url = NULL;
    unsigned clients = 64, times = 300;
    int c, rc = 1;

    signal(SIGPIPE, SIG_IGN);
    optind = argc > 1 && argv[1][0] != '-' ? 2 : 1;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 'u')
            url = optarg;
        else if (c == 'r')
            renew_url = optarg;
        else if (c == 's')
            b.sandbox = optarg;
        else if (c == 'c')
            b.challenge_file = optarg;
        else if (c == 'o')
            only = optarg;
        else if (c == 'n')
            clients = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 't')
            times = (unsigned)strtoul(optarg, NULL, 10);
        else
            return usage();
    }
    if (url == NULL || optind != argc)
        return usage();
    if (!bench_open(&b, url, renew_url))
        printf("Bail out! %s\n", str_text(&b.why));
    else if (strcmp(mode, "rows") == 0)
        rc = run_rows(&b, only);
    else if (strcmp(mode, "race") == 0)
        rc = run_race(&b, clients);
    else if (strcmp(mode, "oracle") == 0)
        rc = run_oracle(&b, times);
    else
        rc = usage();
    bench_close(&b);
    return rc;
}
