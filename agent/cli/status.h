#ifndef AGENT_STATUS_H
#define AGENT_STATUS_H
#include "proto/json.h"

/*
 * status.h - the data of a status document (control_status.c) for people: a screen, or a page.
 *
 * What peers and requests said stands in it: the screen cleans it of control characters, the page escapes it.  The page
 * needs nothing from anywhere: no script, no picture, no other file.
 */
void status_text(const struct json *data, int64_t now, struct buf *out);
void status_html(const struct json *data, int64_t now, struct buf *out);
#endif
