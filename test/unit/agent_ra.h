#ifndef TEST_UNIT_AGENT_RA_H
#define TEST_UNIT_AGENT_RA_H
/* agent_ra.h - an endpoint on a store, without listeners; and what the store has of its certificates. */
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/requests/sched.h"
#include "agent/scep/ra_stock.h"
#include "agent/scep/scepd_inner.h"
#include "test/unit/agent_store_rows.h"

enum { DAY = 86400 };

static struct agent a;
static struct conf conf;
static struct conf_scep section;
static struct scepd scepd;
static struct endpoint endpoint;

static inline int ra_begin(void **state)
{
    static char name[] = "dev", ca[] = "ca1", signing[] = "Agent", encryption[] = "Encryption",
                subject[] = "CN=RA, O=Contoso";

    clock_start();
    log_open(LOG_JSON, LOG_LEVEL_SILENT);
    if (store_make(state) != 0)
        return -1;
    section = (struct conf_scep){ .name = name,
        .ca = ca,
        .ra_signing_template = signing,
        .ra_encryption_template = encryption,
        .ra_subject = subject };
    return 0;
}

static inline int ra_end(void **state)
{
    return store_remove(state);
}

/* An agent with that one endpoint, on the store. */
static inline void ra_endpoint(struct lib *l)
{
    conf = (struct conf){ .sceps = &section, .scep_count = 1 };
    a = (struct agent){ .conf = &conf, .lib = l, .store = store, .lock = -1 };
    endpoint = (struct endpoint){ .s = &scepd, .conf = &section };
    scepd = (struct scepd){ .a = &a, .endpoints = &endpoint, .count = 1 };
}

/* A row as job_ra installs it; path and keys are not looked into here. */
static inline struct store_ra pair(int64_t generation, char use, int64_t from, int64_t until)
{
    struct store_ra r = { .endpoint = "dev",
        .generation = generation,
        .use = use,
        .path = view_text("path"),
        .data_key = view_text("data key"),
        .key = view_text("key"),
        .not_before_at = from,
        .not_after_at = until,
        .installed_at = clock_now() };

    ra_stock_id("dev", generation, use, 1, r.request_id);
    return r;
}

static inline void keep(const struct store_ra *r)
{
    struct err e = { 0 };

    T_OK(ra_stock_keep(store, r, &e));
}

static inline void keep_both(int64_t generation, int64_t from, int64_t until)
{
    struct store_ra s = pair(generation, 's', from, until), x = pair(generation, 'e', from, until);

    keep(&s);
    keep(&x);
}

static char pairs[2000];

static inline void add_pair(void *arg, const struct store_ra *r)
{
    size_t len = strlen(pairs);

    (void)arg;
    (void)snprintf(pairs + len, sizeof pairs - len, "%s%lld%c%s", len > 0 ? " " : "",
        (long long)r->generation, r->use, r->replaced_at != 0 ? "-" : "");
}

/* "3s 3e 2e- 1e-": generation, use, a dash once replaced */
static inline const char *all_pairs(void)
{
    struct err e = { 0 };

    pairs[0] = '\0';
    T_OK(store_ra_list(store, "dev", add_pair, NULL, &e));
    return pairs;
}
#endif
