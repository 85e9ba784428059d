/*
 * see adcs.h: what we get
 *
 * The pages were observed, not specified.  What they are told apart by, in this order:
 *   a link to certnew.cer with a number        issued (the link to the CA's own certificate has none)
 *   locDenied, locInfoReqIDandReason           denied
 *   locInfoNewReq, locInfoReqID                pending
 *   locDispMsgLabel                            the front end's error page, a list of labels and values
 */
#include "proto/adcs.h"
#include "proto/html.h"
#include "certs/der.h"
#include "certs/text.h"
#include <string.h>
#include <strings.h>

enum { TEXT_MAX = 1 << 20 };

#define PROPERTY_EMPTY 0x80094004u /* CERTSRV_E_PROPERTY_EMPTY: no certificate under this id */

/* Dispositions of a request in the CA's database, [MS-WCCE] 3.2.1.1. */
enum {
    DISP_NONE = -1,
    DISP_DENIED = 2,
    DISP_ISSUED = 3,
    DISP_OUT_OF_BAND = 4,
    DISP_PENDING = 5,
    DISP_REVOKED = 6
};

/* ---- facts in a piece of text ---- */

/* As much of text as fits, in whole characters, cleaned. */
static void put_message(struct adcs_answer *out, struct view text)
{
    size_t len = 0, step;
    uint32_t c;

    while (len < text.len && text.p[len] == ' ')
        text = view_of(text.p + 1, text.len - 1);
    while (text.len != 0 && text.p[text.len - 1] == ' ')
        text.len--;
    while (len < text.len) {
        step = utf8_next(view_of(text.p + len, text.len - len), &c);
        step = step != 0 ? step : 1;
        if (len + step >= sizeof out->message)
            break;
        len += step;
    }
    if (len != 0)
        memcpy(out->message, text.p, len);
    out->message[len] = '\0';
    err_clean(out->message);
}

