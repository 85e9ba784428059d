/* EST answers: the first two bytes are the status, the third says which question was asked. */
#include "certs/text.h"
#include "proto/est.h"
#include <stdlib.h>

static int ask(bool enroll, const struct http_reply *r, struct buf *cms, struct err *e)
{
    enum est_outcome outcome = 0;
    int64_t wait_s = 0;

    if (!enroll)
        return est_cacerts_judge(r, cms, e);
    if (est_enroll_judge(r, &outcome, cms, &wait_s, e) != 0)
        return -1;
    if (outcome == EST_PENDING && (wait_s < 5 || wait_s > 86400 || cms->len != 0))
        abort();
    if (outcome == EST_ISSUED && (cms->len == 0 || cms->p[0] != 0x30))
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf cms = BUF_INIT(1 << 20);
    struct err e = { 0 };
    struct http_reply r = { .content_type = "application/pkcs7-mime",
        .location = "https://other.example/",
        .authenticate = "Basic" };

    if (size < 3)
        return 0;
    r.status = 200 + (data[0] | data[1] << 8) % 400;
    r.retry_after_s = data[2] - 1;
    r.body = view_of(data + 3, size - 3);
    if (ask(data[2] % 2 == 0, &r, &cms, &e) != 0
        && (e.cls == ERR_NONE || text_has_control(view_text(e.msg)) || cms.len != 0))
        abort();
    buf_free(&cms);
    return 0;
}
