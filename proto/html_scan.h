#ifndef PROTO_HTML_SCAN_H
#define PROTO_HTML_SCAN_H
#include "certs/buf.h"

/*
 * html_scan.h - is this text worth giving to libxml2?
 *
 * A first, shallow reading that knows tags, comments, scripts and styles.  It keeps from the library
 * what it would take for something else: text without any tag (it makes elements of it), a comment
 * that has no end (it reads on inside), a tag with thousands of attributes (it compares each with all
 * before it; a page of 900 kB took nine seconds).
 * Threads: pure.
 */
enum { HTML_ATTRIBUTES_MAX = 256 /* about: what is counted are the gaps between them */ };

/* html_scan - fails as html_parse */
int html_scan(struct view text, struct err *e) MUST;
#endif
