/* see faces.h: /certsrv/ */
#include "test/sandbox/faces.h"
#include "test/sandbox/sandbox.h"
#include "test/sandbox/wire.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ROOT "/certsrv/"

bool adcs_owns(const char *path)
{
    return strncmp(path, ROOT, strlen(ROOT)) == 0 || strcmp(path, "/certsrv") == 0;
}

bool face_login(struct exchange *x)
{
    struct sandbox *s = x->sandbox;

    if (http_basic(x, &s->setup.ca_login))
        return true;
    answer(x, 401, "text/html");
    page_unauthorized(&x->reply.body);
    x->reply.authenticate = "Basic realm=\"Contoso Issuing CA 1\"";
    ledger_begin(s->ledger, "refused");
    ledger_text(s->ledger, "path", x->path);
    ledger_int(s->ledger, "status", 401);
    ledger_text(s->ledger, "why", "Basic credentials: missing or wrong");
    ledger_end(s->ledger);
    return false;
}

void fault_cn(struct exchange *x, unsigned at, const struct str *csr, char *out, size_t room)
{
    out[0] = '\0';
    if (faults_any(x->sandbox->faults, at))
        ca_cn(csr, out, room);
}

static enum page_lang lang_of(const struct exchange *x)
{
    return x->sandbox->opt.german || hit_has(&x->hit, FAULT_GERMAN) ? GERMAN : ENGLISH;
}

static struct str *html(struct exchange *x)
{
    answer(x, 200, "text/html; charset=UTF-8");
    return &x->reply.body;
}

/* ---- attributes: "Name:Value" lines; blanks and '-' in a name do not count ---- */

static bool name_is(const char *line, size_t len, const char *name)
{
    for (size_t i = 0; i < len; i++) {
        if (line[i] == ' ' || line[i] == '-')
            continue;
        if (tolower((unsigned char)line[i]) != tolower((unsigned char)*name) || *name == '\0')
            return false;
        name++;
    }
    return *name == '\0';
}

static bool attribute(const char *lines, const char *name, char *out, size_t room)
{
    while (*lines != '\0') {
        size_t len = strcspn(lines, "\r\n");
        const char *colon = memchr(lines, ':', len);

        if (colon != NULL && name_is(lines, (size_t)(colon - lines), name)) {
            size_t n = len - (size_t)(colon + 1 - lines);

            if (n >= room)
                return false;
            memcpy(out, colon + 1, n);
            out[n] = '\0';
            return true;
        }
        lines += len + strspn(lines + len, "\r\n");
    }
    return false;
}

static int64_t validity(const char *lines)
{
    static const struct {
        const char *name;
        int64_t s;
    } scales[] = { { "Seconds", 1 }, { "Minutes", 60 }, { "Hours", 3600 }, { "Days", 86400 },
        { "Weeks", 604800 }, { "Months", 2629746 }, { "Years", 31556952 } };
    char period[32], units[32];
    char *end;
    long n;

    if (!attribute(lines, "ValidityPeriod", period, sizeof period)
        || !attribute(lines, "ValidityPeriodUnits", units, sizeof units))
        return 0;
    n = strtol(units, &end, 10);
    if (end == units || *end != '\0' || n < 1 || n > 1000000000)
        return 0;
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        if (strcasecmp(scales[i].name, period) == 0)
            return n * scales[i].s;
    }
    return 0;
}

/* ---- submit ---- */

static void show(struct exchange *x, const struct ca_entry *e)
{
    if (e->state == CA_ISSUED && hit_has(&x->hit, FAULT_LIE_FAILURE))
        page_denied(html(x), lang_of(x), e->id, 0x80094012, "The CA was in a bad mood.");
    else if (e->state == CA_ISSUED)
        page_issued(html(x), lang_of(x), e->id);
    else if (e->state == CA_PENDING)
        page_pending(html(x), lang_of(x), e->id);
    else
        page_denied(html(x), lang_of(x), e->id, e->hresult, e->message);
}

