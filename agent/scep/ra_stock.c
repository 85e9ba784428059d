/* see ra_stock.h */
#include <stdio.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/scep/ra_stock.h"
#include "agent/scep/scepd_inner.h"
#include "certs/chain.h"
#include "certs/name.h"

enum { KEY_MAX = 16384, CERTIFICATE_MAX = 1 << 20, NAME_SHOWN = 18, ATTEMPTS_MOST = 9999 };

int64_t ra_stock_renew_at(int64_t not_before_at, int64_t not_after_at)
{
    return not_before_at + (not_after_at - not_before_at) / 3 * 2;
}

/* ---- reading where it stands -------------------------------------------------------------------------------- */

struct reading {
    struct ra_stock *out;
    int64_t now, newest[2]; /* newest: generation of signing, encryption */
    struct store_ra last;
    size_t replaced;
};

/* Newest generation first, signing before encryption: a whole one is two rows in a row. */
static void on_pair(void *arg, const struct store_ra *r)
{
    struct reading *x = arg;
    struct ra_stock *o = x->out;
    int64_t at = ra_stock_renew_at(r->not_before_at, r->not_after_at);
    int64_t other = ra_stock_renew_at(x->last.not_before_at, x->last.not_after_at);

    if (x->newest[r->use == 'e'] == 0)
        x->newest[r->use == 'e'] = r->generation;
    if (r->replaced_at != 0) {
        x->replaced++;
        if (x->replaced > RA_PREVIOUS_MAX
            || (r->not_after_at < x->now && r->replaced_at < x->now - RA_KEPT_S))
            o->stale = true;
    } else if (o->current == 0 && r->use == 'e' && x->last.use == 's'
               && x->last.generation == r->generation) {
        o->current = r->generation;
        o->renew_at = at < other ? at : other;
        o->ends_at =
            r->not_after_at < x->last.not_after_at ? r->not_after_at : x->last.not_after_at;
    }
    x->last = *r;
}

int ra_stock_read(
    struct store *s, const char *endpoint, int64_t now, struct ra_stock *out, struct err *e)
{
    struct reading x = { .out = out, .now = now };

    *out = (struct ra_stock){ 0 };
    if (store_ra_list(s, endpoint, on_pair, &x, e) != 0)
        return -1;
    for (int i = 0; i < 2; i++)
        out->half[i] = x.newest[i] > out->current;
    return 0;
}

/* ---- the requests for it ------------------------------------------------------------------------------------- */

void ra_stock_id(const char *endpoint, int64_t generation, char use, int attempt, char out[40])
{
    char name[NAME_SHOWN + 1], number[8] = "";
    uint32_t h = 2166136261u;

    if (strlen(endpoint) <= NAME_SHOWN) {
        (void)snprintf(name, sizeof name, "%s", endpoint);
    } else {
        for (const char *c = endpoint; *c != '\0'; c++)
            h = (h ^ (unsigned char)*c) * 16777619u;
        (void)snprintf(name, sizeof name, "%.9s.%08x", endpoint, h);
    }
    if (attempt > 1)
        (void)snprintf(number, sizeof number, "-%d", attempt);
    (void)snprintf(out, 40, "ra-%s-%lld-%c%s", name, (long long)generation, use, number);
}

int ra_stock_last(struct store *s, const char *endpoint, int64_t generation, char use,
    struct request *out, struct err *e)
{
    int n = 0, got = 1;

    while (n < ATTEMPTS_MOST && got == 1) { /* a get that finds nothing leaves *out as it was */
        char id[40];

        ra_stock_id(endpoint, generation, use, n + 1, id);
        if ((got = store_get(s, id, out, e)) < 0)
            return -1;
        n += got;
    }
    return n;
}

/* ---- changing it ------------------------------------------------------------------------------------------------ */

int ra_stock_keep(struct store *s, const struct store_ra *r, struct err *e)
{
    struct ra_stock now;

    if (store_ra_put(s, r, e) != 0 || ra_stock_read(s, r->endpoint, r->installed_at, &now, e) != 0)
        return -1;
    return now.current == r->generation
               ? store_ra_replace(s, r->endpoint, r->generation, r->installed_at, e)
               : 0;
}

int ra_stock_forget(struct store *s, const char *endpoint, int64_t now, struct err *e)
{
    return store_ra_forget(s, endpoint, now, now - RA_KEPT_S, RA_PREVIOUS_MAX, e);
}

/* ---- using it --------------------------------------------------------------------------------------------------- */

struct loading {
    struct endpoint *p;
    int64_t current;
    struct ra_pair pairs[2 + RA_PREVIOUS_MAX];
    size_t count;
    bool failed;
    struct err *e;
};

/* The issuers came with it: GetCACert has them before the CA has been asked. */
static int read_path(struct loading *x, const struct store_ra *r, struct ra_pair *pair)
{
    struct view rest = r->path, leaf;
    int got = chain_next(&rest, &leaf, x->e);

    if (got == 0)
        (void)err_set(x->e, ERR_STORE, "a certificate of %s is empty", r->request_id);
    if (got != 1)
        return -1;
    buf_add_view(&pair->certificate, leaf);
    return ca_learn(x->p->ca, rest, x->e);
}

static int open_key(struct loading *x, const struct store_ra *r, struct ra_pair *pair)
{
    const struct agent *a = x->p->s->a;

    if (vault_unseal(&a->vault, a->lib, r->request_id, "key", r->data_key, r->key, &pair->key, x->e)
        == 0)
        return 0;
    x->e->cls = ERR_CONFIG;
    return err_wrap(x->e, "the master key is not the one it was sealed with; restore that");
}

static void on_load(void *arg, const struct store_ra *r)
{
    struct loading *x = arg;
    struct ra_pair *pair = &x->pairs[x->count];

    if (x->failed || r->generation > x->current || x->count == 2 + RA_PREVIOUS_MAX)
        return;
    x->count++;
    *pair =
        (struct ra_pair){ .certificate = BUF_INIT(CERTIFICATE_MAX), .key = BUF_SECRET(KEY_MAX) };
    if (read_path(x, r, pair) != 0 || open_key(x, r, pair) != 0
        || buf_check(&pair->certificate, x->e) != 0)
        x->failed = true;
}

static int check_subject(const struct conf_scep *conf, struct err *e)
{
    struct name n = { 0 };
    int rc = name_parse(&n, conf->ra_subject, NULL, 0, e);

    name_free(&n);
    if (rc == 0)
        return 0;
    e->cls = ERR_CONFIG;
    return err_wrap(e, "scep \"%s\".ra_subject", conf->name);
}

int ra_stock_load(struct endpoint *p, struct err *e)
{
    struct agent *a = p->s->a;
    struct loading x = { .p = p, .e = e };
    struct ra_stock st;
    struct ra *r = NULL;
    int rc = -1;

    if (check_subject(p->conf, e) != 0
        || ra_stock_read(a->store, p->conf->name, clock_now(), &st, e) != 0)
        return -1;
    if (st.current == 0 || st.ends_at <= clock_now())
        return 0;
    x.current = st.current;
    if (store_ra_list(a->store, p->conf->name, on_load, &x, e) != 0)
        goto done;
    if (x.failed)
        (void)err_wrap(e, "scep \"%s\"", p->conf->name);
    else
        r = ra_open(p->conf, p->ca, a->lib, x.pairs, x.count, e);
    if (r == NULL)
        goto done;
    scepd_set_ra(p, r);
    rc = 0;
done:
    for (size_t i = 0; i < x.count; i++)
        ra_pair_free(&x.pairs[i]);
    return rc;
}
