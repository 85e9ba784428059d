#ifndef AGENT_DOCTOR_H
#define AGENT_DOCTOR_H
#include "agent/conf.h"
#include "agent/finding.h"

/*
 * doctor.h - checks of a running service from outside: rows with stable codes, each PASS, WARN, FAIL or SKIP with the
 * fact that was seen and what to do.
 *
 * Codes are never used for something else.  A group of rows is one function that says its rows; groups and codes
 * are tables in doctor.c.  Nothing here changes anything.
 */
enum { DOCTOR_ROWS_MAX = 512 };

struct doctor_row {
    const char *code;
    char *about; /* "scep "devices", listen "plain"" */
    struct finding found;
};

struct doctor {
    const struct conf *conf;
    struct lib *lib;
    const char *url, *trust; /* --url, --trust; NULL: not given */
    const char *only;        /* --only; NULL: every row */
    struct doctor_row *rows;
    size_t count;
    size_t grades[GRADE_COUNT];
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

/* ---- for the groups ---- */
bool doctor_wants(const struct doctor *d, const char *code);
void doctor_say(struct doctor *d, const char *code, const char *about, const struct finding *f);
void doctor_skip(struct doctor *d, const char *prefix, const char *about,
    const char *why); /* every row whose code begins so */

void doctor_scep(struct doctor *d); /* SCEP-01 to SCEP-04 */
#endif
