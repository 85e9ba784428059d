#ifndef AGENT_IO_H
#define AGENT_IO_H
#include "certs/lib.h"
#include "proto/http.h"

/*
 * io.h - everything that waits.  Only io_*.c include uv.h and curl.h; the simulator (test/sim)
 * defines the same symbols, so the rest of agent/ runs unchanged against scripted answers and a clock
 * that the test moves.
 *
 * Every call that returns a struct op follows four rules:
 *   - it never calls back before it returns;
 *   - the callback runs exactly once, on the loop thread, unless cancelled;
 *   - in the callback the op is already gone: forget the pointer first;
 *   - io_cancel(op) means the callback will not run.  io_cancel(NULL) is a no-op.
 */
struct op;

struct result {                    /* valid only during the callback */
    const struct err *err;         /* NULL if there is an answer, whatever its status */
    const struct http_reply *http; /* io_http only, when err is NULL */
    struct io_work *work; /* io_work only, also when err is set: borrowed, freed afterwards */
    bool sent;            /* io_http: some byte of the request may have left this machine */
};
typedef void io_fn(void *arg, const struct result *r);

/* --- HTTP --- */

enum io_auth { IO_AUTH_NONE, IO_AUTH_BASIC, IO_AUTH_NTLM, IO_AUTH_NEGOTIATE, IO_AUTH_BEARER };

struct secrets;
struct conf;

/* How to reach one peer.  Strings are copied by io_peer_new; files are read by it. */
struct io_peer_conf {
    const char *name;             /* for messages: "cloud", "issuing1" */
    const char *trust_file;       /* PEM anchors; NULL = the system's */
    const char *certificate_file; /* PEM client certificate and chain; NULL = none */
    const char *key_file;         /* PEM private key for it */
    struct view certificate, key; /* or both as PEM, copied; the key PKCS#8 */
    enum io_auth auth;
    const char *secret_file; /* "user:password" or a bearer token: see secret_read */
    struct secrets *secrets; /* for "secret:NAME"; NULL: files only */
    const struct conf
        *conf; /* its section proxy says which way; outlives the peer; NULL: straight */
    const char *proxy,
        *proxy_credential;    /* the peer's own section's, borrowed as long; see proxy.h */
    unsigned connections_max; /* kept and used at once */
    bool http1;               /* never HTTP/2: NTLM and Negotiate authenticate a connection */

    /* For questions to SCEP servers, whose messages protect themselves.  No credential goes to such a peer. */
    bool plain_http; /* http:// is allowed as well */
    bool local;      /* its name may lead to this machine */
    size_t url_max;  /* bytes; 0 = 2048 */
    const char
        *address; /* "127.0.0.1:443": connect there, whatever the URL names; NULL = as it says */
};
struct io_peer;

/* fails ERR_CONFIG: a file is missing, readable by others, or not what it should be; plain_http with a
 * credential */
struct io_peer *io_peer_new(const struct io_peer_conf *c, struct err *e) MUST;
void io_peer_free(struct io_peer *p); /* after every op of it is gone; closes its connections */
const char *io_peer_name(const struct io_peer *p);

/* io_http - start one request.  Redirects are never followed, no environment is read, only https
 * unless the peer is one of plain_http.
 * The result's err is ERR_NET, ERR_TRUST, ERR_PROXY, ERR_PROXY_DOWN, ERR_CONFIG or ERR_TOO_LARGE. */
struct op *io_http(
    struct io_peer *p, const struct http_req *q, io_fn *fn, void *arg, struct err *e) MUST;

/* --- work on another thread --- */

struct io_work { /* first member of a struct that holds copies of all it needs */
    int (*run)(struct lib *l, struct io_work *w, struct err *e); /* on a worker thread */
    void (*free)(struct io_work *w);                             /* on the loop thread */
};

/* io_work - takes w.  `idle` work has a thread of its own, at the lowest priority the system has. */
struct op *io_work(struct io_work *w, bool idle, io_fn *fn, void *arg) MUST;
/* io_work_longest_ms - for how long the work a thread has been longest at is under way; idle work does not count */
uint64_t io_work_longest_ms(void);

/* --- time --- */

struct op *io_timer(uint64_t delay_ms, io_fn *fn, void *arg) MUST; /* cannot fail */
uint64_t io_now_ms(void);                                          /* monotonic, arbitrary start */
int64_t io_wall_s(void); /* the system's clock, UTC seconds; may jump */

void io_cancel(struct op *op);

/* --- several operations that look like one --- */

/*
 * io_chain - an op for whoever starts others, one after the other, on somebody's behalf.
 *
 * self     has the op under way; cancel(self) cancels that and frees self
 * Its owner ends it with io_chain_end, not before the function that made it has returned: the op is gone,
 * then fn is called; what r points to may belong to self, which is freed after that.
 */
struct op *io_chain(void (*cancel)(void *self), void *self, io_fn *fn, void *arg) MUST;
void io_chain_end(struct op *op, const struct result *r);

/* --- the loop --- */

/* io_open - workers: threads for io_work, 0 = one for each processor */
int io_open(unsigned workers, struct err *e) MUST;
void io_run(void); /* until io_stop, or nothing is pending */
void io_stop(void);
void io_close(void); /* aborts if a handle was leaked */

/* io_versions - "libcurl 7.88.1, libuv 1.44.2" */
const char *io_versions(void);

/* io_on_turn - fn(arg) at the end of each turn of the loop, before it waits.  One only; NULL ends it. */
void io_on_turn(void (*fn)(void *arg), void *arg);

/* io_on_signal - fn(arg, signal) on the loop thread for SIGTERM, SIGINT and SIGHUP. */
void io_on_signal(void (*fn)(void *arg, int signal), void *arg);
#endif
