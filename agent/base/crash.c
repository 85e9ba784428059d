/* see crash.h */
#include "agent/base/crash.h"

typedef int crash_not_empty; /* a translation unit needs a declaration */

#ifdef CRASH_POINTS
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

enum { SOON_MS = 8 };

static bool is_now(int number)
{
    static int at = -1, left;

    if (at < 0) {
        const char *where = getenv("CERTFERRY_CRASH_AT");

        at = 0;
        if (where != NULL && sscanf(where, "CP%d:%d", &at, &left) == 1)
            left = 1;
    }
    return number == at && --left == 0;
}

/* Once for each file that is there: the service that is started after us gets on. */
static bool is_stuck(int number)
{
    static int at = -1;
    static char file[400];

    if (at < 0) {
        const char *where = getenv("CERTFERRY_STICK_AT");

        if (where == NULL || sscanf(where, "CP%d:%399s", &at, file) != 2)
            at = 0;
    }
    return number == at && unlink(file) == 0;
}

void crash_point(int number)
{
    if (is_stuck(number))
        for (;;)
            (void)pause();
    if (is_now(number))
        (void)raise(SIGKILL);
}

void crash_soon(int number)
{
    const struct itimerval soon = { .it_value.tv_usec = SOON_MS * 1000 };

    if (!is_now(number))
        return;
    (void)signal(SIGALRM, SIG_DFL); /* ends the process at once, without clean-up */
    (void)setitimer(ITIMER_REAL, &soon, NULL);
}
#endif
