/* see control_identity.h */
#include <string.h>
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/control/control_identity.h"
#include "agent/control/control_secret.h"
#include "agent/requests/audit.h"
#include "agent/service/heartbeat.h"
#include "agent/service/reconcile.h"
#include "certs/cert.h"
#include "certs/name.h"
#include "certs/text.h"

enum { DER_MAX = 32 << 10 };

/* ---- showing --------------------------------------------------------------------------------------------------- */

static int put_certificate(const struct connector *c, struct json_out *o, struct err *e)
{
    struct buf der = BUF_INIT(DER_MAX), serial = BUF_INIT(64), issuer = BUF_INIT(4096);
    struct view rest = buf_view(&c->certificate);
    struct cert x;
    int rc = -1;

    if (pem_next(&rest, "CERTIFICATE", &der, e) == 1 && cert_parse(buf_view(&der), &x, e) == 0) {
        cert_serial_hex(&x, &serial);
        name_text(x.issuer, &issuer);
        json_open(o, "certificate", '{');
        json_put_text(o, "serialNumber", buf_text(&serial));
        json_put_text(o, "issuer", buf_text(&issuer));
        json_put_time(o, "notBefore", c->not_before_at);
        json_put_time(o, "notAfter", c->not_after_at);
        json_close(o, '}');
        rc = 0;
    }
    buf_free(&der);
    buf_free(&serial);
    buf_free(&issuer);
    return rc;
}

static void put_life(const struct connector *c, struct json_out *o)
{
    json_put_text(o, "agentId", c->agent_id);
    json_put_text(o, "cloud", c->cloud);
    json_put_text(o, "method", connector_method_name(c->method));
    json_put_text(o, "clientId", c->client_id[0] != '\0' ? c->client_id : NULL);
    json_put_time(o, "notAfter", c->not_after_at);
    json_put_int(o, "daysLeft", connector_days_left(c, clock_now()));
    json_put_time(o, "renewsAt", connector_renew_at(c));
}

static void put_refusal(const struct agent *a, struct json_out *o)
{
    json_put_bool(o, "needsSignIn", a->cloud.needs_sign_in);
    if (!a->cloud.needs_sign_in)
        return;
    json_put_time(o, "since", a->cloud.refused_at);
    json_put_text(o, "reason", a->cloud.why.msg);
}

void report_identity_part(const struct agent *a, struct json_out *o)
{
    const struct connector *who = cloud_who(&a->cloud);

    json_open(o, "identity", '{');
    json_put_bool(o, "signedIn", who != NULL);
    if (who != NULL)
        put_life(who, o);
    put_refusal(a, o);
    json_close(o, '}');
}

static int put_all(struct agent *a, const struct connector *c, struct json_out *o, struct err *e)
{
    struct connector next = { 0 };
    int got;

    put_life(c, o);
    json_put_time(o, "enrolledAt", c->enrolled_at);
    json_put_bool(o, "forConfiguredCloud", cloud_is_mine(c, a->conf->cloud.url));
    if (put_certificate(c, o, e) != 0
        || (got = connector_load(a->secrets, CONNECTOR_NEXT, &next, e)) < 0)
        return -1;
    json_put_bool(o, "renewalUntried", got == 1);
    connector_free(&next);
    return 0;
}

int report_identity(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct connector c = { 0 };
    int got = connector_load(a->secrets, CONNECTOR_NOW, &c, e), rc = got;

    (void)q;
    if (got < 0)
        return -1;
    json_open(o, NULL, '{');
    json_put_bool(o, "signedIn", got == 1);
    json_put_text(o, "configuredCloud", a->conf->cloud.url);
    json_put_text(o, "clientCertificate", got == 0 ? a->conf->cloud.client_certificate : NULL);
    json_put_bool(o, "tokenFile", got == 0 && a->conf->cloud.token_file != NULL);
    if (got == 1)
        rc = put_all(a, &c, o, e);
    if (a->jobs != NULL)
        put_refusal(a, o);
    json_close(o, '}');
    connector_free(&c);
    return rc < 0 ? -1 : 0;
}

