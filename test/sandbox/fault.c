/* see fault.h */
#include "test/sandbox/fault.h"
#include "test/sandbox/challenge.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct fault {
    struct fault *next;
    enum fault_what what;
    unsigned at;
    int64_t count; /* left; -1: for ever */
    int64_t argument;
    double probability;
    char *match; /* "" matches everything */
};

struct faults {
    struct fault *first;
    struct ledger *ledger;
    struct prng *prng;
};

static const struct {
    const char *name;
    unsigned at;
    const char *argument;
    int64_t value;
} whats[FAULT_COUNT] = {
#define X(id, text, at, arg, value) [FAULT_##id] = { text, at, arg, value },
    FAULTS(X)
#undef X
};

static const struct {
    const char *name;
    unsigned at;
} wheres[] = {
    { "ca.submit", AT_SUBMIT },
    { "ca.fetch", AT_FETCH },
    { "est.enroll", AT_EST },
    { "est.cacerts", AT_EST_CACERTS },
    { "cloud.download", AT_DOWNLOAD },
    { "cloud.upload", AT_UPLOAD },
    { "cloud.extend", AT_EXTEND },
    { "cloud.release", AT_RELEASE },
    { "cloud.heartbeat", AT_HEARTBEAT },
    { "intune.token", AT_TOKEN },
    { "intune.discovery", AT_DISCOVERY },
    { "intune.validate", AT_VALIDATE },
    { "intune.success", AT_NOTIFY_SUCCESS },
    { "intune.failure", AT_NOTIFY_FAILURE },
    { "cloud.discovery", AT_CCP_DISCOVERY },
    { "cloud.enroll", AT_ENROLL },
    { "cloud.renew", AT_RENEW },
    { "login.metadata", AT_METADATA },
    { "login.device", AT_DEVICE_CODE },
    { "login.poll", AT_POLL },
    { "login.token", AT_LOGIN },
    { "*", AT_ALL },
};
enum { WHERES = sizeof wheres / sizeof wheres[0] };

bool hit_has(const struct hit *h, enum fault_what what)
{
    return (h->set >> what & 1) != 0;
}

struct faults *faults_new(struct ledger *l, struct prng *r)
{
    struct faults *f = need(calloc(1, sizeof *f));

    f->ledger = l;
    f->prng = r;
    return f;
}

void faults_clear(struct faults *f)
{
    while (f->first != NULL) {
        struct fault *gone = f->first;

        f->first = gone->next;
        free(gone->match);
        free(gone);
    }
}

void faults_free(struct faults *f)
{
    if (f != NULL)
        faults_clear(f);
    free(f);
}

static void known(struct str *why)
{
    str_puts(why, "; where is one of");
    for (size_t i = 0; i < WHERES; i++)
        str_f(why, " %s", wheres[i].name);
    str_puts(why, "; what is one of");
    for (size_t i = 0; i < FAULT_COUNT; i++)
        str_f(why, " %s", whats[i].name);
}

static bool find_where(const char *name, unsigned *at)
{
    for (size_t i = 0; name != NULL && i < WHERES; i++) {
        if (strcmp(wheres[i].name, name) == 0) {
            *at = wheres[i].at;
            return true;
        }
    }
    return false;
}

static bool find_what(const char *name, enum fault_what *what)
{
    for (size_t i = 0; name != NULL && i < FAULT_COUNT; i++) {
        if (strcmp(whats[i].name, name) == 0) {
            *what = (enum fault_what)i;
            return true;
        }
    }
    return false;
}

/* Under its own name or as "argument"; numbers may be written as text ("0x80094012"). */
static bool read_argument(struct json_object *c, struct fault *f, struct str *why)
{
    const char *name = whats[f->what].argument;
    const char *used = name != NULL && js_has(c, name) ? name : "argument";
    const char *text = js_text(c, used);
    char *end;

    f->argument = whats[f->what].value;
    if (!js_has(c, used))
        return true;
    if (name == NULL) {
        str_f(why, "%s takes no argument", whats[f->what].name);
        return false;
    }
    if (js_int(c, used, &f->argument))
        return true;
    if (text != NULL) {
        f->argument = strtoll(text, &end, 0);
        if ((end != text && *end == '\0')
            || (f->what == FAULT_INTUNE_CODE && code_find(text, &f->argument)))
            return true;
    }
    str_f(why, "%s: not a number", used);
    return false;
}

