#ifndef PROTO_HTML_CHAR_H
#define PROTO_HTML_CHAR_H
#include "certs/buf.h"

/*
 * html_char.h - the characters of a text or of an attribute's value.
 *
 * Replaced are &amp; &lt; &gt; &quot; &apos; &nbsp; as they stand here, and references by number,
 * &#8364; or &#x20ac;, whose semicolon may be missing.  Every other '&' stands for itself; so does one
 * before a number that is no character, or a control character other than white space.
 * Threads: pure.
 */

/* A stretch of a page. */
struct html_raw {
    struct view text;
    bool utf8; /* true: valid UTF-8; false: ISO 8859-1 */
};

/* html_char_next - take the first character off *raw; false: there is none. */
bool html_char_next(struct html_raw *raw, uint32_t *code_point);

/* html_char_blank - white space, the no-break space among it. */
bool html_char_blank(uint32_t code_point);

/* html_char_add, html_char_add_all - append in UTF-8. */
void html_char_add(struct buf *out, uint32_t code_point);
void html_char_add_all(struct buf *out, struct html_raw raw);

/* html_char_equal - is it this text, ASCII case aside? */
bool html_char_equal(struct html_raw raw, const char *text);
#endif
