#ifndef SANDBOX_HTTP_TLS_H
#define SANDBOX_HTTP_TLS_H
#include <microhttpd.h>

/* http_tls.h - who is on the other end of a connection; for http.c only. */
void tls_on_connection(
    void *cls, struct MHD_Connection *c, void **state, enum MHD_ConnectionNotificationCode what);
#endif
