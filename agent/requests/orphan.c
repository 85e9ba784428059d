/* see orphan.h */
#include <stdio.h>
#include <string.h>
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/requests/orphan.h"
#include "certs/chain.h"
#include "certs/csr.h"
#include "certs/text.h"

enum { BLOB_MAX = 1 << 20 };

/* A request that was never signed has no key to search for: that is not an error. */
static void key_hash(struct lib *l, struct view csr, char out[72])
{
    struct buf hex = BUF_INIT(72);
    struct view spki;
    uint8_t hash[32];
    struct err e;

    if (csr_spki(csr, &spki, &e) == 0 && lib_sha256(l, spki, hash, &e) == 0) {
        hex_add(&hex, view_of(hash, sizeof hash));
        (void)snprintf(out, 72, "%s", buf_text(&hex));
    }
    buf_free(&hex);
}

/* What came and was not looked at yet has a number, too. */
static void serial_of(struct view chain, char out[64])
{
    struct buf hex = BUF_INIT(64);
    struct view leaf;
    struct cert c;
    struct err e;

    if (chain_next(&chain, &leaf, &e) == 1 && cert_parse(leaf, &c, &e) == 0) {
        cert_serial_hex(&c, &hex);
        (void)snprintf(out, 64, "%s", buf_text(&hex));
    }
    buf_free(&hex);
}

static int fill(
    struct agent *a, const struct request *r, struct view csr, struct orphan *o, struct err *e)
{
    struct lib *l = a->lib != NULL ? a->lib : lib_new(e); /* a command on the store has none */
    struct buf blobs[BLOB_COUNT];
    int rc = -1;

    if (l == NULL)
        return -1;
    for (size_t b = 0; b < BLOB_COUNT; b++)
        blobs[b] = (struct buf)BUF_INIT(BLOB_MAX);
    if (csr.len > 0 || store_get_blobs(a->store, r->id, blobs, e) == 0) {
        key_hash(l, csr.len > 0 ? csr : buf_view(&blobs[BLOB_CSR]), o->spki);
        if (o->serial[0] == '\0')
            serial_of(buf_view(&blobs[BLOB_CHAIN]), o->serial);
        rc = 0;
    }
    for (size_t b = 0; b < BLOB_COUNT; b++)
        buf_free(&blobs[b]);
    if (a->lib == NULL)
        lib_free(l);
    return rc;
}

static enum log_event event_of(const struct request *r)
{
    return strcmp(r->kind, "scep") == 0      ? EV_SCEP_ORPHAN
           : strcmp(r->kind, "raEnrol") == 0 ? EV_RA_ORPHAN
                                             : EV_ORPHAN;
}

int orphan_record(
    struct agent *a, const struct request *r, struct view csr, const char *reason, struct err *e)
{
    struct orphan o = { .at = clock_now() };

    (void)snprintf(o.serial, sizeof o.serial, "%s", r->serial);
    (void)snprintf(o.request_id, sizeof o.request_id, "%s", r->id);
    (void)snprintf(o.ca, sizeof o.ca, "%s", r->ca);
    (void)snprintf(o.subject, sizeof o.subject, "%s", r->subject);
    (void)snprintf(o.reason, sizeof o.reason, "%s", reason);
    if (fill(a, r, csr, &o, e) != 0 || store_add_orphan(a->store, &o, e) != 0)
        return -1;
    log_event(event_of(r), r->id, r->ca, "%s%s: %s",
        o.serial[0] != '\0' ? "certificate " : "a certificate may exist", o.serial, reason);
    return 0;
}
