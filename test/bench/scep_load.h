#ifndef BENCH_SCEP_LOAD_H
#define BENCH_SCEP_LOAD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * scep_load.h - many SCEP clients: messages made ahead into a file (scep_make.c), then sent (scep_send.c,
 * scep_wire.c) while somebody else looks at what the server uses.
 *
 * A record of the file is its kind (one byte), the length of the message (four bytes, big-endian), the message.
 */
enum kind { /* what is wrong with a message, and so where a server stops */
    KIND_GOOD,
    KIND_SIGNATURE, /* of the message: does not verify */
    KIND_GARBAGE,   /* random bytes */
    KIND_CHALLENGE, /* another password: all the cryptography, then a refusal */
    KIND_CUT,       /* the last bytes are missing */
    KIND_TYPE,      /* a messageType that does not exist */
    KIND_COUNT,
};

enum { RECORD_HEAD = 5, MESSAGE_MAX = 65536, KEYS_MAX = 256 };

extern const char *const kind_names[KIND_COUNT];

struct making {
    const char *recipient, *challenge, *out,
        *keys;           /* PEM of the RA; file of messages; PEM of RSA keys */
    const char *subject; /* its common name, in front of a number */
    unsigned first, count, key_count;
    unsigned hostile_every; /* every n-th is hostile, the kinds in turn; 0: none */
    enum kind kind;         /* of all others */
};
/* make - false: said on stderr.  Keys are read from `keys`, or made and written there. */
bool make(const struct making *m);

struct sending {
    const char *path, *in;
    unsigned port, clients, skip, count;
    bool tls, keep; /* keep: connections are kept */
};
/* send_all - result as JSON on stdout.  false: said on stderr. */
bool send_all(const struct sending *s);

/* ---- scep_wire.c: one connection ------------------------------------------------------------------------- */
struct wire;
struct wire *wire_new(const struct sending *s);
void wire_free(struct wire *w);

struct outcome {
    int http;    /* 0: no answer */
    char status; /* pkiStatus '0' '2' '3', or '?' */
};
/* wire_ask - post one message; `who` chooses the client's address, for many devices have many. */
struct outcome wire_ask(struct wire *w, unsigned who, const uint8_t *message, size_t len);

#endif
