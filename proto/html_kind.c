/* see html_kind.h */
#include "proto/html_kind.h"
#include <string.h>
#include <strings.h>

static const char *const names[HTML_KINDS] = {
    [HTML_INLINE] =
        "abbr acronym b bdi bdo big cite code del dfn em font i ins kbd label locid mark "
        "nobr q s samp small span strike strong sub sup time tt u var",
    [HTML_LINK] = "a",
    [HTML_VOID] = "area base basefont bgsound br col embed frame img input keygen link meta param "
                  "source track wbr",
    [HTML_RULE] = "hr",
    [HTML_RAW] = "iframe noembed noframes script style xmp",
    [HTML_CHARS] = "textarea title",
    [HTML_TEMPLATE] = "template",
    [HTML_PAGE] = "html",
    [HTML_BODY] = "body",
    [HTML_BLOCK] =
        "article aside blockquote center details dialog fieldset figcaption figure footer "
        "form header hgroup listing main nav pre search section summary",
    [HTML_GROUP] = "head noscript select",
    [HTML_DIV] = "address div",
    [HTML_PARAGRAPH] = "p",
    [HTML_HEADING] = "h1 h2 h3 h4 h5 h6",
    [HTML_LIST] = "dir dl menu ol ul",
    [HTML_ITEM] = "li",
    [HTML_TERM] = "dd dt",
    [HTML_TABLE] = "table",
    [HTML_SECTION] = "colgroup tbody tfoot thead",
    [HTML_ROW] = "tr",
    [HTML_CELL] = "caption td th",
    [HTML_OPTION] = "optgroup option",
    [HTML_OBJECT] = "applet button marquee object",
};

_Static_assert(HTML_KINDS <= 32, "a set of kinds is a uint32_t");

#define ONE(kind) (1u << HTML_##kind)
#define IN_LINE   (ONE(OTHER) | ONE(INLINE) | ONE(LINK))
#define BLOCKS    (~(IN_LINE | ONE(PARAGRAPH)))
#define GRID      (ONE(TABLE) | ONE(PAGE) | ONE(BODY))
#define SCOPE     (GRID | ONE(CELL) | ONE(OBJECT)) /* out of these only a table's own tags reach */

static const struct html_rule rules[HTML_KINDS] = {
    [HTML_OTHER] = { 0, 0, ~IN_LINE },
    [HTML_INLINE] = { 0, 0, ~IN_LINE },
    [HTML_LINK] = { ONE(LINK), ~IN_LINE, ~IN_LINE },
    [HTML_RULE] = { ONE(PARAGRAPH), SCOPE, SCOPE },
    [HTML_CHARS] = { 0, 0, SCOPE },
    [HTML_BLOCK] = { ONE(PARAGRAPH), SCOPE, SCOPE },
    [HTML_GROUP] = { 0, 0, SCOPE },
    [HTML_DIV] = { ONE(PARAGRAPH), SCOPE, SCOPE },
    [HTML_PARAGRAPH] = { ONE(PARAGRAPH), SCOPE, SCOPE },
    [HTML_HEADING] = { ONE(PARAGRAPH) | ONE(HEADING), BLOCKS & ~ONE(HEADING), SCOPE },
    [HTML_LIST] = { ONE(PARAGRAPH), SCOPE, SCOPE },
    [HTML_ITEM] = { ONE(PARAGRAPH) | ONE(ITEM), BLOCKS & ~(ONE(ITEM) | ONE(DIV)),
        SCOPE | ONE(LIST) },
    [HTML_TERM] = { ONE(PARAGRAPH) | ONE(TERM), BLOCKS & ~(ONE(TERM) | ONE(DIV)),
        SCOPE | ONE(LIST) },
    [HTML_TABLE] = { ONE(PARAGRAPH), SCOPE, GRID },
    [HTML_SECTION] = { ONE(PARAGRAPH) | ONE(CELL) | ONE(ROW) | ONE(SECTION), GRID, GRID },
    [HTML_ROW] = { ONE(PARAGRAPH) | ONE(CELL) | ONE(ROW), GRID | ONE(SECTION), GRID },
    [HTML_CELL] = { ONE(PARAGRAPH) | ONE(CELL), GRID | ONE(SECTION) | ONE(ROW), GRID },
    [HTML_OPTION] = { ONE(OPTION), BLOCKS & ~ONE(OPTION), SCOPE },
    [HTML_OBJECT] = { 0, 0, SCOPE },
};

/* Is name one of these words, which single spaces part? */
static bool listed(struct view name, const char *words)
{
    const char *first = (const char *)name.p;

    for (size_t len; *words != '\0'; words += words[len] == ' ' ? len + 1 : len) {
        len = strcspn(words, " ");
        if (len == name.len && strncasecmp(words, first, len) == 0)
            return true;
    }
    return false;
}

enum html_kind html_kind(struct view name)
{
    for (unsigned kind = 0; kind < HTML_KINDS; kind++)
        if (names[kind] != NULL && listed(name, names[kind]))
            return (enum html_kind)kind;
    return HTML_OTHER;
}

const struct html_rule *html_kind_rule(enum html_kind kind)
{
    return &rules[kind];
}

bool html_kind_empty(enum html_kind kind)
{
    return kind == HTML_VOID || kind == HTML_RULE || kind == HTML_RAW || kind == HTML_TEMPLATE;
}

bool html_kind_parts(enum html_kind kind)
{
    return kind != HTML_INLINE && kind != HTML_LINK;
}