static void bad_request(struct exchange *x, const char *why)
{
    struct sandbox *s = x->sandbox;
    const struct page_error e = { 1, why, 0x80070057, "newreq - New Request" };

    page_error(html(x), lang_of(x), &e);
    ledger_begin(s->ledger, "refused");
    ledger_text(s->ledger, "path", x->path);
    ledger_int(s->ledger, "status", 200);
    ledger_text(s->ledger, "why", why);
    ledger_end(s->ledger);
}

static bool read_csr(const char *text, struct str *der)
{
    if (strstr(text, "-----BEGIN") == NULL)
        return b64_read(text, strlen(text), der);
    return pem_read(text, "CERTIFICATE REQUEST", der)
           || pem_read(text, "NEW CERTIFICATE REQUEST", der);
}

static void submit_csr(struct exchange *x, const struct str *csr, const char *attributes)
{
    struct sandbox *s = x->sandbox;
    char template[128] = "", san[8], cn[256];
    struct ca_request r = { .face = FACE_ADCS, .csr = csr, .template = template, .hit = &x->hit };
    const struct ca_entry *e;
    const char *why = NULL;

    fault_cn(x, AT_SUBMIT, csr, cn, sizeof cn);
    if (wire_before(x, AT_SUBMIT, cn))
        return;
    attribute(attributes, "CertificateTemplate", template, sizeof template);
    r.validity_s = validity(attributes);
    /* A connector that sends names beside the request would need a CA that lets anybody be anybody. */
    if (attribute(attributes, "SAN", san, sizeof san) || strcasestr(attributes, "SAN:") != NULL) {
        bad_request(x, "Names in request attributes are not accepted.");
    } else if ((e = ca_submit(&s->ca, &r, &why)) == NULL) {
        bad_request(x, why);
    } else {
        show(x, e);
    }
    x->reply.delay_ms += s->opt.ca_delay_ms;
    wire_after(x);
}

static void submit(struct exchange *x)
{
    const char *form = str_text(&x->body), *type = http_header(x, "Content-Type");
    struct str mode = { 0 }, text = { 0 }, attributes = { 0 }, csr = { 0 };

    str_add(&attributes, "", 0);
    if (type == NULL || strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0)
        bad_request(x, "not a form");
    else if (!form_value(form, "Mode", &mode) || strcmp(mode.p, "newreq") != 0)
        bad_request(x, "Mode is not newreq.");
    else if (!form_value(form, "CertRequest", &text) || !read_csr(text.p, &csr))
        bad_request(x, "Error Parsing Request  The request is not PEM or base64.");
    else if (strstr(form, "CertAttrib=") != NULL && strstr(form, "CertAttrib=&") == NULL
             && !form_value(form, "CertAttrib", &attributes))
        bad_request(x, "CertAttrib is not percent-encoded.");
    else
        submit_csr(x, &csr, attributes.p);
    str_free(&mode);
    str_free(&text);
    str_free(&attributes);
    str_free(&csr);
}

/* ---- fetch ---- */

static void send_bytes(struct exchange *x, const char *type, const struct str *der)
{
    const char *enc = http_query(x, "Enc"), *agent = http_header(x, "User-Agent");
    /* Real pages look at the browser's name before they say what they send. */
    bool browser = agent != NULL && strncmp(agent, "Mozilla", 7) == 0;

    answer(x, 200, browser ? type : "text/html");
    if (enc != NULL && strcasecmp(enc, "bin") == 0)
        str_add(&x->reply.body, der->p, der->len);
    else
        str_pem(&x->reply.body, "CERTIFICATE", der->p, der->len, "\r\n");
}

