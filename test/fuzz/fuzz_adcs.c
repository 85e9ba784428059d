/* Pages of AD CS: an answer's id can go into a URL, its message into a log. */
#include "certs/text.h"
#include "proto/adcs.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adcs_answer a = { 0 };
    struct view certificate = { 0 };
    struct err e = { 0 };

    if (adcs_fetch_parse(view_of(data, size), &certificate, &a, &e) != 0) {
        if (e.cls == ERR_NONE || text_has_control(view_text(e.msg)))
            abort();
        return 0;
    }
    if (certificate.len != 0)
        return 0;
    if (a.outcome < ADCS_ISSUED || a.outcome > ADCS_UNKNOWN_ID)
        abort();
    if (a.id[0] != '\0' && !adcs_id_ok(a.id))
        abort();
    if (a.outcome == ADCS_ISSUED && a.id[0] == '\0')
        abort();
    if (text_has_control(view_text(a.message)) || !utf8_valid(view_text(a.message)))
        abort();
    return 0;
}
