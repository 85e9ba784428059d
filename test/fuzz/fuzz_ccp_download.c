/* CCP/1 download: each item is called for, with a head whose texts are what they should be. */
#include "certs/text.h"
#include "proto/ccp.h"
#include <stdlib.h>
#include <string.h>

static void take(void *arg, const struct ccp_head *head, struct view json, const struct err *bad)
{
    struct ccp_item item;
    struct err e;

    (void)arg;
    if (head->id[0] != '\0' && !guid_ok(head->id))
        abort();
    if (head->id[0] == '\0' && bad == NULL)
        abort();
    if (text_has_control(view_text(head->lease)) || text_has_control(view_text(head->type_name)))
        abort();
    if (bad != NULL && text_has_control(view_text(bad->msg)))
        abort();
    if (ccp_item_parse(json, &item, &e) == 0 && bad != NULL)
        abort();
    ccp_item_free(&item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    int64_t after_s;

    if (ccp_download_parse(view_of(data, size), take, NULL, &after_s, &e) == 0) {
        if (after_s < -1 || after_s > 86400)
            abort();
    } else if (e.cls == ERR_NONE || text_has_control(view_text(e.msg))) {
        abort();
    }
    return 0;
}