static bool add_one(struct faults *list, struct json_object *c, struct str *why)
{
    const char *where = js_text(c, "where"), *what = js_text(c, "what");
    struct fault f = { .count = 1, .probability = 1 }, **last = &list->first;

    if (!find_where(where, &f.at) || !find_what(what, &f.what)) {
        str_f(
            why, "no fault \"%s\" at \"%s\"", what == NULL ? "" : what, where == NULL ? "" : where);
        known(why);
        return false;
    }
    f.at &= whats[f.what].at;
    if (f.at == 0) {
        str_f(why, "%s cannot happen at %s", what, where);
        return false;
    }
    if ((js_has(c, "count") && (!js_int(c, "count", &f.count) || f.count < -1 || f.count == 0))
        || (js_has(c, "probability")
            && (!js_number(c, "probability", &f.probability) || f.probability < 0
                || f.probability > 1))
        || (js_has(c, "match") && js_text(c, "match") == NULL)) {
        str_puts(why, "count is -1 or at least 1, probability 0..1, match text");
        return false;
    }
    if (!read_argument(c, &f, why))
        return false;
    if (f.what == FAULT_LOST_TWICE && f.count > 0)
        f.count *= 2;
    f.match = need_copy(js_text(c, "match") == NULL ? "" : js_text(c, "match"));
    while (*last != NULL)
        last = &(*last)->next;
    *last = need(malloc(sizeof f));
    **last = f;
    return true;
}

bool faults_add(struct faults *f, struct json_object *command, struct str *why)
{
    struct faults news = { NULL, f->ledger, f->prng };
    struct fault **last = &f->first;
    bool ok = true;

    if (js_is_array(command)) {
        for (size_t i = 0; ok && i < js_count(command); i++)
            ok = add_one(&news, js_at(command, i), why);
    } else {
        ok = add_one(&news, command, why);
    }
    if (!ok) {
        faults_clear(&news);
        return false;
    }
    while (*last != NULL)
        last = &(*last)->next;
    *last = news.first;
    return true;
}

void faults_list(const struct faults *f, struct str *json)
{
    const char *comma = "";

    str_puts(json, "{\"value\":[");
    for (const struct fault *i = f->first; i != NULL; i = i->next) {
        str_f(json, "%s{\"what\":\"%s\",\"at\":[", comma, whats[i->what].name);
        comma = "";
        for (size_t w = 0; w < WHERES - 1; w++) {
            if ((i->at & wheres[w].at) == 0)
                continue;
            str_f(json, "%s\"%s\"", comma, wheres[w].name);
            comma = ",";
        }
        str_f(json,
            "],\"count\":%" PRId64 ",\"probability\":%g,\"argument\":%" PRId64 ",\"match\":",
            i->count, i->probability, i->argument);
        str_json(json, i->match);
        str_puts(json, "}");
        comma = ",";
    }
    str_puts(json, "]}");
}

bool faults_standing(const struct faults *f, enum fault_what what, int64_t *argument)
{
    for (const struct fault *i = f->first; i != NULL; i = i->next) {
        if (i->what == what) {
            *argument = i->argument;
            return true;
        }
    }
    return false;
}

bool faults_any(const struct faults *f, unsigned at)
{
    for (const struct fault *i = f->first; i != NULL; i = i->next) {
        if ((i->at & at) != 0)
            return true;
    }
    return false;
}

static void note(struct faults *f, unsigned at, const struct fault *hit, const char *subject)
{
    const char *where = "*";

    for (size_t w = 0; w < WHERES - 1; w++) {
        if (wheres[w].at == at)
            where = wheres[w].name;
    }
    ledger_begin(f->ledger, "fault");
    ledger_text(f->ledger, "where", where);
    ledger_text(f->ledger, "what", whats[hit->what].name);
    ledger_text(f->ledger, "subject", subject);
    ledger_end(f->ledger);
}

void faults_take(struct faults *f, unsigned at, const char *subject, struct hit *h)
{
    struct fault **at_link = &f->first;

    while (*at_link != NULL) {
        struct fault *i = *at_link;

        if ((i->at & at) == 0 || (i->match[0] != '\0' && strstr(subject, i->match) == NULL)
            || hit_has(h, i->what) || prng_unit(f->prng) >= i->probability) {
            at_link = &i->next;
            continue;
        }
        h->set |= (uint64_t)1 << i->what;
        h->argument[i->what] = i->argument;
        note(f, at, i, subject[0] == '\0' ? NULL : subject);
        if (i->count > 0 && --i->count == 0) {
            *at_link = i->next;
            free(i->match);
            free(i);
        } else {
            at_link = &i->next;
        }
    }
}
