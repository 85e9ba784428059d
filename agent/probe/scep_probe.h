#ifndef AGENT_SCEP_PROBE_H
#define AGENT_SCEP_PROBE_H
#include "agent/probe/scep_client.h"
#include "agent/probe/scep_enrol.h"

/*
 * scep_probe.h - a SCEP server looked at from outside, stage by stage, as far as a device would come: certferry
 * scep info, scep test and doctor.
 *
 * A stage that needs another is skipped, and says which, if that one failed: one cause is one FAIL.
 */
enum scep_stage {
    SCEP_STAGE_BARE,    /* the URL alone, as monitoring asks */
    SCEP_STAGE_CAPS,    /* GetCACaps */
    SCEP_STAGE_CERTS,   /* GetCACert */
    SCEP_STAGE_NEXT_CA, /* GetNextCACert, if it is offered */
    SCEP_STAGE_LONG,    /* 30 KB of URL */
    SCEP_STAGE_LONGER,  /* 60 KB: as much as Microsoft tells administrators to allow */
    SCEP_STAGE_REQUEST, /* key, request, message */
    SCEP_STAGE_SEND,    /* PKIOperation and, while it is pending, CertPoll */
    SCEP_STAGE_REPLY,   /* is it a reply to this message, signed by the server? */
    SCEP_STAGE_VERDICT, /* issued, pending, or refused: the one expected? */
    SCEP_STAGE_ISSUED,  /* the certificate: over our key, by this CA */
    SCEP_STAGE_COUNT
};
enum {
    SCEP_LOOK = 1 << SCEP_STAGE_BARE | 1 << SCEP_STAGE_CAPS | 1 << SCEP_STAGE_CERTS
                | 1 << SCEP_STAGE_NEXT_CA | 1 << SCEP_STAGE_LONG | 1 << SCEP_STAGE_LONGER,
    SCEP_ENROL = 1 << SCEP_STAGE_CAPS | 1 << SCEP_STAGE_CERTS | 1 << SCEP_STAGE_REQUEST
                 | 1 << SCEP_STAGE_SEND | 1 << SCEP_STAGE_REPLY | 1 << SCEP_STAGE_VERDICT
                 | 1 << SCEP_STAGE_ISSUED,
};

struct scep_probe {
    /* in; strings are borrowed */
    struct scep_client_conf to;
    unsigned stages;       /* 1 << each */
    const char *subject;   /* of the request */
    const char *challenge; /* NULL: one is made up, and a proper refusal is what is expected */
    int64_t wait_s;        /* how long to poll while it is pending */

    /* out */
    struct finding found[SCEP_STAGE_COUNT]; /* GRADE_NONE: not asked for */
    int bare_status;                        /* 0: no answer */
    struct buf caps; /* GetCACaps, as it came; cleaned, words between single blanks */
    struct scep_certs certs, next;
    struct scep_outcome outcome;
    bool pending; /* to the end */

    /* its own */
    struct lib *lib;
    struct scep_client *client;
    struct scep_enrol enrol;
    enum scep_stage at;
    struct op *op;
    bool unreachable;
    uint64_t polls_until_ms;
    void (*done)(void *arg);
    void *arg;
};

/* scep_probe_start - fn(arg) once all is found, not before this returns.  fails ERR_INPUT, ERR_CONFIG: URL, trust */
int scep_probe_start(
    struct scep_probe *p, struct lib *l, void (*done)(void *arg), void *arg, struct err *e) MUST;
void scep_probe_end(struct scep_probe *p); /* frees what it holds; stops it if need be */

/* scep_probe_run - the same, and the loop until it is done: for commands. */
int scep_probe_run(struct scep_probe *p, struct lib *l, struct err *e) MUST;

const char *scep_stage_name(enum scep_stage s); /* "caps" */
const char *scep_stage_text(enum scep_stage s); /* "GetCACaps" */

/* scep_probe_worst - the first FAIL, or NULL */
const struct finding *scep_probe_worst(const struct scep_probe *p);
#endif
