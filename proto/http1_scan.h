#ifndef PROTO_HTTP1_SCAN_H
#define PROTO_HTTP1_SCAN_H
#include "proto/http1.h"

/*
 * http1_scan.h - where the head of a request ends, and whether its lines are lines; for http1.c only.
 *
 * llhttp never sees a head that two readers could cut into lines differently: every line ends with CR LF,
 * neither stands alone, no line is folded, every header has a name without blanks and a colon, and no
 * control character (NUL) stands anywhere.  Bytes are judged one by one, so that it does not matter in
 * which pieces they come.
 */
struct http1_scan {
    int where;          /* the state; 0 = nothing of a head has come */
    size_t line_at;     /* where the request line begins, behind stray CR LF */
    size_t line_len;    /* its length without CR LF */
    size_t target_len;  /* what stands behind its first blank, with the version */
    size_t headers_len; /* all behind the request line */
    bool blank;         /* the request line's first blank has come */
};

/*
 * http1_scan - look at the next bytes of a head.
 *
 * used     how many of them belong to it
 * returns  0 go on with more, 1 the head is whole, else the HTTP status to refuse it with
 */
int http1_scan(struct http1_scan *s, struct view in, size_t *used);
#endif
