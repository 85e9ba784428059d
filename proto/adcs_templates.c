/*
 * see adcs.h, adcs_templates.
 *
 * <select name="lbCertTemplate"> of certrqxt.asp: the values of its options are parts between semicolons, the second one
 * is the template's name.  The list is inside a script's reach but not in a script, and options need no end tag: what
 * is looked for are the words `<option value="`, and no more of HTML than that.
 */
#include <string.h>
#include <strings.h>
#include "proto/adcs.h"

static const char *find(const char *at, const char *end, const char *word)
{
    size_t len = strlen(word);

    for (; at != NULL && (size_t)(end - at) >= len; at++)
        if (strncasecmp(at, word, len) == 0)
            return at + len;
    return NULL;
}

/* The value that begins here: quoted, as the CA writes it. */
static bool second_part(const char *at, const char *end, struct view *name)
{
    const char *close, *first, *second;

    if (at == end || (*at != '"' && *at != '\''))
        return false;
    close = memchr(at + 1, *at, (size_t)(end - at - 1));
    first = close != NULL ? memchr(at, ';', (size_t)(close - at)) : NULL;
    if (first == NULL)
        return false;
    first++;
    second = memchr(first, ';', (size_t)(close - first));
    *name = view_of(first, (size_t)((second != NULL ? second : close) - first));
    return name->len > 0;
}

bool adcs_templates(struct view body, void (*fn)(void *arg, struct view name), void *arg)
{
    const char *at = (const char *)body.p, *end = at + body.len, *stop;
    struct view name;

    if (body.len == 0 || (at = find(at, end, "lbCertTemplate")) == NULL)
        return false;
    stop = find(at, end, "</select");
    if (stop == NULL)
        stop = end;
    while ((at = find(at, stop, "<option")) != NULL) {
        const char *close = memchr(at, '>', (size_t)(stop - at));
        const char *value = find(at, close != NULL ? close : stop, "value=");

        if (value != NULL && second_part(value, stop, &name))
            fn(arg, name);
    }
    return true;
}