int report_reconcile(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    (void)q;
    if (a->reconcile == NULL)
        return err_set(e, ERR_GONE, "no service runs on this store");
    json_open(o, NULL, '{');
    reconcile_report(a->reconcile, o);
    json_close(o, '}');
    return 0;
}

/* ---- changing ---------------------------------------------------------------------------------------------------- */

/* Whoever signs in again has an identity of his own: if two shared the old one, that is over. */
static int not_shared(struct agent *a, struct err *e)
{
    char state[32] = "";

    if (a->reconcile != NULL)
        return reconcile_renewed(a->reconcile, e);
    if (store_meta_get(a->store, "reconcile/state", state, sizeof state, e) < 0
        || (strcmp(state, "clone") == 0
            && store_meta_put(a->store, "reconcile/state", "comparing", e) != 0))
        return -1;
    return store_commit(a->store, e);
}

/* A running service goes on with what is kept now. */
static int take_over(struct agent *a, struct err *e)
{
    if (a->jobs == NULL)
        return 0;
    if (cloud_reload(&a->cloud, e) != 0)
        return -1;
    heartbeat_now(a);
    return 0;
}

int control_keep_identity(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct buf text = BUF_SECRET(SECRET_BYTES_MAX);
    struct connector c = { 0 };
    bool mine;
    int rc = -1;

    (void)q;
    if (control_read_secret(&text, e) != 0 || connector_read(buf_view(&text), &c, e) != 0)
        goto done;
    mine = cloud_is_mine(&c, a->conf->cloud.url);
    if (connector_keep(a->secrets, CONNECTOR_NOW, &c, e) != 0
        || connector_drop(a->secrets, CONNECTOR_NEXT, e) != 0 || not_shared(a, e) != 0
        || audit_done(a, AUDIT_SIGNED_IN, c.agent_id, c.cloud, e) != 0 || take_over(a, e) != 0)
        goto done;
    if (a->jobs != NULL)
        log_event(EV_OPERATOR, NULL, "cloud", "an administrator signed in; the connector is %s",
            c.agent_id);
    json_open(o, NULL, '{');
    json_put_text(o, "agentId", c.agent_id);
    json_put_bool(o, "inUse", a->jobs != NULL && mine);
    json_put_bool(o, "running", a->jobs != NULL);
    json_close(o, '}');
    rc = 0;
done:
    buf_free(&text);
    connector_free(&c);
    return rc;
}

int control_drop_identity(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct connector c = { 0 };
    int got = connector_load(a->secrets, CONNECTOR_NOW, &c, e);

    (void)q;
    if (got == 0)
        return err_set(e, ERR_GONE, "this connector is not signed in");
    /* One that does not open any more can be destroyed all the same. */
    if (connector_drop(a->secrets, CONNECTOR_NEXT, e) != 0
        || connector_drop(a->secrets, CONNECTOR_NOW, e) != 0
        || audit_done(a, AUDIT_SIGNED_OUT, got == 1 ? c.agent_id : NULL, NULL, e) != 0
        || take_over(a, e) != 0) {
        connector_free(&c);
        return -1;
    }
    if (a->jobs != NULL)
        log_event(EV_OPERATOR, NULL, "cloud", "an administrator signed out");
    json_open(o, NULL, '{');
    json_put_text(o, "agentId", got == 1 ? c.agent_id : NULL);
    json_put_text(o, "cloud", got == 1 ? c.cloud : NULL);
    json_put_bool(o, "running", a->jobs != NULL);
    json_close(o, '}');
    connector_free(&c);
    return 0;
}

int control_claim(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    if (a->reconcile == NULL)
        return err_set(e, ERR_GONE, "no service runs on this store: start the one that is to live");
    if (reconcile_claim(a->reconcile, e) != 0
        || audit_done(a, AUDIT_RECONCILE_CLAIMED, cloud_agent_id(&a->cloud), NULL, e) != 0)
        return -1;
    log_event(EV_OPERATOR, NULL, "cloud",
        "an administrator says that this is the only service under this identity");
    return report_reconcile(a, q, o, e);
}
