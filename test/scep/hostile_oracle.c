/*
 * see hostile.h: does the service tell in which way an envelope was wrong (SR-07)?
 *
 * Seven messages that are wrong in seven ways, all under one transaction id.  Their answers must be equal
 * byte for byte once nonce, signature and digests of it are blanked, and the times must come from one
 * distribution: each kind against all others, Kolmogorov and Smirnov's test.
 */
#include "test/scep/hostile.h"
#include <math.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRANSACTION .msg = { .transaction = "ORACLE" }

static const struct row kinds[] = {
    { "RSA padding wrong", BAD_REQUEST, .env = { .twist = ENV_BAD_RSA }, TRANSACTION },
    { "another key", BAD_REQUEST, .env = { .twist = ENV_WRONG_KEY }, TRANSACTION },
    { "a key of another length", BAD_REQUEST, .env = { .twist = ENV_SHORT_KEY }, TRANSACTION },
    { "the last block altered", BAD_REQUEST, .env = { .twist = ENV_BAD_BLOCK }, TRANSACTION },
    { "the content's padding wrong", BAD_REQUEST, .env = { .twist = ENV_BAD_PAD }, TRANSACTION },
    { "garbage in a good envelope", BAD_REQUEST, .inside = GARBAGE, TRANSACTION },
    { "a wrong challenge", BAD_REQUEST, .challenge = WRONG, TRANSACTION },
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* One in a hundred in all: with seven comparisons each alone must be rarer. */
static const double P_MIN = 0.01 / KINDS;

struct sample {
    double *us;
    size_t count;
};

static void blank(struct str *s, const void *what, size_t len)
{
    char *at = len == 0 || s->len == 0 ? NULL : memmem(s->p, s->len, what, len);

    if (at != NULL)
        memset(at, 0, len);
}

/* The bytes behind an attribute's OID, as many as its value has. */
static void blank_attribute(struct str *s, const char *dotted)
{
    struct str oid = { 0 };
    char *at;

    der_oid(&oid, dotted);
    at = s->len == 0 ? NULL : memmem(s->p, s->len, oid.p, oid.len);
    if (at != NULL) {
        size_t from = (size_t)(at - s->p) + oid.len + 4; /* SET and value, each with a short head */
        size_t len = from <= s->len ? (size_t)(unsigned char)s->p[from - 1] : 0;

        if (len < 128 && from + len <= s->len)
            memset(s->p + from, 0, len);
    }
    str_free(&oid);
}

/* What may differ, away: nonce, signing time, the signature. */
static void blank_all(struct str *s)
{
    const unsigned char *p = (const unsigned char *)str_text(s);
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)s->len);
    STACK_OF(CMS_SignerInfo) *all = cms == NULL ? NULL : CMS_get0_SignerInfos(cms);

    if (sk_CMS_SignerInfo_num(all) == 1) {
        ASN1_OCTET_STRING *sig = CMS_SignerInfo_get0_signature(sk_CMS_SignerInfo_value(all, 0));

        blank(s, ASN1_STRING_get0_data(sig), (size_t)ASN1_STRING_length(sig));
    }
    CMS_ContentInfo_free(cms);
    blank_attribute(s, "2.16.840.1.113733.1.9.5");
    blank_attribute(s, "2.16.840.1.113733.1.9.6");
    blank_attribute(s, "1.2.840.113549.1.9.5");
}

/* The head without its date. */
static void blank_date(struct str *head)
{
    char *date = head->len == 0 ? NULL : strcasestr(head->p, "\r\nDate:");

    if (date != NULL)
        memset(date + 7, ' ', strcspn(date + 7, "\r\n"));
}

static bool ask(struct bench *b, struct made *m, struct response *a)
{
    struct str request = { 0 };
    char why[WHY] = "";
    bool ok;

    post_request(
        &b->to, "operation=PKIOperation", "application/x-pki-message", &m->message, &request);
    ok = talk(&b->to, &request, a, why);
    if (!ok)
        printf("# %s\n", why);
    str_free(&request);
    return ok;
}

/* ---- bytes ---- */

static bool compare(struct bench *b, struct made *made)
{
    struct str first = { 0 }, head = { 0 };
    bool same = true;

    for (size_t k = 0; k < KINDS; k++) {
        struct response a = { 0 };
        bool ok = ask(b, &made[k], &a);

        blank_all(&a.body);
        blank_date(&a.head);
        if (k == 0) {
            str_add(&first, str_text(&a.body), a.body.len);
            str_puts(&head, str_text(&a.head));
        }
        ok = ok && a.body.len > 0 && a.body.len == first.len
             && memcmp(a.body.p, first.p, first.len) == 0
             && strcmp(str_text(&a.head), str_text(&head)) == 0;
        if (!ok)
            printf("# \"%s\": %zu bytes, HTTP %d; the first kind: %zu bytes\n", kinds[k].name,
                a.body.len, a.status, first.len);
        same = same && ok;
        response_free(&a);
    }
    str_free(&first);
    str_free(&head);
    return same;
}

