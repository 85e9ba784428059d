/*
 * see json.h: reading
 *
 * struct json is json-c's struct json_object under our name, so that no other file sees json-c.  A
 * const one is given back to json-c without its const: the calls used here do not change it.
 *
 * Any string may be a secret (an access token, a device code), and json-c frees its copies as they are.  So they are
 * wiped where they lie, the parser's own buffer is made large enough before it reads, and nothing is printed by
 * json-c, which would keep the text.
 */
#define json_bool json_c_bool /* a typedef of json-c's, in the way of our function */
#include <json-c/json.h>
#undef json_bool
#include "proto/json.h"
#include "proto/json_scan.h"
#include "certs/mem.h"
#include "certs/text.h"
#include <limits.h>
#include <string.h>

static struct json_object *object(const struct json *v)
{
    return (struct json_object *)(uintptr_t)v;
}

static const struct json *ours(const struct json_object *o)
{
    return (const struct json *)o;
}

static struct lh_entry *first_member(struct json_object *o)
{
    return lh_table_head(json_object_get_object(o));
}

/* json-c collects a string here before it makes an object of it; growing on the way would leave copies. */
static bool make_room(struct json_tokener *t, size_t len)
{
    if (printbuf_memset(t->pb, -1, 0, (int)len) != 0)
        return false;
    printbuf_reset(t->pb);
    return true;
}

static void wipe_strings(struct json_object *v)
{
    switch (json_object_get_type(v)) {
    case json_type_string:
        mem_wipe(
            (char *)(uintptr_t)json_object_get_string(v), (size_t)json_object_get_string_len(v));
        break;
    case json_type_array:
        for (size_t i = 0; i < json_object_array_length(v); i++)
            wipe_strings(json_object_array_get_idx(v, i));
        break;
    case json_type_object:
        for (struct lh_entry *m = first_member(v); m != NULL; m = lh_entry_next(m))
            wipe_strings(lh_entry_v(m));
        break;
    default:
        break;
    }
}

struct json *json_parse(struct view text, size_t max, struct err *e)
{
    struct json_tokener *t = NULL;
    struct json_object *root = NULL;

    if (text.len > max || text.len > INT_MAX) {
        err_set(e, ERR_TOO_LARGE, "JSON: %zu bytes, at most %zu are taken", text.len, max);
        return NULL;
    }
    if (json_scan(text, e) != 0)
        return NULL;
    t = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
    if (t == NULL || !make_room(t, text.len)) {
        json_tokener_free(t);
        err_set(e, ERR_NOMEM, "JSON: no memory for a parser");
        return NULL;
    }
    json_tokener_set_flags(t, JSON_TOKENER_STRICT);
    root = json_tokener_parse_ex(t, (const char *)text.p, (int)text.len);
    if (root == NULL)
        err_set(e, ERR_PROTO, "JSON: %s at byte %zu",
            json_tokener_error_desc(json_tokener_get_error(t)), json_tokener_get_parse_end(t));
    mem_wipe(t->pb->buf, (size_t)t->pb->size);
    json_tokener_free(t);
    return (struct json *)root;
}

void json_free(struct json *root)
{
    wipe_strings(object(root));
    json_object_put(object(root));
}

bool json_is_object(const struct json *v)
{
    return json_object_is_type(object(v), json_type_object) != 0;
}

bool json_is_array(const struct json *v)
{
    return json_object_is_type(object(v), json_type_array) != 0;
}

size_t json_count(const struct json *array)
{
    return json_is_array(array) ? json_object_array_length(object(array)) : 0;
}

const struct json *json_at(const struct json *array, size_t i)
{
    return i < json_count(array) ? ours(json_object_array_get_idx(object(array), i)) : NULL;
}

const struct json *json_get(const struct json *o, const char *name)
{
    struct json_object *v = NULL;

    if (!json_is_object(o) || !json_object_object_get_ex(object(o), name, &v))
        return NULL;
    return ours(v);
}

/* The member if it is there and of this type; 1, 0 without one, -1 on a fault. */
static int member(const struct json *o, const char *name, bool must, enum json_type type,
    const char *what, struct json_object **out, struct err *e)
{
    const struct json *v = json_get(o, name);

    if (v == NULL)
        return must ? err_set(e, ERR_PROTO, "%s: missing", name) : 0;
    if (!json_object_is_type(object(v), type))
        return err_set(e, ERR_PROTO, "%s: not %s", name, what);
    *out = object(v);
    return 1;
}

