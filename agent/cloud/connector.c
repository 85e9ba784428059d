/*
 * see connector.h.  It is kept as lines "name value", an empty line, and PEM: nothing but our own code and secret
 * memory touches the key on its way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/cloud/connector.h"
#include "certs/cert.h"
#include "certs/chain.h"
#include "certs/csr.h"
#include "certs/mem.h"
#include "certs/text.h"

enum {
    DAY_S = 86400,
    PEM_MAX = 48 << 10,
    DER_MAX = 32 << 10,
    LINE_MAX_LEN = 512,
    COMMON_NAME_MAX = 64
};

#define FIRST_LINE "certferry connector 1"

const char *connector_method_name(enum connector_method m)
{
    return m == CONNECTOR_JWT ? "private_key_jwt" : "mtls";
}

void connector_free(struct connector *c)
{
    buf_free(&c->certificate);
    buf_free(&c->key);
    mem_wipe(c, sizeof *c);
}

/* ---- its life ------------------------------------------------------------------------------------------------- */

int64_t connector_renew_at(const struct connector *c)
{
    return c->not_before_at + (c->not_after_at - c->not_before_at) / 3 * 2;
}

int64_t connector_days_left(const struct connector *c, int64_t now)
{
    int64_t left_s = c->not_after_at - now;

    return left_s >= 0 ? left_s / DAY_S : -((-left_s + DAY_S - 1) / DAY_S);
}

