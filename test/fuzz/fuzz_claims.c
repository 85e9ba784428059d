/* Target functions: claims_parse, claims_check: what is claimed can be compared with a request. */
#include "certs/text.h"
#include "proto/claims.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void clean(const char *text)
{
    if (text != NULL && (text[0] == '\0' || text_has_control(view_text(text))))
        abort();
}

static void examine(const struct claims *c)
{
    const struct template *t = &c->csr.t;
    struct buf der = BUF_INIT(1 << 20);
    struct err e;

    clean(c->profile);
    clean(c->template_name);
    clean(c->audience);
    clean(c->id);
    clean(t->sid);
    if (t->san_count > 5 * CSR_SANS_MAX || t->eku_count > CSR_EKUS_MAX
        || (t->key_usage & ~0x1fu) != 0 || c->issued_at < 0 || c->expires_at < 0
        || (t->subject.count != 0 && !c->csr.has_subject)
        || (t->san_count != 0 && !c->csr.has_sans))
        abort();
    if (name_write(&t->subject, &der, &e) != 0 || template_write_sans(t, &der, &e) != 0)
        abort();
    if (c->expires_at != 0 && claims_check(c, NULL, NULL, c->expires_at + 301, &e) == 0)
        abort();
    buf_free(&der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    struct claims c;

    if (claims_parse(view_of(data, size), &c, &e) == 0) {
        examine(&c);
        claims_free(&c);
    } else if ((e.cls != ERR_PROTO && e.cls != ERR_INPUT && e.cls != ERR_TOO_LARGE)
               || text_has_control(view_text(e.msg))) {
        abort();
    }
    return 0;
}
