/* Target functions: chain_read, chain_next, cert_parse, chain_order, cert_serial_hex, name_text, name_equal:
 * certificates in any form a CA may send them. */
#include "certs/chain.h"
#include "certs/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void look(struct view der)
{
    struct buf text = BUF_INIT(4096);
    struct cert c;
    struct err e;
    unsigned bits;

    if (cert_parse(der, &c, &e) == 0) {
        cert_serial_hex(&c, &text);
        name_text(c.subject, &text);
        (void)name_equal(c.subject, c.issuer);
        if (c.key_usage.len > 0)
            (void)!cert_key_usage(&c, &bits, &e);
    }
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct lib *lib;
    struct buf out = BUF_INIT(1 << 20), ordered = BUF_INIT(1 << 20);
    struct view rest, der;
    size_t count = 0;
    struct cert c;
    struct err e;

    if (lib == NULL)
        lib = lib_new(&e);
    look(view_of(data, len));
    if (chain_read(lib, view_of(data, len), &out, &count, &e) == 0) {
        rest = buf_view(&out);
        while (chain_next(&rest, &der, &e) == 1)
            look(der);
        rest = buf_view(&out);
        if (chain_next(&rest, &der, &e) == 1 && cert_parse(der, &c, &e) == 0)
            (void)!chain_order(buf_view(&out), c.spki, &ordered, &e);
    }
    buf_free(&out);
    buf_free(&ordered);
    return 0;
}
