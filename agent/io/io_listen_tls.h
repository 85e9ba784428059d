#ifndef AGENT_IO_LISTEN_TLS_H
#define AGENT_IO_LISTEN_TLS_H
#include "certs/lib.h"

/*
 * io_listen_tls.h - TLS as a server, between two buffers; the one door to OpenSSL's libssl.
 *
 * TLS 1.2 and 1.3, ECDHE only.  With an EC and an RSA certificate the EC one goes to whoever can use it: 170 us
 * of our time for a handshake instead of 370.  Handshakes run on the loop thread; a second of nothing else is
 * some thousand devices.  The client is never asked for a certificate (macOS and WinHTTP stumble over the mere
 * question).  Tickets, kept by the client and sealed with a key that lives a day, make coming back cheaper.
 *
 * Settings of openssl.cnf do not matter: the library context is one of ours, and what the file could preset is
 * set here.
 */
enum { IO_TLS_CERTS_MAX = 2 };

struct io_tls;        /* what a listener shows: certificates, keys, ticket keys */
struct io_tls_stream; /* one connection */

/* io_tls_new - PEM files; unused places are NULL.  l outlives all that is made here.  fails ERR_CONFIG */
struct io_tls *io_tls_new(
    struct lib *l, char *const certificate[], char *const key[], struct err *e) MUST;
void io_tls_free(struct io_tls *t); /* its streams go on */
int64_t io_tls_expires_at(const struct io_tls *t);

struct io_tls_stream *io_tls_open(struct io_tls *t, uint64_t now_ms) MUST; /* NULL: no memory */
void io_tls_close(struct io_tls_stream *s);                                /* NULL is fine */

/* io_tls_put - bytes as they came.  false: no memory */
bool io_tls_put(struct io_tls_stream *s, struct view in) MUST;

/* io_tls_read - what they say.  It shakes hands, too, so look at io_tls_unsent afterwards.
 * returns  how many bytes, 0 when more must come, -1 at the end, whether in good order or not */
int io_tls_read(struct io_tls_stream *s, void *out, size_t size);
bool io_tls_kept(const struct io_tls_stream *s); /* bytes were put that are not read yet */

bool io_tls_write(struct io_tls_stream *s, struct view text) MUST; /* all of it; false: broken */
void io_tls_bye(struct io_tls_stream *s);                          /* close_notify */

struct view io_tls_unsent(struct io_tls_stream *s); /* bytes for the client */
void io_tls_sent(struct io_tls_stream *s, size_t len);
#endif
