/*
 * see hostile.h: one challenge, many clients at once (SR-03)
 *
 * Each has a key and a request of its own.  One may win.  Then the winner's message is sent again, and all
 * that may come back is the same certificate.
 */
#include "test/scep/hostile.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENTS_MAX = 256, REPLAYS = 8 };

struct client {
    struct bench bench; /* a copy for its verdict; the rest is only read */
    struct made made;
    struct certrep rep;
    unsigned got;
    pthread_t thread;
    pthread_barrier_t *start;
};

static void *run(void *arg)
{
    struct client *c = arg;

    pthread_barrier_wait(c->start);
    c->got = post_case(&c->bench, &c->made, &c->rep);
    return NULL;
}

/* A message of its own for the same name and challenge. */
static bool prepare(struct bench *b, struct client *c, const char *cn, const char *challenge)
{
    EVP_PKEY *key = key_make("rsa2048");
    struct str subject = { 0 }, names[4] = { { 0 } }, env = { 0 };
    static const char *const form[] = { "dns:%s.contoso.example", "email:%s@contoso.example",
        "upn:%s@contoso.example", "uri:urn:device:%s" };
    struct pkcs10_plan p = {
        .key_usage = 5, .eku = { "1.3.6.1.5.5.7.3.2" }, .key = key, .challenge = challenge
    };

    str_f(&subject, "CN=%s,O=Contoso", cn);
    p.subject = subject.p;
    for (size_t i = 0; i < 4; i++) {
        const char *at = strstr(form[i], "%s");

        str_add(&names[i], form[i], (size_t)(at - form[i]));
        str_f(&names[i], "%s%s", cn, at + 2);
        p.san[i] = names[i].p;
    }
    c->made = (struct made){ .key = key, .signer_key = key, .nonce_len = 16, .has_nonce = true };
    copy_n(c->made.cn, sizeof c->made.cn, cn);
    c->made.signer = identity_make(&(struct identity_plan){ .subject = subject.p, .key = key });
    str_f(&c->made.transaction, "T-%s-%u", b->run, b->number++);
    pkcs10_write(&p, &c->made.csr);
    envelope_write(&(struct envelope_plan){ .recipient = b->ra.encrypt }, &c->made.csr, &env);
    message_write(&(struct message_plan){ .signer = c->made.signer,
                      .key = key,
                      .type = "19",
                      .transaction = c->made.transaction.p,
                      .nonce = c->made.nonce,
                      .nonce_len = 16 },
        &env, &c->made.message);
    c->bench = *b;
    c->bench.why = (struct str){ 0 };
    for (size_t i = 0; i < 4; i++)
        str_free(&names[i]);
    str_free(&env);
    str_free(&subject);
    return c->made.signer != NULL;
}

static void tap(unsigned *n, unsigned *failed, bool good, const char *what)
{
    printf("%sok %u - %s\n", good ? "" : "not ", ++*n, what);
    *failed += !good;
}

/* PENDING is polled by sending the same again: an answer in the end, SUCCESS or not. */
static unsigned settle(struct client *c)
{
    for (int i = 0; c->got == PENDING && i < 30; i++) {
        struct timespec second = { .tv_sec = 1 };

        nanosleep(&second, NULL);
        certrep_free(&c->rep);
        c->rep = (struct certrep){ 0 };
        c->got = post_case(&c->bench, &c->made, &c->rep);
    }
    return c->got;
}

static unsigned replays(struct client *winner)
{
    unsigned same = 0;

    for (int i = 0; i < REPLAYS; i++) {
        struct certrep again = { 0 };

        same += post_case(&winner->bench, &winner->made, &again) == OK
                && X509_cmp(again.first, winner->rep.first) == 0;
        certrep_free(&again);
    }
    return same;
}

static void judge(
    struct bench *b, struct client *all, unsigned clients, int64_t before, unsigned *failed)
{
    unsigned wins = 0, refusals = 0, n = 0;
    struct client *winner = NULL;
    int64_t after = before, later;
    bool counted;

    for (unsigned i = 0; i < clients; i++) {
        unsigned got = settle(&all[i]);

        wins += got == OK;
        refusals += (got & (BAD_ALG | BAD_CHECK | BAD_REQUEST | BAD_TIME | BAD_CERT_ID)) != 0;
        winner = got == OK ? &all[i] : winner;
        if (got != OK && (got & BAD_REQUEST) == 0)
            printf("# client %u: %s\n", i, str_text(&all[i].bench.why));
    }
    counted = bench_submitted(b, &after);
    printf("# %u clients: %u SUCCESS, %u FAILURE, %lld at the CA\n", clients, wins, refusals,
        (long long)(after - before));
    tap(&n, failed, wins == 1, "exactly one client gets a certificate");
    tap(&n, failed, wins + refusals == clients, "all others are refused");
    tap(&n, failed, !counted || after - before == 1, "the CA got one request");
    later = after;
    if (winner != NULL) {
        tap(&n, failed, replays(winner) == REPLAYS,
            "the winner's message again: the same certificate");
        counted = bench_submitted(b, &later);
        tap(&n, failed, !counted || later == after, "and nothing more at the CA");
    }
    printf("1..%u\n", n);
}

int run_race(struct bench *b, unsigned clients)
{
    struct client *all;
    pthread_barrier_t start;
    struct str challenge = { 0 };
    char cn[48];
    int64_t before = 0;
    unsigned failed = 0;
    bool ok;

    clients = clients > CLIENTS_MAX ? CLIENTS_MAX : clients < 2 ? 2 : clients;
    all = need(calloc(clients, sizeof *all));
    bench_new_cn(b, cn);
    ok = bench_challenge(b, FRESH, cn, &challenge);
    if (!ok)
        printf("Bail out! %s\n", str_text(&b->why));
    for (unsigned i = 0; ok && i < clients; i++)
        ok = prepare(b, &all[i], cn, challenge.p);
    bench_submitted(b, &before);
    if (ok) {
        pthread_barrier_init(&start, NULL, clients);
        for (unsigned i = 0; i < clients; i++) {
            all[i].start = &start;
            need(pthread_create(&all[i].thread, NULL, run, &all[i]) == 0 ? all : NULL);
        }
        for (unsigned i = 0; i < clients; i++)
            pthread_join(all[i].thread, NULL);
        pthread_barrier_destroy(&start);
        judge(b, all, clients, before, &failed);
    }
    for (unsigned i = 0; i < clients; i++) {
        certrep_free(&all[i].rep);
        EVP_PKEY_free(all[i].made.key);
        made_free(&all[i].made);
        str_free(&all[i].bench.why);
    }
    free(all);
    str_free(&challenge);
    return !ok || failed > 0;
}
