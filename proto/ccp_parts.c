/* see ccp_parts.h */
#include "proto/ccp_parts.h"
#include "certs/mem.h"
#include "certs/text.h"
#include <string.h>

int part_text(const struct json *object, const char *name, bool must, size_t text_max,
    const char **out, struct err *e)
{
    const char *text = NULL;

    if (json_text(object, name, must, text_max, &text, e) != 0)
        return -1;
    if (text == NULL)
        return 0;
    if (text_has_control(view_text(text)))
        return err_set(e, ERR_INPUT, "%s: \"%.60s\" has a control character", name, text);
    *out = text;
    return 0;
}

int part_copy(const struct json *object, const char *name, bool must, size_t text_max, char **out,
    struct err *e)
{
    const char *text = NULL;

    if (part_text(object, name, must, text_max, &text, e) != 0)
        return -1;
    if (must && text[0] == '\0')
        return err_set(e, ERR_PROTO, "%s: empty", name);
    if (text != NULL && text[0] != '\0')
        *out = xstrdup(text);
    return 0;
}

int part_guid(
    const struct json *object, const char *name, bool must, char out[CCP_ID_LEN + 1], struct err *e)
{
    const char *text = NULL;

    if (part_text(object, name, must, 64, &text, e) != 0)
        return -1;
    if (text == NULL)
        return 0;
    if (!guid_ok(text))
        return err_set(e, ERR_PROTO, "%s: \"%.40s\" is not a GUID", name, text);
    for (size_t i = 0; i <= CCP_ID_LEN; i++)
        out[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] | 0x20 : text[i]);
    return 0;
}

int part_choice(const struct json *object, const char *name, bool must, const char *const *names,
    int *out, struct err *e)
{
    struct buf list = BUF_INIT(512);
    const char *text = NULL;

    if (part_text(object, name, must, 256, &text, e) != 0)
        return -1;
    if (text == NULL)
        return 0;
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return 0;
        }
    for (int i = 0; names[i] != NULL; i++)
        buf_printf(&list, "%s%s", i != 0 ? ", " : "", names[i]);
    err_set(
        e, ERR_UNSUPPORTED, "%s: \"%.60s\" is not supported, only %s", name, text, buf_text(&list));
    buf_free(&list);
    return -1;
}

int part_array(const struct json *object, const char *name, bool must, size_t max,
    const struct json **out, struct err *e)
{
    const struct json *v = json_get(object, name);

    if (v == NULL)
        return must ? err_set(e, ERR_PROTO, "%s: missing", name) : 0;
    if (!json_is_array(v))
        return err_set(e, ERR_PROTO, "%s: not an array", name);
    if (json_count(v) > max)
        return err_set(
            e, ERR_PROTO, "%s: %zu elements, at most %zu are taken", name, json_count(v), max);
    *out = v;
    return 0;
}

int part_object(
    const struct json *object, const char *name, bool must, const struct json **out, struct err *e)
{
    const struct json *v = json_get(object, name);

    if (v == NULL)
        return must ? err_set(e, ERR_PROTO, "%s: missing", name) : 0;
    if (!json_is_object(v))
        return err_set(e, ERR_PROTO, "%s: not an object", name);
    *out = v;
    return 0;
}

int part_poll_after(const struct json *object, int64_t *out, struct err *e)
{
    if (json_int(object, "pollAfterSeconds", false, 0, INT64_MAX, out, e) != 0)
        return -1;
    if (*out > CCP_POLL_MAX_S)
        *out = CCP_POLL_MAX_S;
    return 0;
}

void part_put_features(struct json_out *o, const enum ccp_type *types, size_t count)
{
    json_open(o, "features", '[');
    for (size_t i = 0; i < count; i++)
        json_put_text(o, NULL, ccp_type_name(types[i]));
    json_close(o, ']');
}