/* The first number in text, if it can be a request id. */
static void put_id(struct adcs_answer *out, struct view text)
{
    size_t at = 0, len = 0;

    while (at < text.len && (text.p[at] < '0' || text.p[at] > '9'))
        at++;
    while (at + len < text.len && text.p[at + len] >= '0' && text.p[at + len] <= '9')
        len++;
    if (len < 1 || len > 10)
        return;
    memcpy(out->id, text.p + at, len);
    out->id[len] = '\0';
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The first failure code in text: 0x, eight digits, the top bit set.  0: none. */
static uint32_t find_hresult(const char *text)
{
    for (const char *p = text; (p = strstr(p, "0x")) != NULL; p += 2) {
        uint32_t value = 0;
        int digits = 0;

        while (digits < 9 && hex(p[2 + digits]) >= 0) {
            value = value << 4 | (uint32_t)hex(p[2 + digits]);
            digits++;
        }
        if (digits == 8 && (value & 0x80000000u) != 0)
            return value;
    }
    return 0;
}

/* ---- the pages ---- */

/* A page being read.  One buffer serves all its texts; memory that ran out shows at the end, so that a
 * text that is missing for this reason never decides anything. */
struct reader {
    const struct html *page;
    struct buf text;
    bool no_memory;
};

/* The text of an element, until the next call; "" for none. */
static const char *text_of(struct reader *r, const struct html_node *node)
{
    buf_reset(&r->text);
    if (node != NULL)
        html_text(node, &r->text);
    r->no_memory = r->no_memory || r->text.bad;
    return buf_text(&r->text);
}

/* "certnew.cer?ReqID=83&Enc=bin" -> 83.  The CA's own certificate has ReqID=CACert. */
static bool certificate_link(const char *href, struct view *id)
{
    const char *query = strchr(href, '?'), *name = query;
    size_t len;

    if (query == NULL)
        return false;
    while (name > href && name[-1] != '/')
        name--;
    if (query - name != 11 || strncasecmp(name, "certnew.cer", 11) != 0)
        return false;
    for (const char *p = query + 1; *p != '\0'; p += p[len] == '&' ? len + 1 : len) {
        len = strcspn(p, "&");
        if (len < 7 || strncasecmp(p, "ReqID=", 6) != 0)
            continue;
        *id = view_of(p + 6, len - 6);
        return id->len <= 10 && strspn(p + 6, "0123456789") == id->len;
    }
    return false;
}

/* 1: an issued page, out->id is set; 0: not one; -1: links to two different requests. */
static int issued_page(struct reader *r, struct adcs_answer *out, struct err *e)
{
    const struct html_node *state = NULL;
    struct view id;
    int rc = 0;

    buf_reset(&r->text);
    while (rc >= 0 && html_next_link(r->page, &state, &r->text)) {
        r->no_memory = r->no_memory || r->text.bad;
        if (certificate_link(buf_text(&r->text), &id)) {
            if (rc == 1 && !view_equal(id, view_text(out->id)))
                rc = err_set(e, ERR_PROTO,
                    "the page offers the certificates of two requests, %s and %.*s", out->id,
                    (int)id.len, (const char *)id.p);
            else
                put_id(out, id);
            rc = rc < 0 ? rc : 1;
        }
        buf_reset(&r->text);
    }
    return rc;
}

/* The disposition message stands in ASCII quotes in every language seen; the id stands before it and
 * before any error code. */
static void denied_page(struct reader *r, const struct html_node *reason, struct adcs_answer *out)
{
    const char *all = text_of(r, reason);
    const char *first = strchr(all, '"'), *last = strrchr(all, '"'), *code = strstr(all, "0x");
    size_t before = first != NULL ? (size_t)(first - all) : strlen(all);

    if (code != NULL && (size_t)(code - all) < before)
        before = (size_t)(code - all);
    put_id(out, view_of(all, before));
    if (first != NULL && last > first + 1)
        put_message(out, view_of(first + 1, (size_t)(last - first) - 1));
    else
        put_message(out, view_text(all));
    out->hresult = find_hresult(all);
    out->outcome = ADCS_DENIED;
}

static int pending_page(
    struct reader *r, const struct html_node *node, struct adcs_answer *out, struct err *e)
{
    put_id(out, view_text(text_of(r, node)));
    out->outcome = ADCS_PENDING;
    if (out->id[0] == '\0')
        return err_set(
            e, ERR_NET, "the CA holds the request for a decision, but its page has no request id");
    return 0;
}

/* The value behind the label with this id; "" if there is none. */
static const char *label(struct reader *r, const char *id)
{
    const struct html_node *dt = html_find(r->page, id);

    return text_of(r, dt != NULL ? html_definition(dt) : NULL);
}

static int disposition(struct reader *r)
{
    const char *value = label(r, "locDispLabel");

    if (value[0] < '0' || value[0] > '9' || (value[1] >= '0' && value[1] <= '9'))
        return DISP_NONE;
    return value[0] - '0';
}

/* What the error page means, decided by numbers alone. */
static int weigh(int disp, struct adcs_answer *out, struct err *e)
{
    if (disp == DISP_PENDING) {
        out->outcome = ADCS_PENDING;
    } else if (disp == DISP_DENIED || disp == DISP_REVOKED) {
        out->outcome = ADCS_DENIED;
    } else if (out->hresult == PROPERTY_EMPTY) {
        out->outcome = ADCS_UNKNOWN_ID;
    } else if (disp == DISP_ISSUED || disp == DISP_OUT_OF_BAND) {
        return err_set(e, ERR_NET,
            "the CA says the certificate is issued, but shows an error page: %s", out->message);
    } else if (out->hresult != 0) {
        out->outcome = ADCS_DENIED;
    } else {
        return err_set(e, ERR_NET,
            "the CA's error page has neither a known disposition nor an error code: %s",
            out->message);
    }
    return 0;
}

static int error_page(struct reader *r, struct adcs_answer *out, struct err *e)
{
    static const char *const places[] = { "locLastStatLabel", "locResultLabel", "locComInfoLabel",
        "locDispMsgLabel" };
    int disp = disposition(r);

    for (size_t i = 0; i < sizeof places / sizeof places[0] && out->hresult == 0; i++)
        out->hresult = find_hresult(label(r, places[i]));
    put_message(out, view_text(label(r, "locDispMsgLabel")));
    if (out->message[0] == '\0')
        put_message(out, view_text(label(r, "locLastStatLabel")));
    return weigh(disp, out, e);
}

static int foreign_page(struct reader *r, struct err *e)
{
    const struct html_node *title = html_tag(r->page, "title");

    if (title == NULL)
        title = html_tag(r->page, "h1");
    return err_set(e, ERR_INTERCEPTED, "a page that is none of the CA's, with the title \"%.100s\"",
        text_of(r, title));
}

static int classify(struct reader *r, struct adcs_answer *out, struct err *e)
{
    const struct html_node *node;
    int issued = issued_page(r, out, e);

    if (issued != 0) {
        out->outcome = ADCS_ISSUED;
        return issued > 0 ? 0 : -1;
    }
    if ((node = html_find(r->page, "locInfoReqIDandReason")) != NULL
        || (node = html_find(r->page, "locDenied")) != NULL) {
        denied_page(r, node, out);
        return 0;
    }
    if ((node = html_find(r->page, "locInfoReqID")) != NULL
        || (node = html_find(r->page, "locInfoNewReq")) != NULL)
        return pending_page(r, node, out, e);
    if (html_find(r->page, "locDispMsgLabel") != NULL)
        return error_page(r, out, e);
    return foreign_page(r, e);
}

static int read_page(const struct html *page, struct adcs_answer *out, struct err *e)
{
    struct reader r = { .page = page, .text = BUF_INIT(TEXT_MAX) };
    int rc = classify(&r, out, e);

    if (r.no_memory)
        rc = err_set(e, ERR_NOMEM, "no memory for a page's text");
    buf_free(&r.text);
    return rc;
}

/* A page ends in a tag.  One that was cut in a number would give us somebody else's request. */
static bool whole(struct view body)
{
    while (body.len != 0
           && (body.p[body.len - 1] == ' '
               || (body.p[body.len - 1] >= '\t' && body.p[body.len - 1] <= '\r')))
        body.len--;
    return body.len != 0 && body.p[body.len - 1] == '>';
}

int adcs_submit_parse(struct view body, struct adcs_answer *out, struct err *e)
{
    struct adcs_answer answer = { 0 };
    struct html *page = html_parse(body, e);
    int rc;

    if (page == NULL && e->cls == ERR_TOO_LARGE) /* the CA's own are a few thousand bytes */
        return err_set(e, ERR_INTERCEPTED, "a page that is none of the CA's, %zu bytes", body.len);
    if (page == NULL)
        return -1;
    if (!whole(body)) {
        html_free(page);
        return err_set(e, ERR_NET, "a page that is cut, %zu bytes", body.len);
    }
    rc = read_page(page, &answer, e);
    if (rc == 0)
        *out = answer;
    html_free(page);
    return rc;
}

/* ---- the certificate ---- */

static bool is_pem(struct view body)
{
    static const char *const begins[] = { "-----BEGIN CERTIFICATE-----",
        "-----BEGIN X509 CERTIFICATE-----", "-----BEGIN PKCS7-----", "-----BEGIN CMS-----" };

    while (body.len != 0 && (body.p[0] == ' ' || (body.p[0] >= '\t' && body.p[0] <= '\r')))
        body = view_of(body.p + 1, body.len - 1);
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
        if (body.len >= strlen(begins[i])
            && view_equal(view_of(body.p, strlen(begins[i])), view_text(begins[i])))
            return true;
    return false;
}

/* A SEQUENCE: one DER value and nothing else, or BER of indefinite length, which CMS may use. */
static int is_der(struct view body, bool *yes, struct err *e)
{
    struct view rest = body;
    struct der tlv;

    *yes = body.len >= 2 && body.p[0] == DER_SEQUENCE;
    if (!*yes || body.p[1] == 0x80)
        return 0;
    if (der_next(&rest, &tlv, e) != 0 || rest.len != 0)
        return err_set(e, ERR_NET,
            "a certificate that is cut or has something behind it, %zu bytes", body.len);
    return 0;
}

int adcs_fetch_parse(
    struct view body, struct view *certificate, struct adcs_answer *out, struct err *e)
{
    bool der;

    if (is_der(body, &der, e) != 0)
        return -1;
    if (der || is_pem(body)) {
        *out = (struct adcs_answer){ .outcome = ADCS_ISSUED };
        *certificate = body;
        return 0;
    }
    return adcs_submit_parse(body, out, e);
}