int json_text(const struct json *o, const char *name, bool must, size_t text_max, const char **out,
    struct err *e)
{
    struct json_object *v = NULL;
    int found = member(o, name, must, json_type_string, "a string", &v, e);

    if (found <= 0)
        return found;
    if ((size_t)json_object_get_string_len(v) > text_max)
        return err_set(e, ERR_PROTO, "%s: %d bytes, at most %zu are taken", name,
            json_object_get_string_len(v), text_max);
    *out = json_object_get_string(v);
    return 0;
}

int json_int(const struct json *o, const char *name, bool must, int64_t min, int64_t max,
    int64_t *out, struct err *e)
{
    struct json_object *v = NULL;
    int found = member(o, name, must, json_type_int, "an integer", &v, e);
    int64_t n;

    if (found <= 0)
        return found;
    n = json_object_get_int64(v);
    if (n < min || n > max)
        return err_set(e, ERR_PROTO, "%s: %lld, must be %lld to %lld", name, (long long)n,
            (long long)min, (long long)max);
    *out = n;
    return 0;
}

int json_bool(const struct json *o, const char *name, bool must, bool *out, struct err *e)
{
    struct json_object *v = NULL;
    int found = member(o, name, must, json_type_boolean, "true or false", &v, e);

    if (found > 0)
        *out = json_object_get_boolean(v) != 0;
    return found < 0 ? -1 : 0;
}

int json_base64(const struct json *o, const char *name, bool must, struct buf *out, struct err *e)
{
    struct json_object *v = NULL;
    int found = member(o, name, must, json_type_string, "a string", &v, e);

    if (found <= 0)
        return found;
    if (base64_parse(
            view_of(json_object_get_string(v), (size_t)json_object_get_string_len(v)), out, e)
        != 0)
        return err_wrap(e, "%s", name);
    return 0;
}

int json_time(const struct json *o, const char *name, bool must, int64_t *out, struct err *e)
{
    struct json_object *v = NULL;
    int found = member(o, name, must, json_type_string, "a string", &v, e);

    if (found <= 0)
        return found;
    if (!time_parse(json_object_get_string(v), out))
        return err_set(
            e, ERR_PROTO, "%s: \"%.40s\" is not an RFC 3339 time", name, json_object_get_string(v));
    return 0;
}

const char *json_string(const struct json *v)
{
    return json_object_is_type(object(v), json_type_string) ? json_object_get_string(object(v))
                                                            : NULL;
}

/* null, true, false or a number: no secret, and as it was written. */
static void print_plain(const char *name, struct json_object *v, struct json_out *o)
{
    const char *text = json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN);

    if (text == NULL)
        buf_spoil(o->to, ERR_NOMEM);
    json_put_raw(o, name, view_text(text));
}

static void print(const char *name, struct json_object *v, struct json_out *o)
{
    switch (json_object_get_type(v)) {
    case json_type_string:
        json_put_view(
            o, name, view_of(json_object_get_string(v), (size_t)json_object_get_string_len(v)));
        break;
    case json_type_array:
        json_open(o, name, '[');
        for (size_t i = 0; i < json_object_array_length(v); i++)
            print(NULL, json_object_array_get_idx(v, i), o);
        json_close(o, ']');
        break;
    case json_type_object:
        json_open(o, name, '{');
        for (struct lh_entry *m = first_member(v); m != NULL; m = lh_entry_next(m))
            print(lh_entry_k(m), lh_entry_v(m), o);
        json_close(o, '}');
        break;
    default:
        print_plain(name, v, o);
        break;
    }
}

void json_print(const struct json *v, struct buf *out)
{
    struct json_out o = { .to = out };

    print(NULL, object(v), &o);
}

/* *state is the entry handed out last: json-c's tables keep insertion order and do not move. */
bool json_next_member(const struct json *o, size_t *state, const char **name, const struct json **v)
{
    struct lh_entry *entry;

    if (!json_is_object(o))
        return false;
    if (*state == 0)
        entry = first_member(object(o));
    else
        entry = lh_entry_next((struct lh_entry *)*state);
    if (entry == NULL)
        return false;
    *state = (size_t)entry;
    *name = lh_entry_k(entry);
    *v = ours(lh_entry_v(entry));
    return true;
}
