/*
 * see commands.h: `check DIR [--orphans FILE]`, four promises held against the ledger alone
 *
 * FILE is whatever the connector lists as orphans, a row each.  A certificate is accounted for by its
 * serial.  A connector that lost the answer to a submit cannot know the serial; it can say that there may
 * be one: a row with the request id, key hash or common name, besides the rows that name serials.
 */
#include "test/sandbox/commands.h"
#include "test/sandbox/options.h"
#include "test/sandbox/story.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct orphans {
    struct str text;  /* words, each ended by a NUL */
    struct map words; /* how often each occurs, as a number in a pointer's clothes */
};

static bool split(char c)
{
    return isspace((unsigned char)c) || strchr(",;\"'{}[]()", c) != NULL;
}

static size_t count_of(const struct orphans *o, const char *word)
{
    return (size_t)(uintptr_t)map_get_text(&o->words, word);
}

/* Words, in upper case without leading zeros: serials are written in more than one way. */
static void read_words(struct orphans *o)
{
    char *p = o->text.p, *end = p + o->text.len;

    for (char *c = p; c < end; c++)
        *c = split(*c) ? '\0' : (char)toupper((unsigned char)*c);
    while (p < end) {
        p += strspn(p, "0");
        if (*p != '\0')
            map_put_text(&o->words, p, (void *)(uintptr_t)(count_of(o, p) + 1));
        p += strlen(p) + 1;
    }
}

static size_t listed(const struct orphans *o, const char *word)
{
    char *upper = need_copy(word == NULL ? "" : word), *p = upper;
    size_t n;

    for (char *c = upper; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    p += strspn(p, "0");
    n = *p == '\0' ? 0 : count_of(o, p);
    free(upper);
    return n;
}

/* One key; one more each time the connector was told that another one has the request. */
static unsigned keys_allowed(const struct story *s, const char *cn)
{
    unsigned n = 1;

    for (size_t i = 0; i < s->requests; i++)
        if (strcmp(s->request[i]->cn, cn) == 0)
            n += s->request[i]->lost;
    return n;
}

static size_t check_keys(const struct story *s)
{
    size_t bad = 0;

    for (size_t i = 0; i < s->keys; i++) {
        if (s->key[i]->spkis <= keys_allowed(s, s->key[i]->cn))
            continue;
        printf(
            "I1 broken: \"%s\" was sent with %u different keys\n", s->key[i]->cn, s->key[i]->spkis);
        bad++;
    }
    return bad;
}

static const char *request_id_of(const struct story *s, const char *cn)
{
    for (size_t i = 0; i < s->requests; i++) {
        if (strcmp(s->request[i]->cn, cn) == 0)
            return s->request[i]->id;
    }
    return NULL;
}

/* Rows that name the serial of a certificate of this common name. */
static size_t rows_with_serial(const struct story *s, const struct orphans *o, const char *cn)
{
    size_t n = 0;

    for (size_t i = 0; i < s->certs; i++) {
        if (strcmp(s->cert[i]->cn, cn) == 0)
            n += listed(o, s->cert[i]->serial) > 0;
    }
    return n;
}

static bool accounted(const struct story *s, const struct orphans *o, const struct story_cert *c)
{
    size_t known;

    if (listed(o, c->serial) > 0)
        return true;
    known = rows_with_serial(s, o, c->cn);
    return listed(o, request_id_of(s, c->cn)) > known || listed(o, c->spki) > known
           || listed(o, c->cn) > known;
}

static size_t check_certs(const struct story *s, const struct orphans *o, size_t *orphaned)
{
    size_t bad = 0;

    for (size_t i = 0; i < s->certs; i++) {
        const struct story_cert *c = s->cert[i];

        if (c->delivered)
            continue;
        ++*orphaned;
        if (accounted(s, o, c))
            continue;
        printf("I2 broken: serial %s for \"%s\" was issued, not delivered, and nobody lists it\n",
            c->serial, c->cn);
        bad++;
    }
    return bad;
}

static size_t check_results(const struct story *s)
{
    size_t bad = 0;

    for (size_t i = 0; i < s->requests; i++) {
        if (s->request[i]->digests <= 1)
            continue;
        printf("I3 broken: %s has %u different accepted results\n", s->request[i]->id,
            s->request[i]->digests);
        bad++;
    }
    return bad;
}

static size_t check_verdicts(const struct story *s, size_t *sealed)
{
    size_t bad = 0;

    for (size_t i = 0; i < s->requests; i++) {
        const struct story_request *r = s->request[i];
        bool unopened;

        if (!r->final || !r->succeeded)
            continue;
        unopened = r->verdict != NULL && strcmp(r->verdict, "sealed") == 0 && s->open_every > 1;
        *sealed += unopened;
        if (unopened || (r->verdict != NULL && strcmp(r->verdict, "ok") == 0))
            continue;
        printf("I4 broken: %s (\"%s\") was reported as delivered, but the device says: %s\n", r->id,
            r->cn, r->verdict == NULL ? "nothing" : r->verdict);
        bad++;
    }
    return bad;
}

static size_t report(const struct story *s, const struct orphans *o)
{
    size_t orphaned = 0, sealed = 0, ends[STORY_ENDS] = { 0 };
    size_t bad = check_keys(s) + check_certs(s, o, &orphaned) + check_results(s)
                 + check_verdicts(s, &sealed);

    for (size_t i = 0; i < s->requests; i++)
        ends[story_end(s, s->request[i])]++;
    printf("%zu requested: %zu delivered, %zu denied, %zu failed, %zu unfit, %zu open, %zu lost\n",
        s->requests, ends[ENDED_DELIVERED], ends[ENDED_DENIED], ends[ENDED_FAILED],
        ends[ENDED_UNFIT], ends[ENDED_OPEN], ends[ENDED_LOST]);
    printf("%zu issued, %zu of them not delivered; %zu handed out, %zu conflicting results, "
           "%zu refused, %zu faults\n",
        s->certs, orphaned, s->handed_out, s->conflicts, s->refused, s->faults);
    if (sealed > 0)
        printf("%zu results were not opened (one in %lld was)\n", sealed, (long long)s->open_every);
    printf("%zu broken promises\n", bad);
    return bad;
}

int cmd_check(int argc, char **argv)
{
    struct story s = { 0 };
    struct orphans o = { 0 };
    char why[DIR_WHY] = "";
    bool ok;
    size_t bad = 1;

    if (argc != 1 && !(argc == 3 && strcmp(argv[1], "--orphans") == 0)) {
        usage();
        return 2;
    }
    ok = argc == 1 || file_read(argv[2], &o.text, why);
    if (ok && argc == 3)
        read_words(&o);
    ok = ok && story_read(argv[0], &s, why);
    if (ok)
        bad = report(&s, &o);
    else
        fprintf(stderr, "certferry-sandbox: %s\n", why);
    story_done(&s);
    map_done(&o.words);
    str_free(&o.text);
    return bad == 0 ? 0 : 1;
}
