#ifndef PROTO_HTML_SCAN_H
#define PROTO_HTML_SCAN_H
#include "proto/html_kind.h"

/*
 * html_scan.h - a page as a row of tags and texts, in one pass.
 *
 * Comments, declarations and what stands in scripts and styles are passed over; what stands in <title>
 * and <textarea> is text, whatever it looks like.  A tag is what a browser takes for one: '<' and a
 * letter, up to the first '>' outside a quoted value.
 *
 * Limits: HTML_ATTRIBUTES_MAX to a tag; of a longer name the first HTML_NAME_MAX bytes count.
 * Threads: pure; allocates nothing; every view is a part of the text.
 */
enum { HTML_ATTRIBUTES_MAX = 256, HTML_NAME_MAX = 32 };

/* Begin with text set and all else zero. */
struct html_scan {
    struct view text;
    size_t at;          /* bytes read */
    struct view within; /* the name of the script, title ... whose content comes next */
};

enum html_token_type { HTML_TEXT = 1, HTML_START, HTML_END };

struct html_token {
    enum html_token_type type;
    struct view text;      /* of a text: as it stands, references not replaced */
    struct view name;      /* of a tag */
    enum html_kind kind;   /* what its name stands for */
    struct view id, href;  /* its attributes, without quotes; where there are two the first */
    bool has_id, has_href; /* it has them, maybe empty */
};

/*
 * html_scan_next - the next tag or text.
 *
 * returns  1 *t is filled, 0 the page is at its end, -1 failed
 * fails    ERR_NET       the text ends inside a comment, a declaration or a tag
 *          ERR_TOO_LARGE a tag with more than HTML_ATTRIBUTES_MAX attributes
 */
int html_scan_next(struct html_scan *s, struct html_token *t, struct err *e) MUST;
#endif
