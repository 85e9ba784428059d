/* see control_ra.h */
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/control/control_ra.h"
#include "agent/requests/audit.h"
#include "agent/scep/ra_renew.h"
#include "agent/scep/ra_stock.h"
#include "agent/secrets/identity.h"
#include "certs/chain.h"
#include "certs/name.h"
#include "certs/text.h"

enum { CERTIFICATES_MAX = 1 << 20, DAY_S = 86400 };

/* ---- a certificate ---------------------------------------------------------------------------------------------- */

static void put_name(struct json_out *o, const char *member, struct view name)
{
    struct buf text = BUF_INIT(4096);

    name_text(name, &text);
    json_put_text(o, member, buf_text(&text));
    buf_free(&text);
}

static int put_hashes(struct lib *l, struct view der, struct json_out *o, struct err *e)
{
    struct buf sha1 = BUF_INIT(64), sha256 = BUF_INIT(72);
    uint8_t hash[32];
    int rc = -1;

    if (cert_thumbprint(l, der, &sha1, e) == 0 && lib_sha256(l, der, hash, e) == 0) {
        hex_add(&sha256, view_of(hash, sizeof hash));
        json_put_text(o, "sha1", buf_text(&sha1));
        json_put_text(o, "sha256", buf_text(&sha256));
        rc = 0;
    }
    buf_free(&sha1);
    buf_free(&sha256);
    return rc;
}

static int put_certificate(
    struct lib *l, const char *name, struct view der, struct json_out *o, struct err *e)
{
    struct buf serial = BUF_INIT(64);
    struct cert c;
    int rc;

    if (cert_parse(der, &c, e) != 0)
        return -1;
    cert_serial_hex(&c, &serial);
    json_open(o, name, '{');
    put_name(o, "subject", c.subject);
    put_name(o, "issuer", c.issuer);
    json_put_text(o, "serialNumber", buf_text(&serial));
    rc = put_hashes(l, der, o, e);
    json_put_time(o, "notBefore", c.not_before_at);
    json_put_time(o, "notAfter", c.not_after_at);
    json_put_int(o, "daysLeft", (c.not_after_at - clock_now()) / DAY_S);
    json_close(o, '}');
    buf_free(&serial);
    return rc;
}

/* ---- where the certificates are ---------------------------------------------------------------------------------- */

struct shown { /* DER; previous: one behind the other, newest first */
    struct buf signing, encryption, previous;
    int64_t current; /* of the store */
};

static void from_service(const struct ra *ra, struct shown *x)
{
    buf_add_view(&x->signing, buf_view(&ra->signing.certificate));
    buf_add_view(&x->encryption, buf_view(&ra->encryption.certificate));
    for (size_t i = 0; i < ra->previous_count; i++)
        buf_add_view(&x->previous, buf_view(&ra->previous[i].certificate));
}

static void on_row(void *arg, const struct store_ra *r)
{
    struct shown *x = arg;
    struct view rest = r->path, leaf;
    struct err e;

    if (r->generation > x->current || chain_next(&rest, &leaf, &e) != 1)
        return;
    buf_add_view(r->generation < x->current ? &x->previous
                 : r->use == 's'            ? &x->signing
                                            : &x->encryption,
        leaf);
}

static int from_files(struct lib *l, const struct conf_scep *c, struct shown *x, struct err *e)
{
    if (identity_certificate(l, c->ra_certificate, &x->signing, e) != 0)
        return -1;
    if (c->ra_encryption_certificate == NULL)
        buf_add_view(&x->encryption, buf_view(&x->signing));
    else if (identity_certificate(l, c->ra_encryption_certificate, &x->encryption, e) != 0)
        return -1;
    for (size_t i = 0; i < c->ra_previous.count; i++)
        if (identity_certificate(l, c->ra_previous.at[i], &x->previous, e) != 0)
            return -1;
    return 0;
}

static int gather(struct agent *a, struct lib *l, const struct endpoint *p,
    const struct conf_scep *c, const struct ra_stock *st, struct shown *x, struct err *e)
{
    x->current = st->current;
    if (p != NULL && p->ra != NULL) {
        from_service(p->ra, x);
    } else if (c->ra_certificate != NULL) {
        if (from_files(l, c, x, e) != 0)
            return -1;
    } else if (st->current != 0 && store_ra_list(a->store, c->name, on_row, x, e) != 0) {
        return -1;
    }
    return buf_check(&x->signing, e) != 0 || buf_check(&x->encryption, e) != 0
                   || buf_check(&x->previous, e) != 0
               ? -1
               : 0;
}

static int put_certificates(struct lib *l, const struct shown *x, struct json_out *o, struct err *e)
{
    struct view rest = buf_view(&x->previous), der;
    int got = 0;

    if ((x->signing.len > 0 && put_certificate(l, "signing", buf_view(&x->signing), o, e) != 0)
        || (x->encryption.len > 0
            && put_certificate(l, "encryption", buf_view(&x->encryption), o, e) != 0))
        return -1;
    json_open(o, "previous", '[');
    while ((got = chain_next(&rest, &der, e)) == 1)
        if (put_certificate(l, NULL, der, o, e) != 0)
            return -1;
    json_close(o, ']');
    return got;
}

