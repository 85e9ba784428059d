/* URLs of SCEP requests, and the paths in front of them. */
#include "proto/scep_query.h"
#include "certs/text.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = view_of(data, size);
    struct buf out = BUF_INIT(1 << 20), again = BUF_INIT(1 << 20), back = BUF_INIT(1 << 20);
    struct scep_query q;
    struct err e = { 0 };

    scep_query_parse(in, &q);
    if (q.message.len > size || (q.message.len != 0 && !q.has_message))
        abort();
    if (scep_query_message(q.has_message ? q.message : in, &out, &e) == 0) {
        base64url_add(&back, buf_view(&out));
        if (out.len == 0 || scep_query_message(buf_view(&back), &again, &e) != 0
            || !view_equal(buf_view(&out), buf_view(&again)))
            abort();
    } else if (e.cls != ERR_PROTO || out.len != 0) {
        abort();
    }
    (void)scep_path_same(in, "/certsrv/mscep/mscep.dll");
    if (size > 1000 && scep_path_same(in, "/scep"))
        abort();
    buf_free(&out);
    buf_free(&again);
    buf_free(&back);
    return 0;
}
