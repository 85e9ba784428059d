#ifndef PROTO_HTML_KIND_H
#define PROTO_HTML_KIND_H
#include "certs/buf.h"

/*
 * html_kind.h - what kind of element a name stands for, and which open elements its tags end.
 *
 * HTML lets a writer leave end tags out: <p>, <dd>, <li>, <td> ... end where a tag comes that cannot
 * stand in them.  How far such a tag reaches is bounded by walls: a <td> of an inner table never
 * ends one of the outer table.  The rules are those of the HTML standard (13.2.6), as far as where a
 * text ends depends on them.
 * Threads: pure.
 */
enum html_kind {
    HTML_OTHER,     /* not listed: words part at its tags, and it may stand anywhere */
    HTML_INLINE,    /* runs in a line: words do not part */
    HTML_LINK,      /* a: in a line too */
    HTML_VOID,      /* br, img: no content, no end tag */
    HTML_RULE,      /* hr: the same, and a paragraph ends there */
    HTML_RAW,       /* script, style: what is inside is neither for people nor markup */
    HTML_CHARS,     /* title, textarea: what is inside is text, never a tag */
    HTML_TEMPLATE,  /* markup that is not shown */
    HTML_PAGE,      /* html */
    HTML_BODY,      /* body */
    HTML_BLOCK,     /* form, center: a paragraph ends there; no rule of its own */
    HTML_GROUP,     /* head, select: no rule of its own, and a paragraph goes on in it */
    HTML_DIV,       /* div, address: a block, but no wall around an item of a list */
    HTML_PARAGRAPH, /* p */
    HTML_HEADING,   /* h1 */
    HTML_LIST,      /* ul, dl */
    HTML_ITEM,      /* li */
    HTML_TERM,      /* dt, dd */
    HTML_TABLE,     /* table */
    HTML_SECTION,   /* tbody */
    HTML_ROW,       /* tr */
    HTML_CELL,      /* td */
    HTML_OPTION,    /* option, optgroup */
    HTML_OBJECT,    /* object, button: a wall around what is inside */
    HTML_KINDS
};

/* Sets of kinds, a bit each: 1u << kind. */
struct html_rule {
    uint32_t ends;      /* a start tag ends the open elements of these kinds ... */
    uint32_t walls;     /* ... as far as the innermost one of these */
    uint32_t end_walls; /* an end tag looks for its element as far as the innermost one of these */
};

enum html_kind html_kind(struct view name); /* ASCII case aside */
const struct html_rule *html_kind_rule(enum html_kind kind);

/* html_kind_empty - nothing we show stands in one of these. */
bool html_kind_empty(enum html_kind kind);

/* html_kind_parts - do its tags part the words on their two sides? */
bool html_kind_parts(enum html_kind kind);
#endif
