/* see rehearse.h.  The stages on this machine; the CA is asked in rehearse_ca.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/probe/rehearse_ca.h"
#include "agent/probe/scep_enrol.h"
#include "certs/chain.h"
#include "certs/check.h"
#include "certs/cms.h"
#include "certs/csr.h"
#include "certs/mem.h"
#include "certs/p12.h"

enum { PART_MAX = 1 << 20, SKEW_S = 300 };

static int stage_ca(struct rehearse *r, struct finding *f, struct err *e)
{
    if (!conf_ca_offers(r->ca_conf, r->template_name))
        return err_set(e, ERR_GONE, "ca \"%s\" has no template \"%.60s\" in its section",
            r->ca_conf->name, r->template_name);
    if ((r->ca = ca_open(r->ca_conf, r->lib, r->secrets, e)) == NULL)
        return -1;
    finding_set(f, GRADE_PASS, ERR_NONE, "ca \"%s\" (%s, %s), template \"%s\"", r->ca_conf->name,
        r->ca_conf->type, r->ca_conf->url, r->template_name);
    return 0;
}

static int stage_key(struct rehearse *r, struct finding *f, struct err *e)
{
    if ((r->key = key_new(r->lib, KEY_RSA2048, conf_keygen(r->conf), e)) == NULL)
        return -1;
    finding_set(f, GRADE_PASS, ERR_NONE, "RSA 2048, made here (keys.generation = %s)",
        r->conf->keys.generation);
    return 0;
}

static int stage_csr(struct rehearse *r, struct finding *f, struct err *e)
{
    const char *how = r->ca_conf->template_in_csr;
    struct template *t = xcalloc(1, sizeof *t);

    r->template = t;
    t->name = xstrdup(r->template_name);
    t->key = KEY_RSA2048;
    t->hash = HASH_SHA256;
    t->in_csr_v1 = strcmp(how, "name") == 0;
    t->in_csr_pair = strcmp(how, "pair") == 0;
    if (name_parse(&t->subject, r->subject, NULL, 0, e) != 0)
        return err_wrap(e, "subject");
    if (csr_build(r->lib, t, r->key, &r->csr, e) != 0)
        return -1;
    finding_set(f, GRADE_PASS, ERR_NONE, "PKCS#10 for \"%s\", %zu bytes", r->subject, r->csr.len);
    return 0;
}

static int stage_check(struct rehearse *r, struct finding *f, struct err *e)
{
    const struct check_policy policy = { .anchors = buf_view(&r->ca->anchors),
        .now = clock_now(),
        .skew_s = SKEW_S,
        .validity_max_s = r->ca_conf->validity_max * 86400,
        .subject_by_ca = strcmp(r->ca_conf->subject, "ca") == 0 };

    buf_add_view(&r->chain, buf_view(&r->ca->issuers));
    buf_add_view(&r->chain, buf_view(&r->ca->anchors));
    if (buf_check(&r->chain, e) != 0
        || chain_order(buf_view(&r->chain), key_spki(r->key), &r->path, e) != 0
        || check_issued(r->lib, r->template, key_spki(r->key), buf_view(&r->path), &policy, e) != 0)
        return -1;
    finding_set(
        f, GRADE_PASS, ERR_NONE, "it is what was asked for, and leads to %s", r->ca_conf->anchors);
    return 0;
}

static int stage_file(struct rehearse *r, struct finding *f, struct err *e)
{
    char password[P12_PASSWORD_LEN + 1];
    const struct p12_spec spec = { .profile = P12_MODERN,
        .iterations = (unsigned)r->conf->pkcs12.iterations,
        .password = password,
        .pkcs8 = key_pkcs8(r->key),
        .chain = buf_view(&r->path),
        .include_root = r->conf->pkcs12.include_root,
        .friendly_name = "certferry try" };
    int rc = -1;

    if (p12_password(r->lib, password, e) == 0 && p12_build(r->lib, &spec, &r->file, e) == 0)
        rc = p12_check(r->lib, buf_view(&r->file), password, buf_view(&r->path), e);
    mem_wipe(password, sizeof password);
    if (rc == 0)
        finding_set(f, GRADE_PASS, ERR_NONE, "PKCS#12, %zu bytes, read again", r->file.len);
    return rc;
}

/* The device's certificate is one that a SCEP client makes for itself. */
static int stage_device(struct rehearse *r, struct finding *f, struct err *e)
{
    struct buf blob = BUF_INIT(PART_MAX);
    struct scep_enrol device;
    int rc;

    if (scep_enrol_open(&device, r->lib, "CN=certferry try device", NULL, e) != 0)
        return -1;
    rc = cms_envelope(r->lib, buf_view(&device.signer), CMS_AES256_GCM, CMS_RSA_OAEP_SHA256,
        buf_view(&r->file), &blob, e);
    if (rc == 0)
        finding_set(f, GRADE_PASS, ERR_NONE,
            "%zu bytes for a device made here; thrown away with key and file", blob.len);
    scep_enrol_close(&device);
    buf_free(&blob);
    return rc;
}

