/* Target functions: name_parse, name_expand, name_write, name_text, template_add_san, template_add_eku,
 * template_set_sid, template_write_sans: subject formats and names as policy sends them. */
#include <stdlib.h>
#include <string.h>
#include "certs/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct name_var vars[] = { { "UserName", "Ada, \"the\" + first=1" },
        { "Empty", "" } };
    char *text = calloc(1, len + 1);
    struct buf out = BUF_INIT(1 << 16), read = BUF_INIT(1 << 16);
    struct template t = { 0 };
    struct err e;

    if (text == NULL)
        return 0;
    if (len > 0)
        memcpy(text, data, len);
    if (name_parse(&t.subject, text, vars, 2, &e) == 0 && name_write(&t.subject, &out, &e) == 0)
        name_text(buf_view(&out), &read);
    (void)!name_expand(text, vars, 2, &out, &e);
    for (int s = SAN_EMAIL; s < SAN_TYPE_COUNT; s++)
        (void)!template_add_san(&t, (enum san_type)s, text, &e);
    (void)!template_add_eku(&t, text, &e);
    (void)!template_set_sid(&t, text, SID_BOTH, &e);
    (void)!template_write_sans(&t, &out, &e);
    buf_reset(&out);
    name_text(view_of(data, len), &out);
    template_free(&t);
    buf_free(&out);
    buf_free(&read);
    free(text);
    return 0;
}