static int read_validity(struct connector *c, struct view der, struct err *e)
{
    struct cert x;

    if (cert_parse(der, &x, e) != 0)
        return -1;
    c->not_before_at = x.not_before_at;
    c->not_after_at = x.not_after_at;
    return 0;
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

struct field {
    const char *name;
    size_t at, size;
};
#define FIELD(text, member)                                                               \
    {                                                                                     \
        text, offsetof(struct connector, member), sizeof(((struct connector *)0)->member) \
    }
static const struct field fields[] = {
    FIELD("cloud", cloud),
    FIELD("agents", agents),
    FIELD("agent-id", agent_id),
    FIELD("token-url", token_url),
    FIELD("client-id", client_id),
    FIELD("scope", scope),
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static int write_fields(const struct connector *c, struct buf *out, struct err *e)
{
    buf_printf(out, "%s\nmethod %s\nenrolled-at %lld\n", FIRST_LINE,
        connector_method_name(c->method), (long long)c->enrolled_at);
    for (size_t i = 0; i < FIELDS; i++) {
        const char *value = (const char *)c + fields[i].at;

        if (text_has_control(view_text(value)))
            return err_set(e, ERR_INPUT, "connector: a control character in %s", fields[i].name);
        if (value[0] != '\0')
            buf_printf(out, "%s %s\n", fields[i].name, value);
    }
    buf_add_byte(out, '\n');
    return 0;
}

int connector_write(const struct connector *c, struct buf *out, struct err *e)
{
    size_t start = out->len;

    if (write_fields(c, out, e) != 0) {
        buf_truncate(out, start);
        return -1;
    }
    buf_add_view(out, buf_view(&c->certificate));
    buf_add_view(out, buf_view(&c->key));
    return buf_finish(out, start, e);
}

int connector_keep(struct secrets *s, const char *name, const struct connector *c, struct err *e)
{
    struct buf text = BUF_SECRET(SECRET_BYTES_MAX);
    int rc = connector_write(c, &text, e);

    if (rc == 0)
        rc = secrets_put(s, name, buf_view(&text), e);
    buf_free(&text);
    return rc;
}

int connector_drop(struct secrets *s, const char *name, struct err *e)
{
    return secrets_drop(s, name, e) == 0 || e->cls == ERR_GONE ? 0 : -1;
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

static int broken(struct err *e, const char *what)
{
    return err_set(e, ERR_CRYPTO, "the kept identity is damaged: %s; sign in again", what);
}

/* One line off *rest, as text.  false: none, or too long */
static bool take_line(struct view *rest, char out[LINE_MAX_LEN + 40])
{
    const uint8_t *end = rest->len > 0 ? memchr(rest->p, '\n', rest->len) : NULL;
    size_t len = end != NULL ? (size_t)(end - rest->p) : 0;

    if (end == NULL || len >= LINE_MAX_LEN + 40)
        return false;
    memcpy(out, rest->p, len);
    out[len] = '\0';
    *rest = view_of(end + 1, rest->len - len - 1);
    return true;
}

/* Names we do not know are of a later version, which wrote them for itself. */
static bool take_value(struct connector *c, const char *name, const char *value)
{
    if (strcmp(name, "method") == 0)
        c->method = strcmp(value, "mtls") == 0 ? CONNECTOR_MTLS : CONNECTOR_JWT;
    else if (strcmp(name, "enrolled-at") == 0)
        c->enrolled_at = strtoll(value, NULL, 10);
    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(name, fields[i].name) == 0) {
            if (strlen(value) >= fields[i].size)
                return false;
            (void)snprintf((char *)c + fields[i].at, fields[i].size, "%s", value);
        }
    return true;
}

static int read_fields(struct connector *c, struct view *rest, struct err *e)
{
    char line[LINE_MAX_LEN + 40], *space;

    if (!take_line(rest, line) || strcmp(line, FIRST_LINE) != 0)
        return broken(e, "not one of this version");
    for (;;) {
        if (!take_line(rest, line))
            return broken(e, "it ends too early");
        if (line[0] == '\0')
            return 0;
        if ((space = strchr(line, ' ')) == NULL)
            return broken(e, "a line without a value");
        *space = '\0';
        if (!take_value(c, line, space + 1))
            return broken(e, line);
    }
}

/* Blocks with this label, each written as it was; the first one's DER stays in der. */
static int read_pem(
    struct view in, const char *label, struct buf *out, struct buf *der, struct err *e)
{
    struct buf one = { .max = DER_MAX, .secret = der->secret };
    int got;

    while ((got = pem_next(&in, label, &one, e)) == 1) {
        if (der->len == 0)
            buf_add_view(der, buf_view(&one));
        pem_add(out, label, buf_view(&one));
        buf_reset(&one);
    }
    buf_free(&one);
    return got != 0 || buf_check(out, e) != 0 || buf_check(der, e) != 0 ? -1 : 0;
}

static int read_all(struct connector *c, struct view in, struct err *e)
{
    struct buf certificate = BUF_INIT(DER_MAX), key = BUF_SECRET(DER_MAX);
    int rc = -1;

    if (read_fields(c, &in, e) != 0
        || read_pem(in, "CERTIFICATE", &c->certificate, &certificate, e) != 0
        || read_pem(in, "PRIVATE KEY", &c->key, &key, e) != 0)
        goto done;
    if (c->cloud[0] == '\0' || key.len == 0 || certificate.len == 0) {
        broken(e, "a part is missing");
        goto done;
    }
    rc = read_validity(c, buf_view(&certificate), e);
done:
    buf_free(&certificate);
    buf_free(&key);
    return rc;
}

int connector_read(struct view in, struct connector *out, struct err *e)
{
    struct connector c = { .certificate = BUF_INIT(PEM_MAX), .key = BUF_SECRET(PEM_MAX) };

    if (read_all(&c, in, e) == 0) {
        connector_free(out);
        *out = c;
        return 0;
    }
    connector_free(&c);
    return e->cls == ERR_PROTO ? broken(e, "no PEM") : -1;
}

int connector_load(struct secrets *s, const char *name, struct connector *out, struct err *e)
{
    struct buf text = BUF_SECRET(SECRET_BYTES_MAX);
    int rc;

    if (secrets_get(s, name, &text, e) != 0)
        rc = e->cls == ERR_GONE ? 0 : -1;
    else if (view_equal(buf_view(&text), view_text("-")))
        rc = 0; /* a command that may not look, see secrets_open */
    else
        rc = connector_read(buf_view(&text), out, e) == 0 ? 1 : -1;
    buf_free(&text);
    return rc;
}

/* ---- a new one ------------------------------------------------------------------------------------------------ */

int connector_csr(struct lib *l, struct key *key, const char *name, struct buf *out, struct err *e)
{
    struct template t = { .hash = HASH_SHA256 };
    char common_name[COMMON_NAME_MAX + 1]; /* in characters; a byte is at most one */
    int rc = -1;

    (void)snprintf(common_name, sizeof common_name, "%s", name);
    if (name_add(&t.subject, "CN", common_name, false, e) == 0)
        rc = csr_build(l, &t, key, out, e);
    template_free(&t);
    return rc;
}

static void take_texts(struct connector *c, const struct ccp_identity *from)
{
    (void)snprintf(c->agent_id, sizeof c->agent_id, "%s", from->agent_id);
    (void)snprintf(c->token_url, sizeof c->token_url, "%s", from->token_url);
    (void)snprintf(c->client_id, sizeof c->client_id, "%s", from->client_id);
    (void)snprintf(c->scope, sizeof c->scope, "%s", from->scope);
    c->method = from->method == CCP_PRIVATE_KEY_JWT ? CONNECTOR_JWT : CONNECTOR_MTLS;
    c->not_before_at = from->not_before_at;
    c->not_after_at = from->not_after_at;
}

int connector_give(struct connector *c, const struct ccp_identity *from, const struct key *key,
    int64_t now, struct err *e)
{
    struct buf pem = BUF_INIT(PEM_MAX), secret = BUF_SECRET(PEM_MAX);
    struct view rest = buf_view(&from->chain), one;
    int got, rc = -1;

    pem_add(&pem, "CERTIFICATE", buf_view(&from->certificate));
    while ((got = chain_next(&rest, &one, e)) == 1)
        pem_add(&pem, "CERTIFICATE", one);
    pem_add(&secret, "PRIVATE KEY", key_pkcs8(key));
    if (got == 0 && buf_check(&pem, e) == 0 && buf_check(&secret, e) == 0) {
        buf_take(&c->certificate, &pem);
        buf_take(&c->key, &secret);
        take_texts(c, from);
        c->enrolled_at = now;
        rc = 0;
    }
    buf_free(&pem);
    buf_free(&secret);
    return rc;
}
