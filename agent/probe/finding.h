#ifndef AGENT_FINDING_H
#define AGENT_FINDING_H
#include "certs/err.h"
#include "proto/json.h"

/*
 * finding.h - what a check has found: how good it is, the fact that was seen, and what to do about it.
 *
 * Facts may hold what a stranger sent: everything written here passes err_clean.
 */
enum grade { GRADE_NONE, GRADE_PASS, GRADE_WARN, GRADE_FAIL, GRADE_SKIP, GRADE_COUNT };

struct finding {
    enum grade grade;
    enum err_class cls; /* of a FAIL: decides the exit code */
    char fact[400], fix[400];
};

const char *grade_name(enum grade g); /* "PASS" */

/* finding_set - replaces what is there, the fix included. */
void finding_set(struct finding *f, enum grade g, enum err_class cls, const char *fact, ...)
    __attribute__((format(printf, 4, 5)));
void finding_fix(struct finding *f, const char *fix, ...) __attribute__((format(printf, 2, 3)));

/* finding_worse - another remark: the worse grade counts, the facts stand side by side, the first fix of the
 * worse one stays. */
void finding_worse(struct finding *f, enum grade g, enum err_class cls, const char *fix,
    const char *fact, ...) __attribute__((format(printf, 5, 6)));

/* finding_print - a line for people on standard output, and one with the fix. */
void finding_print(const struct finding *f, const char *name);

/* finding_json - members "grade", "fact" and, if there is one, "fix" into the object that is open. */
void finding_json(const struct finding *f, struct json_out *o);
#endif
