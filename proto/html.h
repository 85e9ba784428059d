#ifndef PROTO_HTML_H
#define PROTO_HTML_H
#include "certs/buf.h"

/*
 * html.h - an HTML page read for a few facts: the one door to libxml2.
 *
 * For pages that were written for people.  Elements are found by their id, whatever the language and
 * the case of the tags; what stands in scripts, styles and comments is never seen.  Nothing is
 * fetched, no entity but the built-in ones is replaced, nothing is printed.
 *
 * Limits: 1 MiB of text; 256 levels of nesting.
 * Threads: a page belongs to one thread at a time.
 */
enum { HTML_MAX = 1 << 20 };

struct html;      /* a page */
struct html_node; /* an element; borrowed from its page */

/*
 * html_parse - UTF-8, or else ISO 8859-1.  Broken markup is mended as browsers do.
 * fails    ERR_PROTO     empty, has a NUL byte (UTF-16 has), no tag in it
 *          ERR_NET       ends inside a comment: it was cut
 *          ERR_TOO_LARGE over HTML_MAX; a tag with hundreds of attributes
 *          ERR_NOMEM
 */
struct html *html_parse(struct view text, struct err *e) MUST;
void html_free(struct html *page);

/* html_find - the first element with this id (ASCII case aside) in document order; NULL: none. */
const struct html_node *html_find(const struct html *page, const char *id);

/* html_tag - the first element of this name, "title"; NULL: none. */
const struct html_node *html_tag(const struct html *page, const char *name);

/* html_definition - the <dd> that belongs to this <dt>: before the next <dt>; NULL: none. */
const struct html_node *html_definition(const struct html_node *dt);

/* html_text - append the text inside, each run of white space one space, none at the ends. */
void html_text(const struct html_node *node, struct buf *out);

/*
 * html_next_link - iterate the <a href>: *state starts as NULL.  href is appended to out, which the
 * caller resets; false at the end.
 */
bool html_next_link(const struct html *page, const struct html_node **state, struct buf *href);
#endif
