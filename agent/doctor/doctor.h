#ifndef AGENT_DOCTOR_H
#define AGENT_DOCTOR_H
#include "agent/conf/conf.h"
#include "agent/probe/finding.h"
#include "agent/secrets/secret.h"

/*
 * doctor.h - checks of an installation from the configuration to its peers: rows with stable codes, each PASS, WARN,
 * FAIL or SKIP with the fact that was seen and what to do.
 *
 * Codes are never used for something else.  A group of rows is one function in a file of its own that says its rows;
 * groups and codes are tables in doctor.c, causes before effects.  One root cause is one FAIL: a row that needs another
 * which failed is SKIP and names it (doctor_failed, doctor_needs).
 *
 * Nothing is changed, but for --fix: modes of our own files, missing folders.
 * Limits: every wait has its own; a whole run with nobody answering stays below 30 seconds.
 * Threads: the loop's; doctor_look.c has the only work on others.
 */
enum { DOCTOR_ROWS_MAX = 512, DOCTOR_PARALLEL = 8, DOCTOR_ANSWER_MS = 6000 };

struct doctor_row {
    const char *code;
    char *about; /* "scep "devices", listen "plain""; "" = the whole installation */
    struct finding found;
    int64_t ms; /* how long it took */
};

struct doctor {
    struct conf *conf;
    struct lib *lib;
    struct secrets *secrets; /* NULL: none */
    const char *url, *trust; /* --url, --trust; NULL: not given */
    const char *only; /* --only: codes or beginnings of them, "net,ca,SCEP-03"; NULL: every row */
    bool fix, dry_run;
    void (*on_row)(void *arg, const struct doctor_row *r);   /* as it is said; may be NULL */
    void (*on_wait)(void *arg, const char *what, size_t of); /* before a wait; may be NULL */
    void *arg;

    struct doctor_row *rows;
    size_t count;
    size_t grades[GRADE_COUNT];

    /* its own */
    struct doctor_end *ends; /* doctor_look.h */
    size_t end_count;
    struct connector *who; /* our identity, if it was made here; else NULL or empty */
    struct json *status;   /* what the running service says; NULL: none runs */
    struct err status_why; /* why not */
    bool status_asked;
    unsigned silent;   /* a bit for each section listen that does not answer */
    bool needed;       /* the group under way is needed by another */
    uint64_t since_ms; /* when the row under way began */
};

struct doctor_code {
    const char *code, *text;
};
extern const struct doctor_code doctor_codes[]; /* NULL-ended */

/* doctor_run - every group; false: --only names no row. */
bool doctor_run(struct doctor *d);
void doctor_free(struct doctor *d);
const char *doctor_text(const char *code);
const struct doctor_row *doctor_worst(const struct doctor *d); /* the first FAIL, or NULL */

/* doctor_unread - instead of doctor_run: there is no configuration.  CONF-01 is the FAIL, every other row is SKIP. */
void doctor_unread(struct doctor *d, const struct err *why);

/* ---- for the groups ---- */
bool doctor_wants(
    const struct doctor *d, const char *code); /* or a beginning: any row that begins so */
void doctor_begin(struct doctor *d);           /* the clock of the next row */
void doctor_say(struct doctor *d, const char *code, const char *about, const struct finding *f);
void doctor_say_ms(
    struct doctor *d, const char *code, const char *about, const struct finding *f, int64_t ms);
void doctor_skip(struct doctor *d, const char *prefix, const char *about,
    const char *why); /* every row whose code begins so */

/* In one line.  fix: "" = none */
void doctor_pass(struct doctor *d, const char *code, const char *about, const char *fact, ...)
    __attribute__((format(printf, 4, 5)));
void doctor_warn(struct doctor *d, const char *code, const char *about, const char *fix,
    const char *fact, ...) __attribute__((format(printf, 5, 6)));
void doctor_fail(struct doctor *d, const char *code, const char *about, enum err_class cls,
    const char *fix, const char *fact, ...) __attribute__((format(printf, 6, 7)));

/* doctor_failed - the first FAIL whose code begins so (and is about this, if about is not NULL); NULL: there is none */
const struct doctor_row *doctor_failed(
    const struct doctor *d, const char *prefix, const char *about);
/* doctor_needs - a row that FAIL `of` makes pointless: SKIP "needs PERM-02 ..." */
void doctor_needs(
    struct doctor *d, const char *code, const char *about, const struct doctor_row *of);

void doctor_version(struct doctor *d); /* VER-01 to VER-04 */
/* doctor_known_bad - what is wrong with this release of OpenSSL (else libcurl), and the first good one; NULL: nothing */
const char *doctor_known_bad(bool ssl, const char *version, const char **good);
void doctor_perm(struct doctor *d);    /* PERM-01 to PERM-06 */
void doctor_store(struct doctor *d);   /* ST-01 to ST-04 */
void doctor_p12(struct doctor *d);     /* P12-01 */
void doctor_plugin(struct doctor *d);  /* PLG-01 */
void doctor_ra(struct doctor *d);      /* RA-01 */
void doctor_service(struct doctor *d); /* SVC-01, SVC-02 */
void doctor_net(struct doctor *d);     /* NET-01 to NET-06 */
void doctor_time(struct doctor *d);    /* TIME-01 */
void doctor_tls(struct doctor *d);     /* TLS-01 to TLS-03 */
void doctor_cloud(struct doctor *d);   /* CLOUD-01 */
void doctor_auth(struct doctor *d);    /* AUTH-01 to AUTH-04 */
void doctor_ca(struct doctor *d);      /* CA-01 to CA-03 */
void doctor_scep(struct doctor *d);    /* SCEP-01 to SCEP-04 */

#endif
