#ifndef AGENT_IO_CURL_H
#define AGENT_IO_CURL_H
#include <curl/curl.h>
#include "certs/err.h"

/* io_curl.h - one curl multi handle driven by the loop; io_http.c puts transfers into it. */

typedef void io_curl_fn(CURL *easy, CURLcode rc); /* a transfer has finished; may remove it */

CURLM *io_curl_open(io_curl_fn *done, struct err *e) MUST; /* NULL: ERR_NOMEM */
void io_curl_close(void);     /* every transfer must have been removed */
void io_curl_busy(bool busy); /* transfers under way keep the loop alive, idle connections do not */

/* io_curl_header - of the answer of this transfer; "" if absent */
const char *io_curl_header(CURL *easy, const char *name);
#endif
