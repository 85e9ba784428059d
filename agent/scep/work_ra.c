/* see work_ra.h */
#include <stdio.h>
#include <stdlib.h>
#include "agent/scep/work_ra.h"
#include "certs/chain.h"
#include "certs/check.h"
#include "certs/csr.h"
#include "certs/mem.h"
#include "certs/text.h"

enum { PART_MAX = 1 << 20, PKCS8_MAX = 16384, SKEW_S = 300 };

/* What devices and NDES agree on; larger ones make every message slower and some old devices fail. */
static const enum key_type ra_key_type = KEY_RSA2048;
static const char request_agent[] = "1.3.6.1.4.1.311.20.2.1"; /* as NDES has it, both of them */

static void work_free(struct io_work *base)
{
    struct work_ra *w = (struct work_ra *)base;
    struct buf *const bufs[] = { &w->data_key, &w->key, &w->csr, &w->chain, &w->issuers,
        &w->anchors, &w->path };

    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        buf_free(bufs[i]);
    vault_close(&w->vault);
    free(w);
}

struct work_ra *work_ra_new(const char *id, const struct vault *v,
    int (*run)(struct lib *l, struct io_work *w, struct err *e))
{
    struct work_ra *w = xcalloc(1, sizeof *w);
    struct buf *const bufs[] = { &w->data_key, &w->key, &w->csr, &w->chain, &w->issuers,
        &w->anchors, &w->path };

    w->work = (struct io_work){ .run = run, .free = work_free };
    (void)snprintf(w->id, sizeof w->id, "%s", id);
    w->vault = *v;
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        *bufs[i] = (struct buf)BUF_INIT(PART_MAX);
    return w;
}

int work_ra_key(struct lib *l, struct io_work *base, struct err *e)
{
    struct work_ra *w = (struct work_ra *)base;
    struct key *k = key_new(l, ra_key_type, w->keygen, e);
    int rc = -1;

    if (k != NULL)
        rc = vault_seal_new(&w->vault, l, w->id, "key", key_pkcs8(k), &w->data_key, &w->key, e);
    key_free(k);
    return rc;
}

/* The same for the request and for the check of what came of it. */
static int fill(const struct work_ra *w, struct template *t, struct err *e)
{
    t->name = xstrdup(w->template_name);
    t->key = ra_key_type;
    t->hash = HASH_SHA256;
    t->key_usage = w->use == 's' ? KU_DIGITAL_SIGNATURE : KU_KEY_ENCIPHERMENT;
    if (name_parse(&t->subject, w->subject, NULL, 0, e) != 0)
        return err_wrap(e, "ra_subject");
    return template_add_eku(t, request_agent, e);
}

int work_ra_csr(struct lib *l, struct io_work *base, struct err *e)
{
    struct work_ra *w = (struct work_ra *)base;
    struct template t = { .in_csr_v1 = w->in_csr_name, .in_csr_pair = w->in_csr_pair };
    struct buf pkcs8 = BUF_SECRET(PKCS8_MAX);
    struct key *k = NULL;
    int rc = -1;

    if (fill(w, &t, e) == 0
        && vault_unseal(
               &w->vault, l, w->id, "key", buf_view(&w->data_key), buf_view(&w->key), &pkcs8, e)
               == 0
        && (k = key_parse(l, buf_view(&pkcs8), e)) != NULL)
        rc = csr_build(l, &t, k, &w->csr, e);
    key_free(k);
    buf_free(&pkcs8);
    template_free(&t);
    return rc;
}

/* ---- check -------------------------------------------------------------------------------------------------- */

static int identify(struct lib *l, struct work_ra *w, struct err *e)
{
    struct view rest = buf_view(&w->path), leaf;
    struct buf text = BUF_INIT(256);
    struct cert c;
    uint8_t hash[32];
    int rc = -1;

    if (chain_next(&rest, &leaf, e) == 1 && cert_parse(leaf, &c, e) == 0
        && lib_sha256(l, leaf, hash, e) == 0) {
        cert_serial_hex(&c, &text);
        (void)snprintf(w->serial, sizeof w->serial, "%s", buf_text(&text));
        buf_reset(&text);
        hex_add(&text, view_of(hash, sizeof hash));
        (void)snprintf(w->digest, sizeof w->digest, "%s", buf_text(&text));
        rc = 0;
    }
    buf_free(&text);
    return rc;
}

int work_ra_check(struct lib *l, struct io_work *base, struct err *e)
{
    struct work_ra *w = (struct work_ra *)base;
    const struct check_policy policy = { .anchors = buf_view(&w->anchors),
        .now = w->now,
        .skew_s = SKEW_S,
        .subject_by_ca = w->subject_by_ca };
    struct buf pool = BUF_INIT(3 * PART_MAX);
    struct template t = { 0 };
    struct view spki;
    int rc = -1;

    buf_add_view(&pool, buf_view(&w->chain));
    buf_add_view(&pool, buf_view(&w->issuers));
    buf_add_view(&pool, buf_view(&w->anchors));
    if (buf_check(&pool, e) == 0 && fill(w, &t, e) == 0
        && csr_spki(buf_view(&w->csr), &spki, e) == 0
        && chain_order(buf_view(&pool), spki, &w->path, e) == 0
        && check_issued(l, &t, spki, buf_view(&w->path), &policy, e) == 0)
        rc = identify(l, w, e);
    template_free(&t);
    buf_free(&pool);
    return rc;
}
