#ifndef PROTO_JSON_H
#define PROTO_JSON_H
#include "certs/buf.h"

/*
 * json.h - JSON (RFC 8259) in and out; the one door to json-c.
 *
 * Reading is stricter than json-c: before it sees the text a scanner of our own refuses what json-c
 * lets pass: invalid UTF-8, duplicate member names, NaN and Infinity, integers outside int64, numbers
 * with fraction or exponent of 10^18 and more, an escaped or raw NUL in a string, half a surrogate
 * pair, depth over 32, anything after the value, comments, single quotes; and a root that is neither
 * object nor array, for no message of ours is.
 *
 * Writing goes straight into a buf; the caller nests objects and arrays itself.
 *
 * Threads: pure.  A struct json is freed by its root only; everything got from it is borrowed.
 */
struct json; /* a value */

/* json_parse - fails ERR_PROTO (the message gives the byte offset), ERR_TOO_LARGE above max bytes */
struct json *json_parse(struct view text, size_t max, struct err *e) MUST;
void json_free(struct json *root);

bool json_is_object(const struct json *v);
bool json_is_array(const struct json *v);
size_t json_count(const struct json *array); /* 0 if it is no array */
const struct json *json_at(const struct json *array, size_t i);
const struct json *json_get(const struct json *object, const char *name); /* NULL: absent or null */

/*
 * Members by type.  A missing or null member leaves *out as it was unless `must` is set; then, and
 * for any other type, ERR_PROTO: "name: missing" or "name: not a string".
 * text_max is the greatest length in bytes; strings are borrowed from the root.
 */
int json_text(const struct json *object, const char *name, bool must, size_t text_max,
    const char **out, struct err *e) MUST;
int json_int(const struct json *object, const char *name, bool must, int64_t min, int64_t max,
    int64_t *out, struct err *e) MUST;
int json_bool(
    const struct json *object, const char *name, bool must, bool *out, struct err *e) MUST;
int json_base64(
    const struct json *object, const char *name, bool must, struct buf *out, struct err *e) MUST;
/* json_time - RFC 3339 in UTC ("Z" or an offset), fraction dropped, years 1970 to 9999. */
int json_time(
    const struct json *object, const char *name, bool must, int64_t *out, struct err *e) MUST;

const char *json_string(const struct json *v); /* NULL: not a string */

/* json_print - the value as compact JSON text, appended. */
void json_print(const struct json *v, struct buf *out);

/* json_next_member - iterate an object: *state starts as 0; false at the end. */
bool json_next_member(
    const struct json *object, size_t *state, const char **name, const struct json **v);

/* --- writing --- */
struct json_out {
    struct buf *to;
    bool comma; /* a comma is due before the next member or element */
};
void json_open(struct json_out *o, const char *name,
    char bracket); /* '{' or '['; name NULL in arrays and at the root */
void json_close(struct json_out *o, char bracket); /* '}' or ']' */
void json_put_text(
    struct json_out *o, const char *name, const char *text); /* NULL: member left out */
void json_put_view(struct json_out *o, const char *name, struct view utf8);
void json_put_int(struct json_out *o, const char *name, int64_t v);
void json_put_bool(struct json_out *o, const char *name, bool v);
void json_put_null(struct json_out *o, const char *name);
void json_put_base64(struct json_out *o, const char *name, struct view bytes);
void json_put_time(
    struct json_out *o, const char *name, int64_t at_s); /* RFC 3339, "Z"; 0: left out */
void json_put_raw(struct json_out *o, const char *name, struct view json); /* already JSON */

/* The same time form for people and logs: "2026-11-20T08:00:00Z", 21 bytes. */
void time_text(int64_t at_s, char out[24]);
/* time_parse - RFC 3339; false: not one. */
bool time_parse(const char *text, int64_t *at_s);
#endif
