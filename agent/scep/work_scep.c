/* see work_scep.h.  Checking what the CA issued, and writing the answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/scep/work_scep.h"
#include "certs/mem.h"
#include "certs/text.h"

enum { PART_MAX = 1 << 20, SKEW_S = 300 };

/* ---- check ------------------------------------------------------------------------------------------------- */

static int identify(struct lib *l, struct work_scep_check *w, struct err *e)
{
    struct view rest = buf_view(&w->result), leaf;
    struct buf text = BUF_INIT(256);
    struct cert c;
    uint8_t hash[32];
    int rc = -1;

    if (chain_next(&rest, &leaf, e) != 1 || cert_parse(leaf, &c, e) != 0
        || lib_sha256(l, leaf, hash, e) != 0)
        goto done;
    cert_serial_hex(&c, &text);
    (void)snprintf(w->serial, sizeof w->serial, "%s", buf_text(&text));
    buf_reset(&text);
    hex_add(&text, view_of(hash, sizeof hash));
    (void)snprintf(w->digest, sizeof w->digest, "%s", buf_text(&text));
    rc = 0;
done:
    buf_free(&text);
    return rc;
}

static int check_run(struct lib *l, struct io_work *base, struct err *e)
{
    struct work_scep_check *w = (struct work_scep_check *)base;
    struct buf pool = BUF_INIT(2 * PART_MAX);
    struct csr csr = { 0 };
    const struct check_policy policy = { .anchors = buf_view(&w->anchors),
        .now = w->now,
        .skew_s = SKEW_S,
        .validity_max_s = w->validity_max_s,
        .subject_by_ca = w->subject_by_ca };
    int rc = -1;

    buf_add_view(&pool, buf_view(&w->chain));
    buf_add_view(&pool, buf_view(&w->issuers));
    if (buf_check(&pool, e) == 0 && csr_parse(buf_view(&w->csr), &csr, e) == 0
        && chain_order(buf_view(&pool), csr.spki, &w->result, e) == 0
        && csr_check_issued(l, &csr, &w->rules->limits, buf_view(&w->result), &policy, e) == 0)
        rc = identify(l, w, e);
    csr_free(&csr);
    buf_free(&pool);
    return rc;
}

static void check_free(struct io_work *base)
{
    struct work_scep_check *w = (struct work_scep_check *)base;
    struct buf *const bufs[] = { &w->csr, &w->chain, &w->issuers, &w->anchors, &w->result };

    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        buf_free(bufs[i]);
    free(w);
}

struct work_scep_check *work_scep_check_new(void)
{
    struct work_scep_check *w = xcalloc(1, sizeof *w);
    struct buf *const bufs[] = { &w->csr, &w->chain, &w->issuers, &w->anchors, &w->result };

    w->work = (struct io_work){ .run = check_run, .free = check_free };
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
        *bufs[i] = (struct buf)BUF_INIT(PART_MAX);
    return w;
}

/* ---- reply --------------------------------------------------------------------------------------------------- */

static int write_envelope(
    struct lib *l, struct work_scep_reply *w, struct buf *envelope, struct err *e)
{
    struct buf certs = BUF_INIT(PART_MAX);
    int rc = -1;

    if (signed_certs_only(buf_view(&w->certificates), view_of(NULL, 0), &certs, e) == 0)
        rc = cms_envelope(l, buf_view(&w->recipient), w->cipher, CMS_RSA_PKCS1_SIGNER,
            buf_view(&certs), envelope, e);
    buf_free(&certs);
    return rc;
}

static int reply_run(struct lib *l, struct io_work *base, struct err *e)
{
    struct work_scep_reply *w = (struct work_scep_reply *)base;
    struct buf envelope = BUF_INIT(PART_MAX);
    struct scep_reply r = { .status = w->status,
        .fail = w->fail,
        .transaction = w->transaction,
        .nonce = view_of(w->nonce, w->nonce_len),
        .digest = w->digest,
        .certificate = buf_view(&w->ra->signing.certificate),
        .ndes = w->ndes,
        .hresult = w->hresult };
    int rc = -1;

    if (w->status == SCEP_SUCCESS && write_envelope(l, w, &envelope, e) != 0)
        goto done;
    r.envelope = buf_view(&envelope);
    if ((r.key = key_kept(l, buf_view(&w->ra->signing.key), e)) != NULL)
        rc = scep_reply_write(l, &r, &w->message, e);
done:
    buf_free(&envelope);
    return rc;
}

static void reply_free(struct io_work *base)
{
    struct work_scep_reply *w = (struct work_scep_reply *)base;

    buf_free(&w->recipient);
    buf_free(&w->certificates);
    buf_free(&w->message);
    free(w);
}

struct work_scep_reply *work_scep_reply_new(void)
{
    struct work_scep_reply *w = xcalloc(1, sizeof *w);

    w->work = (struct io_work){ .run = reply_run, .free = reply_free };
    w->recipient = (struct buf)BUF_INIT(PART_MAX);
    w->certificates = (struct buf)BUF_INIT(PART_MAX);
    w->message = (struct buf)BUF_INIT(PART_MAX);
    return w;
}
