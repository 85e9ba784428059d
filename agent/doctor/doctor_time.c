/* see doctor.h.  TIME-01: our clock against the Date of every peer, and what the kernel knows of NTP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include "agent/doctor/doctor_look.h"

enum { SKEW_WARN_S = 60, SKEW_FAIL_S = 300 };

/* The kernel is told by whatever keeps the clock; without such a program it says unsynchronised. */
static const char *ntp_state(void)
{
    struct timex t = { .modes = 0 };
    int rc = adjtimex(&t);

    if (rc < 0)
        return "the kernel does not say whether NTP keeps it";
    return rc == TIME_ERROR || (t.status & STA_UNSYNC) != 0 ? "nothing keeps it by NTP"
                                                            : "NTP keeps it";
}

static const char *fix_text(void)
{
    return "timedatectl set-ntp true; then timedatectl status";
}

struct clocks {
    size_t seen, off; /* peers that said a Date; those of which ours differs much */
    int64_t worst;    /* seconds, ours minus theirs */
    const char *about;
    char text[240];
};

static void look(const struct doctor *d, struct clocks *c)
{
    size_t at = 0;

    for (size_t i = 0; i < d->end_count; i++) {
        const struct doctor_end *p = &d->ends[i];
        int64_t skew = p->look.date_seen_at - p->look.date;

        if (p->look.date == 0)
            continue;
        if (c->seen++ == 0 || llabs(skew) > llabs(c->worst)) {
            c->worst = skew;
            c->about = p->about;
        }
        c->off += llabs(skew) > SKEW_FAIL_S;
        if (at < sizeof c->text)
            at += (size_t)snprintf(c->text + at, sizeof c->text - at, "%s%s:%u %+lld s",
                at > 0 ? ", " : "", p->host, p->port, (long long)skew);
    }
}

void doctor_time(struct doctor *d)
{
    struct clocks c = { 0 };
    const char *ntp = ntp_state();

    doctor_looks(d);
    look(d, &c);
    if (c.seen == 0)
        doctor_skip(d, "TIME-01", "", "no peer has said what time it is");
    else if (c.off * 2 > c.seen)
        doctor_fail(d, "TIME-01", "", ERR_CONFIG, fix_text(),
            "our clock is %lld s %s; against each peer: %s; %s", (long long)llabs(c.worst),
            c.worst > 0 ? "fast" : "slow", c.text, ntp);
    else if (c.off > 0)
        doctor_warn(d, "TIME-01", "", "have its clock set",
            "the clock of %s differs from ours and the others' by %lld s", c.about,
            (long long)llabs(c.worst));
    else if (llabs(c.worst) > SKEW_WARN_S)
        doctor_warn(
            d, "TIME-01", "", fix_text(), "our clock against the peers': %s; %s", c.text, ntp);
    else
        doctor_pass(d, "TIME-01", "", "our clock against the peers': %s; %s", c.text, ntp);
}
