/* see scan.h; recursion is bounded by the depth, memory by the number of members on the path */
#include "test/sandbox/scan.h"
#include <string.h>

enum { DEPTH_MAX = 32, MEMBERS_MAX = 2048 };

struct scan {
    const char *p, *end;
    struct slice key[MEMBERS_MAX]; /* of every object that is open */
    size_t keys, depth;
    const char *member;
    struct slice *out;
    size_t max, count;
    struct slice whole; /* the value of `member` */
};

static bool value(struct scan *s, bool wanted);

static void space(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n'))
        s->p++;
}

static bool take(struct scan *s, char c)
{
    space(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool string(struct scan *s, struct slice *inside)
{
    if (!take(s, '"'))
        return false;
    inside->p = s->p;
    while (s->p < s->end && *s->p != '"') {
        if ((unsigned char)*s->p < 0x20)
            return false;
        if (*s->p != '\\') {
            s->p++;
            continue;
        }
        if (s->end - s->p > 6 && strncmp(s->p, "\\u0000", 6) == 0)
            return false;
        s->p += s->end - s->p > 1 ? 2 : 1;
    }
    if (s->p == s->end)
        return false;
    inside->len = (size_t)(s->p++ - inside->p);
    return true;
}

static bool new_key(struct scan *s, size_t first, struct slice key)
{
    for (size_t i = first; i < s->keys; i++) {
        if (s->key[i].len == key.len && memcmp(s->key[i].p, key.p, key.len) == 0)
            return false;
    }
    if (s->keys == MEMBERS_MAX)
        return false;
    s->key[s->keys++] = key;
    return true;
}

static bool object(struct scan *s)
{
    size_t first = s->keys;
    struct slice key;

    s->p++;
    if (take(s, '}'))
        return true;
    do {
        bool wanted;

        if (!string(s, &key) || !new_key(s, first, key) || !take(s, ':'))
            return false;
        wanted = s->depth == 1 && s->member != NULL && key.len == strlen(s->member)
                 && memcmp(key.p, s->member, key.len) == 0;
        space(s);
        key.p = s->p;
        if (!value(s, wanted))
            return false;
        if (wanted)
            s->whole = (struct slice){ key.p, (size_t)(s->p - key.p) };
    } while (take(s, ','));
    s->keys = first;
    return take(s, '}');
}

static bool array(struct scan *s, bool wanted)
{
    s->p++;
    if (take(s, ']'))
        return true;
    do {
        const char *from;

        space(s);
        from = s->p;
        if (!value(s, false))
            return false;
        if (wanted && s->count++ < s->max)
            s->out[s->count - 1] = (struct slice){ from, (size_t)(s->p - from) };
    } while (take(s, ','));
    return take(s, ']');
}

static bool value(struct scan *s, bool wanted)
{
    struct slice inside;
    bool ok;

    space(s);
    if (s->p == s->end || s->depth == DEPTH_MAX)
        return false;
    if (*s->p == '"')
        return string(s, &inside);
    if (*s->p == '{' || *s->p == '[') {
        s->depth++;
        ok = *s->p == '{' ? object(s) : array(s, wanted);
        s->depth--;
        return ok;
    }
    /* numbers and words: json-c knows which are right, here they only have to end */
    inside.p = s->p;
    while (s->p < s->end && strchr(",]} \t\r\n", *s->p) == NULL)
        s->p++;
    return s->p > inside.p;
}

static bool scan(struct scan *s, const char *text, size_t len, const char *member)
{
    bool ok;

    s->keys = s->depth = s->count = 0;
    s->whole = (struct slice){ 0 };
    s->p = text;
    s->end = text + len;
    s->member = member;
    if (memchr(text, '\0', len) != NULL)
        return false;
    ok = value(s, false);
    space(s);
    return ok && s->p == s->end;
}

bool scan_json(
    const char *text, size_t len, const char *member, struct slice *out, size_t max, size_t *count)
{
    struct scan s;
    bool ok;

    s.out = out;
    s.max = max;
    ok = scan(&s, text, len, member);
    if (count != NULL)
        *count = s.count;
    return ok;
}

bool scan_member(const char *text, size_t len, const char *member, struct slice *value_text)
{
    struct scan s;

    s.out = NULL;
    s.max = 0;
    if (!scan(&s, text, len, member) || s.whole.p == NULL)
        return false;
    *value_text = s.whole;
    return true;
}
