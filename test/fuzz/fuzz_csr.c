/* Target functions: csr_parse, csr_san_at, csr_eku_at, csr_key_usage, csr_check_limits, csr_check_claims: requests
 * of strangers. */
#include "certs/csr_check.h"
#include "certs/name.h"
#include "certs/text.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void plain(struct buf *text)
{
    if (text->bad || !utf8_valid(buf_view(text)) || text_has_control(buf_view(text)))
        abort();
    buf_reset(text);
}

/* What a plugin is told holds nothing that it could stumble over. */
static void examine(const struct csr *c)
{
    struct buf text = BUF_INIT(1 << 20);
    size_t sans = 0, ekus = 0;

    while (csr_san_at(c, sans, &text)) {
        plain(&text);
        sans++;
    }
    while (csr_eku_at(c, ekus, &text)) {
        plain(&text);
        ekus++;
    }
    if (sans > CSR_SANS_MAX || ekus > CSR_EKUS_MAX || c->other_count > CSR_LIST_MAX
        || c->attribute_count > CSR_LIST_MAX || (c->san.len != 0 && sans == 0)
        || c->has_challenge != (c->challenge.len != 0) || text_has_control(buf_view(&c->challenge))
        || !utf8_valid(buf_view(&c->challenge)) || !name_equal_set(c->subject, c->subject))
        abort();
    buf_free(&text);
}

/* Nothing may be asked for: what passes nevertheless is a name and nothing else. */
static void limit(const struct csr *c)
{
    static const char *const lists[] = { "1.3.6.1.5.5.7.3.2", "2.5.29.37.0", "1.2.3.4",
        "1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.13.2.3" };
    struct csr_limits none = { 0 }, some = { 0x1f, lists, 5, lists, 5, lists, 5 };
    struct csr_claims claims = { .has_sans = true };
    unsigned bits = 0;
    struct err e;

    if (csr_check_limits(c, &none, NULL, &e) == 0
        && (c->other_count != 0 || c->attribute_count != 0 || c->eku.len != 0 || c->sid.len != 0
            || csr_key_usage(c, &bits, &e) != 0 || bits != 0))
        abort();
    if (csr_check_limits(c, &some, "S-1-5-21-1-2-3-1105", &e) == 0
        && (csr_key_usage(c, &bits, &e) != 0 || (bits & ~0x1fu) != 0))
        abort();
    if (csr_check_claims(c, &claims, &e) == 0 && (c->san.len != 0 || c->subject.len != 2))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct err e = { 0 };
    struct csr c;

    if (csr_parse(view_of(data, len), &c, &e) == 0) {
        examine(&c);
        limit(&c);
        csr_free(&c);
    } else if (e.cls != ERR_PROTO || text_has_control(view_text(e.msg))) {
        abort();
    }
    return 0;
}