/* ---- what is under way ---------------------------------------------------------------------------------------------- */

static int put_requests(struct agent *a, const struct conf_scep *c, const struct ra_stock *st,
    struct json_out *o, struct err *e)
{
    json_open(o, "enrolling", '[');
    for (int i = 0; i < 2; i++) {
        struct request r;
        int n = ra_stock_last(a->store, c->name, st->current + 1, "se"[i], &r, e);

        if (n < 0)
            return -1;
        if (n == 0)
            continue;
        json_open(o, NULL, '{');
        json_put_text(o, "request", r.id);
        json_put_text(o, "use", i == 0 ? "signing" : "encryption");
        json_put_text(o, "state", request_state_name(r.state));
        json_put_time(o, "next", r.next_at);
        if (r.why.cls != ERR_NONE)
            json_put_text(o, "reason", r.why.msg);
        json_close(o, '}');
    }
    json_close(o, ']');
    return 0;
}

static int put_endpoint(
    struct agent *a, struct lib *l, const struct conf_scep *c, struct json_out *o, struct err *e)
{
    const struct endpoint *p = a->scepd != NULL ? scepd_endpoint(a->scepd, c->name) : NULL;
    bool enrolled = c->ra_certificate == NULL;
    struct shown x = { BUF_INIT(CERTIFICATES_MAX), BUF_INIT(CERTIFICATES_MAX),
        BUF_INIT(CERTIFICATES_MAX), 0 };
    struct ra_stock st = { 0 };
    int rc = -1, wished = 0;

    if (enrolled
        && (ra_stock_read(a->store, c->name, clock_now(), &st, e) != 0
            || (wished = ra_renew_wished(a->store, c->name, e)) < 0))
        return -1;
    if (gather(a, l, p, c, &st, &x, e) == 0) {
        json_open(o, NULL, '{');
        json_put_text(o, "endpoint", c->name);
        json_put_text(o, "ca", c->ca);
        json_put_text(o, "source", enrolled ? "enrolled" : "file");
        json_put_bool(o, "inUse", p != NULL ? p->ra != NULL : x.signing.len > 0);
        if (enrolled) {
            json_put_int(o, "generation", st.current);
            json_put_time(o, "renewsAt", st.renew_at);
            json_put_bool(o, "renewalAsked", wished == 1);
        }
        rc = put_certificates(l, &x, o, e);
        if (rc == 0 && enrolled)
            rc = put_requests(a, c, &st, o, e);
        json_close(o, '}');
    }
    buf_free(&x.signing);
    buf_free(&x.encryption);
    buf_free(&x.previous);
    return rc;
}

/* ---- the commands ------------------------------------------------------------------------------------------------------ */

static int report(struct agent *a, const char *only, struct json_out *o, struct err *e)
{
    struct lib *l = a->lib != NULL ? a->lib : lib_new(e); /* a command on the store has none */
    int rc = 0;

    if (l == NULL)
        return -1;
    json_open(o, NULL, '{');
    json_open(o, "endpoints", '[');
    for (size_t i = 0; rc == 0 && i < a->conf->scep_count; i++)
        if (only == NULL || strcmp(a->conf->sceps[i].name, only) == 0)
            rc = put_endpoint(a, l, &a->conf->sceps[i], o, e);
    json_close(o, ']');
    json_close(o, '}');
    if (a->lib == NULL)
        lib_free(l);
    return rc;
}

static const struct conf_scep *find(const struct conf *c, const char *name, struct err *e)
{
    for (size_t i = 0; i < c->scep_count; i++)
        if (strcmp(c->sceps[i].name, name) == 0)
            return &c->sceps[i];
    (void)err_set(e, ERR_GONE, "no scep section \"%s\" in %s", name, c->path);
    return NULL;
}

int report_ra(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    const char *name = NULL;

    if (json_text(q, "endpoint", false, CONF_NAME_MAX, &name, e) != 0
        || (name != NULL && find(a->conf, name, e) == NULL))
        return -1;
    return report(a, name, o, e);
}

int control_renew_ra(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    const char *name = NULL;
    const struct conf_scep *c;

    if (json_text(q, "endpoint", true, CONF_NAME_MAX, &name, e) != 0
        || (c = find(a->conf, name, e)) == NULL)
        return -1;
    if (c->ra_certificate != NULL)
        return err_set(e, ERR_CONFLICT,
            "scep \"%s\" has its certificates from files; replace those, then reload the service",
            name);
    if (ra_renew_wish(a->store, name, e) != 0
        || audit_add(a, AUDIT_RA_RENEW, a->actor, name, NULL, e) != 0
        || store_commit(a->store, e) != 0)
        return -1;
    log_event(EV_OPERATOR, NULL, name, "an administrator has the certificates renewed");
    if (a->scepd != NULL)
        ra_renew_look(a->scepd);
    return report(a, name, o, e);
}
