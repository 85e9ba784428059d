/* CCP/1 item: what is taken keeps its promises to the code that builds requests from it. */
#include "certs/text.h"
#include "proto/ccp.h"
#include <stdlib.h>
#include <string.h>

static void clean(const char *text)
{
    if (text != NULL && text_has_control(view_text(text)))
        abort();
}

static void examine(const struct ccp_item *item)
{
    const struct template *t = &item->template;

    if (item->head.type != CCP_PKCS_ISSUE || !guid_ok(item->head.id) || !guid_ok(item->tenant_id)
        || !guid_ok(item->device_id) || (item->user_id != NULL && !guid_ok(item->user_id)))
        abort();
    clean(item->profile_id);
    clean(item->profile_name);
    clean(item->ca_host);
    clean(item->ca_name);
    clean(item->friendly_name);
    clean(t->name);
    for (size_t i = 0; i < t->subject.count; i++)
        for (size_t k = 0; k < t->subject.rdn[i].count; k++)
            clean(t->subject.rdn[i].attr[k].value);
    for (size_t i = 0; i < t->san_count; i++)
        clean(t->sans[i].value);
    if (t->subject.count == 0 && t->san_count == 0)
        abort();
    if (t->key == KEY_NONE || t->hash == HASH_NONE || t->validity_s < 0
        || item->recipient_count == 0 || item->recipient_count > 10
        || item->content == CMS_CONTENT_NONE || item->transport == CMS_TRANSPORT_NONE
        || item->pfx_profile[0] == '\0')
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ccp_item item;
    struct err e = { 0 };

    if (ccp_item_parse(view_of(data, size), &item, &e) == 0)
        examine(&item);
    else if (e.cls == ERR_NONE || text_has_control(view_text(e.msg)))
        abort();
    ccp_item_free(&item);
    return 0;
}
