/* see adcs.h: what we send */
#include "proto/adcs.h"
#include "certs/text.h"
#include <assert.h>
#include <string.h>

enum { ATTRIBUTES_MAX = 1536 /* UTF-16 units, [MS-WCCE] 3.2.1.4.2 */ };

static size_t utf16_len(const char *text)
{
    struct view rest = view_text(text);
    size_t units = 0, step;
    uint32_t c;

    for (; rest.len != 0; rest = view_of(rest.p + step, rest.len - step)) {
        step = utf8_next(rest, &c);
        if (step == 0)
            return SIZE_MAX;
        units += c > 0xffff ? 2 : 1;
    }
    return units;
}

/*
 * The CA reads a number and a unit.  Whole days are what its administrators see and compare, so a month
 * of 2629746 seconds becomes 30 days: rounded down, never longer than was asked for.
 */
static void add_validity(struct buf *out, int64_t validity_s)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = { { 86400, "Days" }, { 3600, "Hours" }, { 60, "Minutes" }, { 1, "Seconds" } };
    size_t i = 0;

    while (validity_s < units[i].seconds)
        i++;
    buf_printf(out, "ValidityPeriod:%s\r\nValidityPeriodUnits:%lld\r\n", units[i].name,
        (long long)(validity_s / units[i].seconds));
}

int adcs_attributes(const char *template_name, int64_t validity_s, struct buf *out, struct err *e)
{
    struct buf text = BUF_INIT(8192);
    size_t units = utf16_len(template_name);
    int rc = -1;

    if (template_name[0] == '\0' || units == SIZE_MAX
        || text_has_control(view_text(template_name))) {
        err_set(e, ERR_INPUT,
            "template name \"%.40s\": empty, not UTF-8 or with a control character", template_name);
        goto done;
    }
    if (validity_s < 0) {
        err_set(e, ERR_INPUT, "validity: %lld seconds", (long long)validity_s);
        goto done;
    }
    if (units > ATTRIBUTES_MAX) {
        err_set(e, ERR_INPUT, "template name: %zu UTF-16 units, the CA takes %d in all", units,
            ATTRIBUTES_MAX);
        goto done;
    }
    buf_printf(&text, "CertificateTemplate:%s\r\n", template_name);
    if (validity_s != 0)
        add_validity(&text, validity_s);
    if (buf_check(&text, e) != 0)
        goto done;
    units += text.len - strlen(template_name);
    if (units > ATTRIBUTES_MAX) {
        err_set(
            e, ERR_INPUT, "attributes: %zu UTF-16 units, the CA takes %d", units, ATTRIBUTES_MAX);
        goto done;
    }
    buf_add_view(out, buf_view(&text));
    rc = 0;
done:
    buf_free(&text);
    return rc;
}

/* PEM with the line ends a browser's form has. */
static void add_pem(struct view csr, struct buf *out)
{
    struct buf pem = BUF_INIT(csr.len * 2 + 256);

    pem_add(&pem, "CERTIFICATE REQUEST", csr);
    for (size_t i = 0; i < pem.len; i++) {
        if (pem.p[i] == '\n')
            buf_add_byte(out, '\r');
        buf_add_byte(out, pem.p[i]);
    }
    if (pem.bad)
        buf_spoil(out, pem.why);
    buf_free(&pem);
}

void adcs_submit_body(struct view csr, struct view attributes, struct buf *out)
{
    struct buf form = BUF_INIT(out->max), pem = BUF_INIT(out->max);

    add_pem(csr, &pem);
    http_add_form(&form, "Mode", view_text("newreq"));
    http_add_form(&form, "CertRequest", buf_view(&pem));
    http_add_form(&form, "CertAttrib", attributes);
    http_add_form(&form, "FriendlyType", view_text("Saved-Request Certificate"));
    http_add_form(&form, "TargetStoreFlags", view_text("0"));
    http_add_form(&form, "SaveCert", view_text("yes"));
    http_add_form(&form, "ThumbPrint", view_text(""));
    buf_add_view(out, buf_view(&form));
    if (pem.bad || form.bad)
        buf_spoil(out, pem.bad ? pem.why : form.why);
    buf_free(&pem);
    buf_free(&form);
}

bool adcs_id_ok(const char *id)
{
    size_t len = strspn(id, "0123456789");

    return len >= 1 && len <= 10 && id[len] == '\0';
}

/* Every id we hold came through a parser that checked it. */
void adcs_fetch_path(const char *id, struct buf *out)
{
    assert(adcs_id_ok(id));
    buf_printf(out, "certnew.cer?ReqID=%s&Enc=bin", id);
}
