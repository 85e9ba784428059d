/* see faces.h: /.well-known/est/ (RFC 7030, RFC 8951) */
#include "test/sandbox/faces.h"
#include "test/sandbox/sandbox.h"
#include "test/sandbox/wire.h"
#include <string.h>
#include <strings.h>

#define ROOT "/.well-known/est/"

enum { RETRY_S = 1 };

bool est_owns(const char *path)
{
    return strncmp(path, ROOT, strlen(ROOT)) == 0;
}

static void send_p7(struct exchange *x, const struct str *leaf, bool chain, const char *type)
{
    struct str p7 = { 0 };

    ca_pkcs7(&x->sandbox->setup, leaf, chain, &p7);
    answer(x, 200, type);
    str_b64_lines(&x->reply.body, p7.p, p7.len, "\r\n");
    str_free(&p7);
}

/* Without a label: the CA there is.  A label that is no template is nobody's. */
static void cacerts(struct exchange *x, const char *label)
{
    if (label[0] != '\0' && template_find(label) == NULL) {
        answer_text(x, 404, "There is no such label; it is the name of the template.\r\n");
        return;
    }
    if (wire_before(x, AT_EST_CACERTS, ""))
        return;
    send_p7(x, NULL, true, "application/pkcs7-mime");
    wire_after(x);
}

/* What a request should be signed with: ecdsa-with-SHA256, as SEQUENCE OF OID. */
static void csrattrs(struct exchange *x)
{
    static const unsigned char der[] = { 0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2 };

    answer(x, 200, "application/csrattrs");
    str_b64_lines(&x->reply.body, der, sizeof der, "\r\n");
}

static void note_fetched(struct exchange *x, const struct ca_entry *e)
{
    struct ledger *l = x->sandbox->ledger;

    ledger_begin(l, "fetched");
    ledger_text(l, "face", "est");
    ledger_int(l, "id", e->id);
    ledger_text(l, "cn", e->cn);
    ledger_end(l);
}

static void show(struct exchange *x, const struct ca_entry *e)
{
    if (e->state == CA_ISSUED && hit_has(&x->hit, FAULT_LIE_FAILURE)) {
        answer_text(x, 400, "The CA was in a bad mood.\r\n");
    } else if (e->state == CA_ISSUED) {
        send_p7(x, &e->cert, false, "application/pkcs7-mime; smime-type=certs-only");
        note_fetched(x, e);
    } else if (e->state == CA_PENDING) {
        answer_text(x, 202, "The request waits for a manager.\r\n");
        x->reply.retry_after_s = RETRY_S;
    } else {
        answer(x, 400, "text/plain; charset=utf-8");
        str_f(&x->reply.body, "Denied by policy, 0x%08X: %s\r\n", e->hresult, e->message);
    }
}

/* The same bytes while they wait, or waited, are the same request; anything else is a new one. */
static struct ca_entry *known(struct exchange *x, const struct str *csr)
{
    struct ca *c = &x->sandbox->ca;
    struct ca_entry *e = hit_has(&x->hit, FAULT_FORGET) ? NULL : ca_by_csr(c, csr);

    if (e == NULL || e->face != FACE_EST || !e->waited)
        return NULL;
    ca_poll(c, e);
    return e;
}

static void enroll_csr(struct exchange *x, const struct str *csr, const char *label)
{
    struct sandbox *s = x->sandbox;
    struct ca_request r = { .face = FACE_EST, .csr = csr, .template = label, .hit = &x->hit };
    const char *why = NULL;
    struct ca_entry *e;
    char cn[256];

    fault_cn(x, AT_EST, csr, cn, sizeof cn);
    if (wire_before(x, AT_EST, cn))
        return;
    e = known(x, csr);
    if (e == NULL)
        e = ca_submit(&s->ca, &r, &why);
    if (e != NULL)
        show(x, e);
    else
        answer_text(x, 400, why);
    x->reply.delay_ms += s->opt.ca_delay_ms;
    wire_after(x);
}

static void enroll(struct exchange *x, const char *label)
{
    const char *type = http_header(x, "Content-Type");
    struct str csr = { 0 };

    if (template_find(label) == NULL)
        answer_text(x, 404, "There is no such label; it is the name of the template.\r\n");
    else if (strcmp(x->method, "POST") != 0)
        answer_text(x, 405, "POST a request here.\r\n");
    else if (type == NULL || strncasecmp(type, "application/pkcs10", 18) != 0)
        answer_text(x, 415, "The content type is not application/pkcs10.\r\n");
    else if (!b64_read(str_text(&x->body), x->body.len, &csr) || csr.len == 0)
        answer_text(x, 400, "invalid base64 encoding\r\n");
    else
        enroll_csr(x, &csr, label);
    str_free(&csr);
}

void est_serve(struct exchange *x)
{
    const char *rest = x->path + strlen(ROOT), *slash = strchr(rest, '/');
    const char *operation = slash == NULL ? rest : slash + 1;
    bool get = strcmp(x->method, "GET") == 0;
    char label[64] = "";

    if (slash != NULL && (size_t)(slash - rest) < sizeof label)
        memcpy(label, rest, (size_t)(slash - rest));
    if (!face_login(x))
        return;
    if (get && strcmp(operation, "cacerts") == 0)
        cacerts(x, label);
    else if (get && strcmp(operation, "csrattrs") == 0)
        csrattrs(x);
    else if (strcmp(operation, "simpleenroll") == 0)
        enroll(x, label);
    else
        answer_text(x, 404, "There is no such operation.\r\n");
}
