/* see control_secret.h */
#include <string.h>
#include "agent/base/log.h"
#include "agent/control/control.h"
#include "agent/control/control_secret.h"
#include "agent/requests/audit.h"
#include "agent/service/rotate.h"
#include "certs/text.h"

/* Borrowed from the request while its command runs; the socket's buffer is wiped with it. */
static struct view secret;

struct view control_cut_secret(struct view *request)
{
    const uint8_t *at = request->len > 0 ? memchr(request->p, CONTROL_SECRET, request->len) : NULL;
    struct view v = { 0 };

    if (at == NULL)
        return v;
    v = view_of(at + 1, request->len - (size_t)(at - request->p) - 1);
    while (v.len > 0 && v.p[v.len - 1] == '\n')
        v.len--;
    request->len = (size_t)(at - request->p);
    return v;
}

void control_take_secret(struct view base64)
{
    secret = base64;
}

int control_read_secret(struct buf *out, struct err *e)
{
    if (secret.len > 0 && base64_parse(secret, out, e) == 0)
        return 0;
    return err_set(e, ERR_INPUT, "what is secret did not arrive whole");
}

static bool exists(struct agent *a, const char *name)
{
    struct buf old = BUF_SECRET(SECRET_BYTES_MAX);
    struct err e;
    bool is = secrets_get(a->secrets, name, &old, &e) == 0 || e.cls != ERR_GONE;

    buf_free(&old);
    return is;
}

int control_set_secret(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    struct buf value = BUF_SECRET(SECRET_BYTES_MAX);
    const char *name = NULL;
    bool replaced;
    int rc = -1;

    if (json_text(q, "name", true, SECRET_NAME_MAX, &name, e) != 0)
        return -1;
    if (secret_name_is_ours(name))
        return err_set(
            e, ERR_INPUT, "secrets that begin with \"certferry.\" are the service's own");
    if (base64_parse(secret, &value, e) != 0) {
        (void)err_set(e, ERR_INPUT, "the value of secret \"%s\" did not arrive whole", name);
        goto done;
    }
    replaced = exists(a, name);
    if (secrets_put(a->secrets, name, buf_view(&value), e) != 0)
        goto done;
    if (a->jobs != NULL)
        log_event(
            EV_OPERATOR, NULL, NULL, "secret \"%s\" was %s", name, replaced ? "replaced" : "set");
    if (audit_done(a, AUDIT_SECRET_SET, name, replaced ? "replaced" : NULL, e) != 0)
        goto done;
    json_open(o, NULL, '{');
    json_put_text(o, "name", name);
    json_put_bool(o, "replaced", replaced);
    json_close(o, '}');
    rc = 0;
done:
    buf_free(&value);
    return rc;
}

int control_rotate(struct agent *a, const struct json *q, struct json_out *o, struct err *e)
{
    const struct conf *c = a->conf;
    struct rotated r;
    char path[4096];

    (void)q;
    if (rotate(a, &r, e) != 0)
        return -1;
    if (a->jobs != NULL)
        log_event(EV_OPERATOR, NULL, NULL,
            "the master key was exchanged: %zu keys of requests and %zu secrets were sealed again, "
            "%zu do not open",
            r.data_keys, r.secrets, r.unreadable);
    if (audit_done(a, AUDIT_KEYS_ROTATED, NULL, NULL, e) != 0)
        return -1;
    store_idle(a->store); /* what the old key sealed leaves the log */
    json_open(o, NULL, '{');
    json_put_int(o, "dataKeys", (int64_t)r.data_keys);
    json_put_int(o, "secrets", (int64_t)r.secrets);
    json_put_int(o, "unreadable", (int64_t)r.unreadable);
    json_put_text(o, "masterKey",
        vault_place_name(vault_place(c->store.dir, c->store.master_key, path, sizeof path)));
    json_close(o, '}');
    return 0;
}
