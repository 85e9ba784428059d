/* see json.h: writing */
#include "proto/json.h"
#include "certs/text.h"
#include <string.h>

/* What cannot be decoded shows as U+FFFD, one for each byte: the output is valid whatever comes in. */
static void add_character(struct buf *to, struct view character)
{
    uint8_t c = character.p[0];
    const char *letters = "\"\\\b\f\n\r\t", *names = "\"\\bfnrt";
    const char *found = c != 0 && c < 0x80 ? strchr(letters, c) : NULL;

    if (found != NULL) {
        buf_add_byte(to, '\\');
        buf_add_byte(to, (uint8_t)names[found - letters]);
    } else if (c < 0x20) {
        buf_printf(to, "\\u%04x", c);
    } else {
        buf_add_view(to, character);
    }
}

static bool plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void add_string(struct buf *to, struct view text)
{
    size_t at = 0, step, run;
    uint32_t c;

    buf_add_byte(to, '"');
    while (at < text.len && !to->bad) {
        for (run = at; run < text.len && plain(text.p[run]); run++)
            ;
        buf_add(to, text.p + at, run - at);
        at = run;
        if (at == text.len)
            break;
        step = utf8_next(view_of(text.p + at, text.len - at), &c);
        if (step == 0)
            buf_add_text(to, "\xef\xbf\xbd");
        else
            add_character(to, view_of(text.p + at, step));
        at += step != 0 ? step : 1;
    }
    buf_add_byte(to, '"');
}

/* What stands before a value: a comma if one is due, the name if there is one. */
static struct buf *before(struct json_out *o, const char *name)
{
    if (o->comma)
        buf_add_byte(o->to, ',');
    if (name != NULL) {
        add_string(o->to, view_text(name));
        buf_add_byte(o->to, ':');
    }
    o->comma = true;
    return o->to;
}

void json_open(struct json_out *o, const char *name, char bracket)
{
    buf_add_byte(before(o, name), (uint8_t)bracket);
    o->comma = false;
}

void json_close(struct json_out *o, char bracket)
{
    buf_add_byte(o->to, (uint8_t)bracket);
    o->comma = true;
}

void json_put_text(struct json_out *o, const char *name, const char *text)
{
    if (text != NULL)
        add_string(before(o, name), view_text(text));
}

void json_put_view(struct json_out *o, const char *name, struct view utf8)
{
    add_string(before(o, name), utf8);
}

void json_put_int(struct json_out *o, const char *name, int64_t v)
{
    buf_printf(before(o, name), "%lld", (long long)v);
}

void json_put_bool(struct json_out *o, const char *name, bool v)
{
    buf_add_text(before(o, name), v ? "true" : "false");
}

void json_put_null(struct json_out *o, const char *name)
{
    buf_add_text(before(o, name), "null");
}

void json_put_base64(struct json_out *o, const char *name, struct view bytes)
{
    struct buf *to = before(o, name);

    buf_add_byte(to, '"');
    base64_add(to, bytes);
    buf_add_byte(to, '"');
}

void json_put_time(struct json_out *o, const char *name, int64_t at_s)
{
    char text[24];

    if (at_s == 0)
        return;
    time_text(at_s, text);
    json_put_text(o, name, text);
}

void json_put_raw(struct json_out *o, const char *name, struct view json)
{
    buf_add_view(before(o, name), json);
}
