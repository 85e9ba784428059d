#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H
#include "agent/ca/ca.h"
#include "agent/cloud/cloud.h"
#include "agent/conf/conf.h"
#include "agent/secrets/secret.h"
#include "agent/store/store.h"

/*
 * agent.h - everything one running service holds.  Made by agent_open in the order of its members,
 * closed in reverse.  Every part that outlives a call gets the struct and uses what it needs.  It is the one header
 * outside the rooms: whoever stands on requests/ or above may include it, and it names the parts above by pointer only.
 */
struct agent {
    struct conf *conf;
    struct lib *lib; /* the loop thread's */
    struct store *store;
    int lock; /* of the store's folder */
    bool io_open;
    struct vault vault;      /* the keys that seal requests */
    struct secrets *secrets; /* what administrators gave us to keep */
    struct cloud cloud;
    struct ca **cas; /* one for each section, same order */
    size_t ca_count;
    struct keypool *keypool;
    struct jobs *jobs;
    struct sched *sched;
    struct poll *poll;
    struct lease *lease;
    struct heartbeat *heartbeat;
    struct connector_renew *renew;
    struct reconcile *reconcile;
    struct scepd *scepd;            /* NULL: no scep section */
    struct metrics_server *metrics; /* NULL: metrics.listen is not set */
    struct watchdog *watchdog;      /* NULL: the service manager does not want it */
    struct reload {                 /* how far one is, see reload.h */
        struct op *check;           /* the process under way */
        int64_t asked,
            done;   /* numbers: of the last that was asked for, of the last that has ended */
        int64_t at; /* UTC seconds, when that one ended; 0: none has */
        bool ok, take_over; /* take_over: when the loop ends, takeover() */
        int64_t checking;   /* the number of the one under way */
        char message[400];
        uint64_t stamp; /* of the configuration in use, see conf_stamp */
    } reload;
    struct backup {              /* the last one asked for, see backup.h */
        struct store_copy *copy; /* NULL: none is under way */
        struct op *op;
        int64_t number;
        bool failed;
        char actor[40], message[400];
    } backup;
    bool once;          /* end when nothing is left to do ... */
    int64_t patience_s; /* ... within so many seconds after the cloud had nothing more */
    int64_t patience_until;
    bool ending;   /* nobody new is let in; who is in may still ask, for a moment */
    bool draining; /* take nothing new */
    bool fatal;    /* the store is corrupt: stop, an administrator is needed */
    bool busy;     /* a job was in memory at the end of the last turn */
    struct op *idle, *chores, *deadline; /* timers: housekeeping; the end of draining */
    struct op *grace; /* while draining: connections that have said nothing yet may still ask */
    int64_t started_at;
    struct {           /* another log level than the configuration's, see control_log.h */
        struct op *op; /* the timer that ends it */
        int64_t until; /* UTC seconds; 0: no end */
    } log_level;
    int64_t rotated_at; /* the master key, since the start; 0 = never */
    int64_t audit_told; /* records of the audit log whose head the log has */
    char actor[40];     /* who asks the command that is being answered: "uid 0" */
    struct {
        uint64_t received, delivered, rejected, malformed, commits, resubmitted;
    } count;
};

/* agent_open_store - the lock, the keys, the secrets, the store: what commands need that change them while no service
 * runs.  a->conf and a->lib are set, a->lock is -1.  A failure leaves what was opened to agent_close_store. */
int agent_open_store(struct agent *a, struct err *e) MUST;
void agent_close_store(struct agent *a);

/* agent_open - open everything, contact nobody.  fails with the class of what could not be opened */
int agent_open(struct agent *a, struct conf *conf, struct err *e) MUST; /* takes conf on success */
void agent_close(struct agent *a);
/* agent_listen - begin to serve devices, if the configuration says so.  fails ERR_CONFIG, ERR_NET */
int agent_listen(struct agent *a, struct err *e) MUST;
void agent_start(struct agent *a); /* begin to poll and to work */
void agent_drain(
    struct agent *a); /* take nothing new, finish steps under way, then stop the loop */

struct ca *agent_ca(const struct agent *a, const char *name); /* NULL: not configured */
#endif
