#ifndef TEST_SIM_SCENARIO_H
#define TEST_SIM_SCENARIO_H
#include "test/sim/world.h"

/*
 * scenario.h - a scenario file, and one history of it: the real agent from its first start until every
 * request has ended, with faults put in at given places.
 *
 * A file has one word and its arguments on a line:
 *   about TEXT
 *   mood issues | pends POLLS | denies | wrong-key | wrong-name | long-life | no-template
 *   lease SECONDS
 *   restarts N       the first N looks at a pending request end in a crash
 *   request NAME CA TEMPLATE KEY delivered | ERRORCODE     (CA: adcs or est; `malformed` after it)
 *   heartbeat        the agent sends them, and the cloud says which counter was the highest
 *   restore [in-place] [lent-elsewhere] [twin SECONDS]   sweep: a backup at each place, put back at each later one (past.h)
 *   clock SECONDS    our clock is so much ahead of everybody else's
 *   step SECONDS [between]   our clock jumps after half an hour, or between the first start and the second
 *   plain            no fault is swept over it
 *   many COUNT NAME CA TEMPLATE KEY delivered   as many requests: NAME-0, NAME-1 ...
 *   device NAME CA CHALLENGE delivered | refused | either   a device that asks by SCEP
 */
enum fault {
    FAULT_NONE,
    /* at the k-th HTTP request */
    FAULT_CRASH_BEFORE, /* the process dies, the request never left */
    FAULT_CRASH_AFTER,  /* the peer acted, the process dies before it reads the answer */
    FAULT_LOST_REQUEST, /* no connection */
    FAULT_LOST_ANSWER,  /* the peer acted, the connection is cut */
    FAULT_HTTP_503,
    FAULT_HTTP_500, /* the peer acted and then says that it did not */
    FAULT_HTTP_403,
    FAULT_PAGE, /* a captive portal's page */
    FAULT_HTTP_404, /* a proxy in front that has lost the service behind it: 404, and nothing was done */
    FAULT_GARBAGE,    /* the peer acted; the answer is noise under its own content type */
    FAULT_LEASE_LOST, /* the cloud takes every lease back before it answers, and lends anew */
    /* at the k-th turn of the loop with something to commit */
    FAULT_CRASH_TURN, /* the process dies before the commit */
    FAULT_STORE_FULL, /* the commit fails */
    FAULT_COUNT
};
const char *fault_name(enum fault f);
/* fault_instead - before the peer acts.  returns true: it does not, and `out` is what comes back, if anything does
 * fault_after - the peer has acted and answered. */
bool fault_instead(enum fault f, struct world *w, const char *url, struct sim_answer *out);
void fault_after(enum fault f, const char *url, struct sim_answer *out);

struct history {
    enum fault fault[2];
    size_t at[2];                 /* 1-based */
    size_t backup_at, restore_at; /* HTTP requests; 0 = never */

    /* found out */
    size_t calls, turns, starts, orphans;
    size_t turns_then; /* of these before the restore */
    char wrong[300];   /* "" = every promise was kept */
};

int scenario_read(
    const char *path, struct world *w, char about[120]); /* 0, or -1 and a line on stderr */

extern char history_plugin[4096]; /* the shared object of the plugin that devices are judged by */

/* history_run - dir: a folder of the caller's with conf, root.pem and master.key; the store goes into it. */
void history_run(struct world *w, const char *dir, struct history *h);
int history_prepare(
    const char *dir, struct err *e) MUST; /* writes the configuration and the master key */
#endif