/* ---- times ---- */

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

/* The chance of a distance at least so large if both are one distribution. */
static double ks_p(struct sample *a, struct sample *b)
{
    size_t i = 0, j = 0;
    double d = 0, n, lambda, p = 0;

    qsort(a->us, a->count, sizeof a->us[0], ascending);
    qsort(b->us, b->count, sizeof b->us[0], ascending);
    while (i < a->count && j < b->count) {
        double x = a->us[i] <= b->us[j] ? a->us[i] : b->us[j], now;

        while (i < a->count && a->us[i] <= x)
            i++;
        while (j < b->count && b->us[j] <= x)
            j++;
        now = fabs((double)i / (double)a->count - (double)j / (double)b->count);
        d = now > d ? now : d;
    }
    n = (double)a->count * (double)b->count / (double)(a->count + b->count);
    lambda = (sqrt(n) + 0.12 + 0.11 / sqrt(n)) * d;
    if (lambda < 0.3)
        return 1;
    for (int k = 1; k <= 100; k++)
        p += (k % 2 == 1 ? 2 : -2) * exp(-2.0 * k * k * lambda * lambda);
    return p < 0 ? 0 : p > 1 ? 1 : p;
}

static size_t pick(size_t below)
{
    unsigned char r[4];

    need(RAND_bytes(r, sizeof r) == 1 ? r : NULL);
    return ((size_t)r[0] << 16 | (size_t)r[1] << 8 | r[2]) % below;
}

/* In a random order, so that whatever else the machine does hits all kinds alike. */
static bool measure(struct bench *b, struct made *made, unsigned times, struct sample *s)
{
    size_t total = (size_t)times * KINDS;
    unsigned char *order = need(malloc(total));
    bool ok = true;

    for (size_t i = 0; i < total; i++)
        order[i] = (unsigned char)(i % KINDS);
    for (size_t i = total - 1; i > 0; i--) {
        size_t j = pick(i + 1);
        unsigned char swap = order[i];

        order[i] = order[j];
        order[j] = swap;
    }
    for (size_t i = 0; ok && i < total; i++) {
        struct response a = { 0 };

        ok = ask(b, &made[order[i]], &a);
        s[order[i]].us[s[order[i]].count++] = (double)a.us;
        response_free(&a);
    }
    free(order);
    return ok;
}

static unsigned judge_times(struct sample *s, unsigned times, unsigned *n)
{
    struct sample rest = { need(malloc((size_t)times * KINDS * sizeof(double))), 0 };
    unsigned failed = 0;

    for (size_t k = 0; k < KINDS; k++) {
        double p;

        rest.count = 0;
        for (size_t i = 0; i < KINDS; i++) {
            for (size_t t = 0; i != k && t < s[i].count; t++)
                rest.us[rest.count++] = s[i].us[t];
        }
        p = ks_p(&s[k], &rest);
        failed += p < P_MIN;
        printf(
            "%sok %u - \"%s\" takes as long as the others: median %.0f us of %.0f us, p = %.4f\n",
            p < P_MIN ? "not " : "", ++*n, kinds[k].name, s[k].us[s[k].count / 2],
            rest.us[rest.count / 2], p);
    }
    free(rest.us);
    return failed;
}

int run_oracle(struct bench *b, unsigned times)
{
    struct made made[KINDS] = { { .key = NULL } };
    struct sample s[KINDS] = { { NULL, 0 } };
    unsigned failed = 0, n = 1;
    bool ok = true, same;

    for (size_t k = 0; ok && k < KINDS; k++) {
        ok = make_case(b, &kinds[k], &made[k]);
        s[k].us = need(calloc(times == 0 ? 1 : times, sizeof(double)));
    }
    if (ok) {
        same = compare(b, made);
        printf("%sok 1 - seven ways to be wrong, one answer\n", same ? "" : "not ");
        failed += !same;
    }
    if (ok && times > 0) {
        ok = measure(b, made, times, s);
        failed += judge_times(s, times, &n);
    }
    if (ok)
        printf("1..%u\n", n);
    else
        printf("Bail out! %s\n", str_text(&b->why));
    for (size_t k = 0; k < KINDS; k++) {
        made_free(&made[k]);
        free(s[k].us);
    }
    return !ok || failed > 0;
}
