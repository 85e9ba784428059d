#ifndef PROTO_JSON_SCAN_H
#define PROTO_JSON_SCAN_H
#include "certs/buf.h"

/*
 * json_scan.h - is this text one JSON object or array, in the strict sense of json.h?
 *
 * The scanner builds nothing.  It runs before json-c, whose strict mode still takes the last of two
 * equal names, lets NaN pass and turns 1e20 into 2^64 - 1.
 * Threads: pure.
 */
enum { JSON_DEPTH_MAX = 32 };

/* json_scan - fails ERR_PROTO (the message ends in the byte offset, from 0), ERR_NOMEM */
int json_scan(struct view text, struct err *e) MUST;
#endif
