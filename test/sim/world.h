#ifndef TEST_SIM_WORLD_H
#define TEST_SIM_WORLD_H
#include "test/sim/sim_io.h"

/*
 * world.h - what is around the agent: a cloud, a CA with two faces, and a ledger of what both did.
 *
 * The ledger survives every crash of the agent; the checker reads it and the agent's store, and knows
 * nothing of how the agent works.
 */
enum { WORLD_REQUESTS = 800, WORLD_CERTS = 1000, WORLD_SPKIS = 8, WORLD_POSTS = 8 };

enum ca_mood {
    CA_ISSUES,
    CA_PENDS,
    CA_DENIES,
    CA_WRONG_KEY,
    CA_WRONG_NAME,
    CA_LONG_LIFE,
    CA_NO_TEMPLATE
};

enum world_past { PAST_NONE, PAST_KEPT, PAST_RESTORED, PAST_OVER };

struct world_request {
    char id[40];
    char name[64]; /* its CN; unique */
    char ca[16];   /* "adcs" or "est" */
    char template_name[64];
    char key[16];       /* keyAlgorithm */
    bool malformed;     /* a member of the wrong type */
    bool scep;          /* a device asks by SCEP, instead of the cloud */
    char challenge[64]; /* that device's */
    bool either;        /* of several with one challenge exactly one is served */
    bool expect_success;
    char expect_code[40]; /* errorCode of an expected failure */

    /* what happened */
    bool handed_out, done, succeeded;
    int leases;
    int leases_lost; /* before the request had ended: their time was over, or they were taken back */
    int64_t lease_expires_at;
    char lease[64], code[40];
    uint8_t posts[WORLD_POSTS][32]; /* SHA-256 of each distinct final result, lease aside */
    size_t post_count;
    size_t accepted;
    uint8_t spkis[WORLD_SPKIS][32]; /* distinct keys seen in CSRs */
    size_t spki_count;
    size_t issued;   /* certificates */
    char serial[64]; /* of the certificate delivered */
    size_t polls;
    /* SCEP */
    struct io_exchange *asking;
    int64_t ask_at; /* when the device asks (again) */
    char noted[64]; /* serial number the cloud was told of */
    bool replayed;  /* it asked once more after it had its certificate */
    char trouble[120];
    struct X509_req_st *csr; /* the last one, for an approval */
    size_t submitted;        /* CSRs the CA has seen, whatever it said */
    /* past.h */
    bool key_kept;   /* the backup has its CSR */
    int leases_then; /* at the backup; the rest at the restore */
    bool handed_out_then, done_then;
    size_t submitted_then;
    bool by_twin; /* ended by the service that lived beside */
};

struct world_cert {
    char serial[64];
    uint8_t spki[32];
    struct world_request *request;
    struct buf der;
    bool wrong; /* not what was asked for */
};

struct world {
    struct world_request requests[WORLD_REQUESTS];
    size_t request_count;
    struct world_cert certs[WORLD_CERTS];
    size_t cert_count;
    enum ca_mood mood;
    size_t pend_polls; /* CA_PENDS: how many polls before it issues */
    int64_t lease_s;
    size_t restarts; /* so many looks at a pending request end in a crash of the agent */
    size_t restarts_left;
    size_t calls;    /* HTTP requests of any kind */
    int64_t clock_s; /* so much our clock is ahead of everybody else's */
    int64_t step_s;  /* so much it jumps: once while we run, or before the second start */
    bool step_between, stepped;
    bool plain; /* no faults are swept: it is about many */
    bool scep;  /* some request is */
    /* heartbeats, and what past.h makes of them */
    bool heartbeat; /* the agent sends them */
    int64_t highest, twin_next_at, restored_at;
    bool restores, in_place, lent_elsewhere; /* what kind of restore is swept */
    int64_t twin_s;                          /* so long the first life goes on after it */
    enum world_past past;
    size_t certs_then;
};

/* world_open - keys and certificates of the CA and the device, once a program. */
int world_open(const char *dir, struct err *e) MUST; /* writes dir/root.pem */
void world_close(void);

/* world_reset - forget what happened, keep the requests. */
void world_reset(struct world *w);

/* world_answer - the peer function of sim_io.h. */
void world_answer(
    struct world *w, const char *method, const char *url, struct view body, struct sim_answer *out);

/* The two sides; each answers the URLs that are its own. */
bool world_cloud(struct world *w, const char *path, struct view body, struct sim_answer *out);
bool world_ca(struct world *w, const char *method, const char *path, struct view body,
    struct sim_answer *out);

void world_page(struct sim_answer *out, int status, const char *type, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* world_device - devices that speak SCEP do what their time has come for; called before every turn. */
void world_device(struct world *w);
int world_device_open(const char *dir, struct err *e) MUST; /* writes ra.pem, ra.key */
void world_device_close(void);
struct view world_device_certificate(void);
/* world_unwrap - may the device use this result?  NULL, or what is wrong with it */
const char *world_unwrap(
    struct world *w, struct world_request *r, struct view password_cms, struct view pfx);
#endif
