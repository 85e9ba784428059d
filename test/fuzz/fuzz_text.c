/* Target functions: base64_parse, base64_parse_loose, hex_parse, pem_next, utf8_valid, der_time,
 * der_oid, der_oid_text, err_clean, csr_spki, key_parse. */
#include <stdlib.h>
#include <string.h>
#include "certs/csr.h"
#include "certs/der.h"
#include "certs/key.h"
#include "certs/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct lib *lib;
    struct buf out = BUF_INIT(1 << 16);
    struct view in = view_of(data, len), rest = in, spki;
    char *text = calloc(1, len + 1);
    struct der d;
    int64_t at;
    struct err e;

    if (lib == NULL)
        lib = lib_new(&e);
    if (text == NULL)
        return 0;
    if (len > 0)
        memcpy(text, data, len);
    (void)!base64_parse(in, &out, &e);
    (void)!base64_parse_loose(in, &out, &e);
    (void)!hex_parse(in, &out, &e);
    while (pem_next(&rest, "CERTIFICATE", &out, &e) == 1)
        ;
    if (utf8_valid(in))
        (void)utf8_length(in);
    rest = in;
    while (rest.len > 0 && der_next(&rest, &d, &e) == 0) {
        (void)!der_time(d, &at, &e);
        der_oid_text(d.content, &out);
    }
    (void)!der_oid(&out, text, &e);
    (void)!csr_spki(in, &spki, &e);
    key_free(key_parse(lib, in, &e));
    err_clean(text);
    free(text);
    buf_free(&out);
    return 0;
}
