/* see js.h */
#include "test/sandbox/js.h"
#include "test/sandbox/scan.h"
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

struct json_object *js_parse(const char *text, size_t len, char *why, size_t why_room)
{
    struct json_tokener *tok = need(json_tokener_new_ex(32));
    struct json_object *root = NULL;
    enum json_tokener_error end;

    json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
    if (len == 0 || len > (size_t)8 << 20) {
        snprintf(why, why_room, "body of %zu bytes", len);
        goto done;
    }
    root = json_tokener_parse_ex(tok, text, (int)len);
    end = json_tokener_get_error(tok);
    if (end != json_tokener_success) {
        snprintf(why, why_room, "%s", json_tokener_error_desc(end));
    } else if (!scan_json(text, len, NULL, NULL, 0, NULL)) {
        snprintf(why, why_room, "a member twice, a NUL, or text after the value");
        json_object_put(root);
        root = NULL;
    } else if (root == NULL) {
        snprintf(why, why_room, "null");
    }
done:
    json_tokener_free(tok);
    return root;
}

void js_free(struct json_object *root)
{
    json_object_put(root);
}

struct json_object *js_get(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;

    if (!json_object_is_type(o, json_type_object))
        return NULL;
    json_object_object_get_ex(o, name, &v);
    return v;
}

bool js_has(struct json_object *o, const char *name)
{
    return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, name, NULL);
}

const char *js_string(struct json_object *v)
{
    return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
}

const char *js_text(struct json_object *o, const char *name)
{
    return js_string(js_get(o, name));
}

bool js_int(struct json_object *o, const char *name, int64_t *out)
{
    struct json_object *v = js_get(o, name);

    if (!json_object_is_type(v, json_type_int))
        return false;
    *out = json_object_get_int64(v);
    return true;
}

bool js_number(struct json_object *o, const char *name, double *out)
{
    struct json_object *v = js_get(o, name);

    if (!json_object_is_type(v, json_type_int) && !json_object_is_type(v, json_type_double))
        return false;
    *out = json_object_get_double(v);
    return true;
}

bool js_bool(struct json_object *o, const char *name, bool *out)
{
    struct json_object *v = js_get(o, name);

    if (!json_object_is_type(v, json_type_boolean))
        return false;
    *out = json_object_get_boolean(v);
    return true;
}

bool js_is(struct json_object *o, const char *name)
{
    bool b = false;

    return js_bool(o, name, &b) && b;
}

bool js_is_object(struct json_object *v)
{
    return json_object_is_type(v, json_type_object);
}

bool js_is_array(struct json_object *v)
{
    return json_object_is_type(v, json_type_array);
}

size_t js_count(struct json_object *array)
{
    return js_is_array(array) ? json_object_array_length(array) : 0;
}

struct json_object *js_at(struct json_object *array, size_t i)
{
    return i < js_count(array) ? json_object_array_get_idx(array, i) : NULL;
}

void js_merge(struct json_object *under, struct json_object *over)
{
    json_object_object_foreach(over, name, v)
    {
        struct json_object *have = js_get(under, name);

        if (v == NULL)
            json_object_object_del(under, name);
        else if (js_is_object(v) && js_is_object(have))
            js_merge(have, v);
        else
            json_object_object_add(under, name, json_object_get(v));
    }
}

struct json_object *js_copy(struct json_object *v)
{
    struct json_object *copy = NULL;

    need(json_object_deep_copy(v, &copy, NULL) == 0 ? copy : NULL);
    return copy;
}

void js_remove(struct json_object *o, const char *name)
{
    json_object_object_del(o, name);
}

void js_print(struct json_object *v, struct str *out)
{
    str_puts(out,
        json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

bool js_each(struct json_object *o, void **it, struct js_member *out)
{
    struct lh_entry *e = *it;

    if (!js_is_object(o))
        return false;
    e = e == NULL ? lh_table_head(json_object_get_object(o)) : lh_entry_next(e);
    if (e == NULL)
        return false;
    *it = e;
    out->name = lh_entry_k(e);
    out->value = lh_entry_v(e);
    return true;
}
