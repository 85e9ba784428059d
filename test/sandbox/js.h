#ifndef SANDBOX_JS_H
#define SANDBOX_JS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "test/sandbox/text.h"

/*
 * js.h - JSON read; the door to json-c.  Only the root is freed.  Every getter takes NULL for "absent"
 * and gives NULL, 0 or false for a member that is absent, null or of another type.
 */
struct json_object;

/* js_parse - strict, depth 32, no member twice.  NULL: `why` says what is wrong */
struct json_object *js_parse(const char *text, size_t len, char *why, size_t why_room);
void js_free(struct json_object *root);

struct json_object *js_get(struct json_object *o, const char *name);
bool js_has(struct json_object *o, const char *name); /* there, even as null */
const char *js_text(struct json_object *o, const char *name);
bool js_int(struct json_object *o, const char *name, int64_t *out);
bool js_number(struct json_object *o, const char *name, double *out);
bool js_bool(struct json_object *o, const char *name, bool *out);
bool js_is(struct json_object *o, const char *name); /* a member that is true */

bool js_is_object(struct json_object *v);
bool js_is_array(struct json_object *v);
const char *js_string(struct json_object *v);
size_t js_count(struct json_object *array);
struct json_object *js_at(struct json_object *array, size_t i);

/* js_merge - `over` laid on `under`: objects member by member, anything else replaced; a null in
 * `over` takes the member away.  Both stay the caller's. */
void js_merge(struct json_object *under, struct json_object *over);
struct json_object *js_copy(struct json_object *v);
void js_remove(struct json_object *o, const char *name);
void js_print(struct json_object *v, struct str *out);

/* js_each - the members of an object; *it starts as NULL. */
struct js_member {
    const char *name;
    struct json_object *value;
};
bool js_each(struct json_object *o, void **it, struct js_member *out);
#endif
