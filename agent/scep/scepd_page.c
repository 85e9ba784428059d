/* see scepd_inner.h.  Pages: the health check, the page that hands out challenges, refusals in plain HTTP. */
#include <stdio.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/scep/scepd_inner.h"
#include "certs/chain.h"
#include "certs/mem.h"
#include "certs/text.h"

enum { PAGE_MAX = 8192, CREDENTIALS_MAX = 1024 };

/* Constant, whatever was asked: nothing of a request ever stands in an answer (SR-08, SR-35). */
void page_status(struct io_exchange *x, int status)
{
    static const char text[] = "The request cannot be served.\n";
    const struct http1_answer a = { .status = status,
        .type = "text/plain",
        .body = { (const uint8_t *)text, sizeof text - 1 },
        .extra = status == 405   ? "Allow: GET, HEAD, POST"
                 : status == 503 ? "Retry-After: 30"
                                 : NULL };

    io_answer(x, &a);
}

/* 403 is what monitoring expects of an NDES with a policy module: all is well, and there is nothing to see. */
void page_health(struct endpoint *p, struct io_exchange *x)
{
    static const char info[] =
        "<html><head><title>Certificate enrollment</title></head><body>\n"
        "<p>This URL is used by network devices to submit certificate requests (SCEP).</p>\n"
        "</body></html>\n";
    const struct http1_answer open = {
        .status = 200, .type = "text/html", .body = { (const uint8_t *)info, sizeof info - 1 }
    };
    struct err e;

    if (!p->serving || (p->plugin != NULL && plugin_serving(p->plugin, &e) != 0))
        page_status(x, 503);
    else if (p->plugin != NULL)
        page_status(x, 403);
    else
        io_answer(x, &open);
}

/* ---- /certsrv/mscep_admin/ ---------------------------------------------------------------------------------- */

static bool is_admin(const struct endpoint *p, const char *authorization)
{
    struct buf given = BUF_SECRET(CREDENTIALS_MAX);
    struct err e;
    bool ok = strncmp(authorization, "Basic ", 6) == 0
              && base64_parse(view_text(authorization + 6), &given, &e) == 0
              && given.len == p->admin.len && mem_equal(given.p, p->admin.p, given.len);

    buf_free(&given);
    return ok;
}

/* The fingerprint that the page has always shown: MD5 in four groups. */
static void add_fingerprint(struct scepd *s, const struct endpoint *p, struct buf *page)
{
    struct view rest = buf_view(&p->ra->ca_certs), der, issuer = view_of(NULL, 0);
    struct buf hex = BUF_INIT(64);
    uint8_t hash[16];
    struct err e;

    while (chain_next(&rest, &der, &e) == 1)
        issuer = der; /* the last one is the lowest */
    if (issuer.len != 0 && lib_md5(s->a->lib, issuer, hash, &e) == 0) {
        hex_add(&hex, view_of(hash, sizeof hash));
        buf_printf(page,
            "<p> The thumbprint (hash value) for the CA certificate is: <B> %.8s %.8s %.8s %.8s "
            "</B>\n",
            buf_text(&hex), buf_text(&hex) + 8, buf_text(&hex) + 16, buf_text(&hex) + 24);
    }
    buf_free(&hex);
}

static void send_utf16(struct io_exchange *x, const struct endpoint *p, struct buf *page)
{
    struct buf wide = BUF_SECRET(2 * PAGE_MAX);
    struct http1_answer a = {
        .status = 200, .type = "text/html; charset=utf-16", .extra = "Cache-Control: no-store"
    };

    if (p->conf->utf16_bom)
        buf_add(&wide, "\xff\xfe", 2);
    for (size_t i = 0; i < page->len; i++) { /* it is ASCII */
        buf_add_byte(&wide, page->p[i]);
        buf_add_byte(&wide, 0);
    }
    a.body = buf_view(&wide);
    io_answer(x, &a);
    buf_free(&wide);
}

/* What a plugin refuses with becomes part of a page: ASCII, and no markup. */
static void add_plain(struct buf *page, const char *text)
{
    for (; *text != '\0'; text++)
        buf_add_byte(page,
            (unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e || strchr("<>&\"", *text)
                ? '?'
                : (uint8_t)*text);
}

static void generate(struct scepd *s, struct endpoint *p, struct io_exchange *x, const char *remote)
{
    struct buf page = BUF_SECRET(PAGE_MAX), challenge = BUF_SECRET(CREDENTIALS_MAX);
    char why[200] = "";
    struct err e;
    /* For any template of the endpoint: which one it will be the device's key usage says, later. */
    int got = plugin_generate(p->plugin, p->conf->name, "", "", &challenge, why, &e);

    if (got < 0) {
        log_err(EV_PLUGIN_ERROR, NULL, p->conf->name, &e);
        page_status(x, 500);
        goto done;
    }
    buf_add_text(&page, "<html><head><title>Certificate connector</title></head><body>\n");
    add_fingerprint(s, p, &page);
    if (got == 1) {
        log_event(EV_SCEP_CHALLENGE, NULL, p->conf->name, "handed out to %s", remote);
        buf_add_text(&page, "<p> The enrollment challenge password is: <B> ");
        add_plain(&page, buf_text(&challenge));
        buf_add_text(&page, " </B>\n<p> ");
        add_plain(&page, why); /* how often, how long: the plugin knows */
        buf_add_text(&page, "\n");
    } else {
        log_event(EV_SCEP_CHALLENGE, NULL, p->conf->name, "refused to %s: %s", remote, why);
        buf_add_text(&page, "<p> ");
        add_plain(&page, why);
        buf_add_text(&page, "\n");
    }
    buf_add_text(&page, "</body></html>\n");
    send_utf16(x, p, &page);
done:
    buf_free(&page);
    buf_free(&challenge);
}

void page_admin(struct scepd_listener *l, struct endpoint *p, struct io_exchange *x,
    const struct http1_request *q, const char *remote)
{
    const struct http1_answer ask = { .status = 401,
        .extra = "WWW-Authenticate: Basic realm=\"mscep_admin\"" };
    struct scepd *s = l->s;

    if (p->admin.len == 0 || p->plugin == NULL
        || (plugin_table(p->plugin)->flags & CERTFERRY_GENERATES) == 0 || p->ra == NULL) {
        page_status(x, 404);
    } else if (!io_listen_is_tls(l->io)) { /* a password does not travel in the clear */
        page_status(x, 403);
    } else if (limit_over(s->limit, remote, p->conf->failures_per_minute, clock_now())) {
        page_status(x, 429);
    } else if (!is_admin(p, q->authorization)) {
        if (q->authorization[0] != '\0') {
            limit_count(s->limit, remote, clock_now());
            log_event(EV_SCEP_ADMIN_REFUSED, NULL, p->conf->name, "wrong password from %s", remote);
        }
        io_answer(x, &ask);
    } else {
        generate(s, p, x, remote);
    }
}
