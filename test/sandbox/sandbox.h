#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H
#include "test/sandbox/ca.h"
#include "test/sandbox/fault.h"
#include "test/sandbox/ledger.h"
#include "test/sandbox/setup.h"

#include <stdatomic.h>

/* sandbox.h - what all parts hang on: one for the program, made by main. */
struct options {
    const char *dir;
    const char *journal;  /* file, or NULL */
    const char *load_key; /* "ecP256", with load */
    const char *load_ca;  /* "adcs", "est", "both" */
    unsigned port;        /* 0: any */
    unsigned demo, load;  /* how many requests */
    int64_t lease_s;
    int64_t ca_delay_ms;
    int64_t seed;
    int64_t open_every;   /* devices open each n-th result */
    int64_t manual_polls; /* -1: until approved */
    bool quiet, need_client_cert, ca_rsa, german, load_ec_device, scep;
    unsigned scep_port; /* of the agent's SCEP listener; 0: any */
    enum { SIGN_IN_NONE, SIGN_IN_MTLS, SIGN_IN_JWT } sign_in;
    int64_t certificate_s; /* life of a connector's certificate */
    const char *issuer,
        *jwks; /* another authorization server and the file with its keys, or NULL */
};

struct queue;
struct journal;
struct intune;
struct signin;
struct sandbox {
    struct options opt;
    struct setup setup;
    char base[64]; /* https://127.0.0.1:PORT */
    struct prng prng;
    struct ledger *ledger;
    struct journal *journal; /* or NULL */
    struct faults *faults;
    struct ca ca;
    struct queue *queue;
    struct intune *intune; /* or NULL: not asked for */
    struct signin *signin; /* or NULL: not asked for */
    struct park *park;
    int64_t highest_counter;    /* of heartbeats; -1: none yet */
    uint64_t results;           /* uploads seen, for open_every */
    int64_t started_at;         /* UTC seconds */
    unsigned load_given;        /* requests of --load that are in the queue */
    _Atomic int64_t stop_at_ms; /* clock_ms() when the main thread is to stop; 0: not asked to */
};
#endif
