/* Target functions: ber_to_der, signed_parse and what looks into it, envelope_parse: a SCEP message as any
 * stranger may send it, and the envelope in it. */
#include "certs/ber.h"
#include "certs/cms_content.h"
#include "certs/envelope.h"
#include "certs/signed.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool inside(struct view part, struct view whole)
{
    return part.len == 0
           || (part.p >= whole.p && part.len <= whole.len
               && (size_t)(part.p - whole.p) <= whole.len - part.len);
}

static void look_at_envelope(struct view der)
{
    struct envelope v = { 0 };
    struct err e = { 0 };

    if (envelope_parse(der, &v, &e) != 0) {
        if (e.cls != ERR_PROTO && e.cls != ERR_UNSUPPORTED && e.cls != ERR_TOO_LARGE)
            abort();
        return;
    }
    if (v.cipher == ENVELOPE_NONE || v.iv.len != (v.cipher == ENVELOPE_DES3 ? 8 : 16)
        || !inside(v.wrapped_key, der) || !inside(v.iv, der) || !inside(v.issuer, der)
        || !inside(v.content, v.joined.len != 0 ? buf_view(&v.joined) : der))
        abort();
    (void)envelope_is_for(&v, der);
    envelope_free(&v);
}

/* The content of a message is one of its own, in BER as well. */
static void look_into(struct view content)
{
    struct buf der = BUF_INIT(2 * BER_MAX);
    struct err e;

    if (ber_to_der(content, &der, &e) == 0)
        look_at_envelope(buf_view(&der));
    buf_free(&der);
}

static void look_at_signed(struct view der)
{
    static struct lib *lib;
    struct signed_data s = { 0 };
    struct err e = { 0 };
    struct view signer;
    struct der value;

    if (lib == NULL)
        lib = lib_new(&e);
    if (signed_parse(der, &s, &e) != 0 && e.cls != ERR_UNSUPPORTED) {
        if (e.cls != ERR_PROTO || s.attrs.p != NULL)
            abort();
        return;
    }
    if (!inside(s.content, der) || !inside(s.certs, der) || !inside(s.attrs, s.attrs_whole)
        || !inside(s.signature, der) || s.attrs_whole.len == 0)
        abort();
    (void)!signed_attr(&s, "2.16.840.1.113733.1.9.2", &value, &e);
    if (signed_signer(&s, &signer, &e) == 0 && inside(signer, s.certs))
        (void)!signed_verify(lib, &s, signer, &e);
    if (s.has_content)
        look_into(s.content);
}

/* What a message is known by does not change with its lengths. */
static void look_at_content(struct view ber, struct view der)
{
    struct buf one = BUF_INIT(2 * BER_MAX), two = BUF_INIT(2 * BER_MAX);
    bool is = cms_content(ber, &one);

    if (is != (one.len != 0)
        || (der.len != 0
            && (is != cms_content(der, &two) || !view_equal(buf_view(&one), buf_view(&two)))))
        abort();
    buf_free(&one);
    buf_free(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf der = BUF_INIT(2 * BER_MAX), again = BUF_INIT(2 * BER_MAX);
    struct err e = { 0 };

    if (ber_to_der(view_of(data, len), &der, &e) == 0) {
        /* DER stays as it is; a value may have become too long by a byte */
        if (der.len <= BER_MAX
            && (ber_to_der(buf_view(&der), &again, &e) != 0
                || !view_equal(buf_view(&der), buf_view(&again))))
            abort();
        look_at_content(view_of(data, len), buf_view(&der));
        look_at_signed(buf_view(&der));
        look_at_envelope(buf_view(&der));
    } else if (der.len != 0 || (e.cls != ERR_PROTO && e.cls != ERR_TOO_LARGE)) {
        abort();
    } else {
        look_at_content(view_of(data, len), view_of(NULL, 0));
    }
    buf_free(&der);
    buf_free(&again);
    return 0;
}