/* ---- one after the other ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    int (*run)(struct rehearse *r, struct finding *f, struct err *e);
    const char *fix;
} stages[] = {
    [REHEARSE_CA] = { "CA", stage_ca, "certferry doctor --only ca; certferry check" },
    [REHEARSE_KEY] = { "Key", stage_key, "try another keys.generation" },
    [REHEARSE_CSR] = { "Request", stage_csr, "give --subject as CN=name" },
    [REHEARSE_SUBMIT] = { "Submit", rehearse_ca, "certferry doctor --only net,tls,ca" },
    [REHEARSE_CHECK] = { "Check", stage_check,
        "compare the template at the CA with the request; the certificate is to be revoked" },
    [REHEARSE_FILE] = { "PKCS#12", stage_file, "certferry doctor --only p12" },
    [REHEARSE_DEVICE] = { "Envelope", stage_device, "certferry doctor --only p12" },
};
_Static_assert(sizeof stages / sizeof stages[0] == REHEARSE_STAGE_COUNT, "every stage has a row");

const char *rehearse_stage_text(enum rehearse_stage s)
{
    return stages[s].text;
}

const struct finding *rehearse_worst(const struct rehearse *r)
{
    for (int i = 0; i < REHEARSE_STAGE_COUNT; i++)
        if (r->found[i].grade == GRADE_FAIL)
            return &r->found[i];
    return NULL;
}

/* A CA that answers has been reached. */
static const char *fix_of(int s, enum err_class cls)
{
    if (s == REHEARSE_CA && cls == ERR_GONE)
        return "certferry config list: its option templates has those that may be asked for";
    if (s == REHEARSE_SUBMIT && (cls == ERR_DENIED || cls == ERR_TEMPLATE || cls == ERR_FORBIDDEN))
        return "give our account the right to enrol for this template, at the CA";
    return stages[s].fix;
}

/* Why this stage is not reached; NULL: it is. */
static const char *unreached(const struct rehearse *r, int s)
{
    static char why[40];

    for (int i = 0; i < s; i++)
        if (r->found[i].grade == GRADE_FAIL) {
            (void)snprintf(why, sizeof why, "needs %s", stages[i].text);
            return why;
        }
    if (s > REHEARSE_SUBMIT && r->pending)
        return "the CA has not decided";
    if (s > REHEARSE_SUBMIT && !r->submit)
        return "nothing was sent";
    return NULL;
}

void rehearse_run(struct rehearse *r)
{
    r->csr = (struct buf)BUF_INIT(PART_MAX);
    r->chain = (struct buf)BUF_INIT(PART_MAX);
    r->path = (struct buf)BUF_INIT(PART_MAX);
    r->file = (struct buf)BUF_SECRET(PART_MAX);
    for (int s = 0; s < REHEARSE_STAGE_COUNT; s++) {
        const char *why = unreached(r, s);
        struct err e = { 0 };

        if (why != NULL) {
            finding_set(&r->found[s], GRADE_SKIP, ERR_NONE, "%s", why);
        } else if (stages[s].run(r, &r->found[s], &e) != 0) {
            finding_set(&r->found[s], GRADE_FAIL, e.cls, "%s", e.msg);
            finding_fix(&r->found[s], "%s", fix_of(s, e.cls));
        }
        if (r->on_stage != NULL)
            r->on_stage(r->arg, (enum rehearse_stage)s, &r->found[s]);
    }
}

void rehearse_free(struct rehearse *r)
{
    ca_close(r->ca);
    key_free(r->key);
    if (r->template != NULL)
        template_free(r->template);
    free(r->template);
    buf_free(&r->csr);
    buf_free(&r->chain);
    buf_free(&r->path);
    buf_free(&r->file);
}
