/* see audit.h.  The chain. */
#include "agent/requests/audit.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "certs/text.h"

enum { RECORD_MAX = 8192, TEXT_MAX = 400 };

static const struct {
    const char *name, *help;
} events[] = {
#define X(id, name, help) [id] = { name, help },
    AUDIT_EVENTS(X)
#undef X
};

const char *audit_event_name(enum audit_event ev)
{
    return events[ev].name;
}

const char *audit_event_help(enum audit_event ev)
{
    return events[ev].help;
}

/* ---- a hash ------------------------------------------------------------------------------------------------------- */

/* With its length before it: no two records are the same bytes. */
static void add_field(struct buf *b, const char *text)
{
    buf_printf(b, "%zu:%s\n", strlen(text), text);
}

static int hash_of(struct lib *l, const char *before, const struct store_audit *r,
    char out[AUDIT_HASH_LEN + 1], struct err *e)
{
    struct buf b = BUF_INIT(RECORD_MAX), hex = BUF_INIT(AUDIT_HASH_LEN + 1);
    uint8_t hash[32];
    int rc = -1;

    add_field(&b, before);
    buf_printf(&b, "%lld\n%lld\n", (long long)r->n, (long long)r->at);
    add_field(&b, r->event);
    add_field(&b, r->actor);
    add_field(&b, r->subject);
    add_field(&b, r->detail);
    if (buf_check(&b, e) == 0 && lib_sha256(l, buf_view(&b), hash, e) == 0) {
        hex_add(&hex, view_of(hash, sizeof hash));
        (void)snprintf(out, AUDIT_HASH_LEN + 1, "%s", buf_text(&hex));
        rc = buf_check(&hex, e);
    }
    buf_free(&b);
    buf_free(&hex);
    return rc;
}

/* A command on the store has no lib of its own. */
static struct lib *lib_of(struct agent *a, struct err *e)
{
    return a->lib != NULL ? a->lib : lib_new(e);
}

static void lib_back(struct agent *a, struct lib *l)
{
    if (a->lib == NULL)
        lib_free(l);
}

/* ---- adding ------------------------------------------------------------------------------------------------------- */

int audit_head(struct agent *a, int64_t *n, char hash[AUDIT_HASH_LEN + 1], struct err *e)
{
    *n = 0;
    hash[0] = '\0';
    return store_audit_last(a->store, n, hash, AUDIT_HASH_LEN + 1, e) < 0 ? -1 : 0;
}

static void clean(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text != NULL ? text : "");
    err_clean(out);
}

int audit_add(struct agent *a, enum audit_event ev, const char *actor, const char *subject,
    const char *detail, struct err *e)
{
    char before[AUDIT_HASH_LEN + 1], hash[AUDIT_HASH_LEN + 1], texts[3][TEXT_MAX];
    struct store_audit r = { .at = clock_now(),
        .event = events[ev].name,
        .actor = texts[0],
        .subject = texts[1],
        .detail = texts[2],
        .hash = hash };
    struct lib *l = lib_of(a, e);
    int rc = -1;

    if (l == NULL)
        return -1;
    clean(texts[0], TEXT_MAX, actor);
    clean(texts[1], TEXT_MAX, subject);
    clean(texts[2], TEXT_MAX, detail);
    if (audit_head(a, &r.n, before, e) == 0) {
        r.n++;
        if (hash_of(l, before, &r, hash, e) == 0 && store_audit_add(a->store, &r, e) == 0)
            rc = 0;
    }
    lib_back(a, l);
    return rc;
}

void audit_note(struct agent *a, enum audit_event ev, const char *actor, const char *subject,
    const char *detail)
{
    bool alone = !store_dirty(a->store); /* else it goes with the turn's commit */
    struct err e;

    if (audit_add(a, ev, actor, subject, detail, &e) != 0
        || (alone && store_commit(a->store, &e) != 0))
        log_err(EV_STORE_FAILED, NULL, NULL, &e);
}

int audit_done(
    struct agent *a, enum audit_event ev, const char *subject, const char *detail, struct err *e)
{
    if (audit_add(a, ev, a->actor, subject, detail, e) == 0 && store_commit(a->store, e) == 0)
        return 0;
    return err_wrap(e, "it is done, but the audit log could not be written (%s)", events[ev].name);
}

void audit_tell_head(struct agent *a)
{
    char hash[AUDIT_HASH_LEN + 1];
    struct err e;
    int64_t n;

    if (audit_head(a, &n, hash, &e) != 0 || n == a->audit_told)
        return;
    a->audit_told = n;
    log_event(EV_AUDIT_HEAD, NULL, NULL, "%lld records, head %s", (long long)n, hash);
}

/* ---- verifying ---------------------------------------------------------------------------------------------------- */

struct verify {
    struct lib *l;
    struct audit_verdict *out;
    struct err *e;
    int rc;
};

static bool on_record(void *arg, const struct store_audit *r)
{
    struct verify *v = arg;
    char hash[AUDIT_HASH_LEN + 1];

    if (r->n != v->out->records + 1) {
        v->out->broken_at = v->out->records + 1;
        (void)snprintf(v->out->why, sizeof v->out->why, "record %lld is missing; %lld follows",
            (long long)v->out->records + 1, (long long)r->n);
        return false;
    }
    if ((v->rc = hash_of(v->l, v->out->head, r, hash, v->e)) != 0)
        return false;
    if (strcmp(hash, r->hash) != 0) {
        v->out->broken_at = r->n;
        (void)snprintf(v->out->why, sizeof v->out->why,
            "record %lld was changed, or the one before it", (long long)r->n);
        return false;
    }
    v->out->records = r->n;
    if (v->out->look_for != NULL && strcasecmp(v->out->look_for, hash) == 0)
        v->out->found_at = r->n;
    memcpy(v->out->head, hash, sizeof hash);
    return true;
}

int audit_verify(struct agent *a, struct audit_verdict *out, struct err *e)
{
    struct verify v = { .l = lib_of(a, e), .out = out, .e = e };
    int rc;

    *out = (struct audit_verdict){ .look_for = out->look_for };
    if (v.l == NULL)
        return -1;
    rc = store_audit_list(a->store, 1, on_record, &v, e);
    lib_back(a, v.l);
    return rc != 0 ? rc : v.rc;
}