static void send_ca(struct exchange *x, bool chain)
{
    struct str der = { 0 };
    unsigned char *p = NULL;
    int len;

    if (chain) {
        ca_pkcs7(&x->sandbox->setup, NULL, true, &der);
    } else {
        len = i2d_X509(x->sandbox->setup.issuing, &p);
        need(len > 0 ? p : NULL);
        str_add(&der, p, (size_t)len);
        OPENSSL_free(p);
    }
    send_bytes(x, chain ? "application/x-pkcs7-certificates" : "application/pkix-cert", &der);
    str_free(&der);
}

static void send_issued(struct exchange *x, const struct ca_entry *e, bool chain)
{
    struct sandbox *s = x->sandbox;
    struct str p7 = { 0 };

    if (chain) {
        ca_pkcs7(&s->setup, &e->cert, true, &p7);
        send_bytes(x, "application/x-pkcs7-certificates", &p7);
    } else {
        send_bytes(x, "application/pkix-cert", &e->cert);
    }
    str_free(&p7);
    ledger_begin(s->ledger, "fetched");
    ledger_text(s->ledger, "face", "adcs");
    ledger_int(s->ledger, "id", e->id);
    ledger_text(s->ledger, "cn", e->cn);
    ledger_end(s->ledger);
}

static void send_none(struct exchange *x, const struct ca_entry *e)
{
    bool de = lang_of(x) == GERMAN;
    struct page_error page = { 1, "The requested property value is empty.", 0x80094004,
        "- (certnew.cer/certnew.p7b/certcrl.crl certificate/crl fetch)" };
    struct str message = { 0 };

    if (e != NULL && e->state == CA_PENDING) {
        page.disposition = 5;
        page.message = de ? "In Bearbeitung genommen" : "Taken Under Submission";
        page.hresult = 0;
    } else if (e != NULL) {
        str_f(&message, "%s  0x%08X, %s",
            de ? "Vom Richtlinienmodul verweigert" : "Denied by Policy Module", e->hresult,
            e->message);
        page.disposition = 2;
        page.message = message.p;
        page.hresult = e->hresult;
    }
    page_error(html(x), lang_of(x), &page);
    str_free(&message);
}

static void fetch(struct exchange *x, bool chain)
{
    struct sandbox *s = x->sandbox;
    const char *id = http_query(x, "ReqID");
    struct ca_entry *e;
    struct str subject = { 0 };

    if (id != NULL && strcasecmp(id, "CACert") == 0) {
        send_ca(x, chain);
        return;
    }
    e = id == NULL ? NULL : ca_by_id(&s->ca, id);
    str_f(&subject, "%s %s", id == NULL ? "" : id, e == NULL ? "" : e->cn);
    if (!wire_before(x, AT_FETCH, subject.p)) {
        if (hit_has(&x->hit, FAULT_FORGET))
            e = NULL;
        if (e != NULL)
            ca_poll(&s->ca, e);
        if (e != NULL && e->state == CA_ISSUED)
            send_issued(x, e, chain);
        else
            send_none(x, e);
        x->reply.delay_ms += s->opt.ca_delay_ms;
        wire_after(x);
    }
    str_free(&subject);
}

void adcs_serve(struct exchange *x)
{
    const char *page = strlen(x->path) < strlen(ROOT) ? "" : x->path + strlen(ROOT);
    bool get = strcmp(x->method, "GET") == 0;

    if (!face_login(x))
        return;
    if (get && (*page == '\0' || strcasecmp(page, "default.asp") == 0))
        page_welcome(html(x), lang_of(x));
    else if (strcmp(x->method, "POST") == 0 && strcasecmp(page, "certfnsh.asp") == 0)
        submit(x);
    else if (get && strcasecmp(page, "certnew.cer") == 0)
        fetch(x, false);
    else if (get && strcasecmp(page, "certnew.p7b") == 0)
        fetch(x, true);
    else if (get && strcasecmp(page, "certcarc.asp") == 0)
        page_carc(html(x), lang_of(x));
    else if (get && strcasecmp(page, "certrqxt.asp") == 0)
        page_advanced(html(x), lang_of(x));
    else
        answer_text(x, 404, "There is no such page.\n");
}
