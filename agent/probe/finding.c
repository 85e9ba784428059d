/* see finding.h */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "agent/probe/finding.h"

const char *grade_name(enum grade g)
{
    static const char *const names[GRADE_COUNT] = { [GRADE_NONE] = "-",
        [GRADE_PASS] = "PASS",
        [GRADE_WARN] = "WARN",
        [GRADE_FAIL] = "FAIL",
        [GRADE_SKIP] = "SKIP" };

    return names[g];
}

__attribute__((format(printf, 3, 0))) static void put(
    char *to, size_t size, const char *fmt, va_list ap)
{
    (void)vsnprintf(to, size, fmt, ap);
    err_clean(to);
}

void finding_set(struct finding *f, enum grade g, enum err_class cls, const char *fact, ...)
{
    va_list ap;

    *f = (struct finding){ .grade = g, .cls = cls };
    va_start(ap, fact);
    put(f->fact, sizeof f->fact, fact, ap);
    va_end(ap);
}

void finding_fix(struct finding *f, const char *fix, ...)
{
    va_list ap;

    va_start(ap, fix);
    put(f->fix, sizeof f->fix, fix, ap);
    va_end(ap);
}

void finding_worse(
    struct finding *f, enum grade g, enum err_class cls, const char *fix, const char *fact, ...)
{
    size_t at = strlen(f->fact);
    va_list ap;

    if (at > 0 && at + 3 < sizeof f->fact) {
        memcpy(f->fact + at, "; ", 3);
        at += 2;
    }
    va_start(ap, fact);
    put(f->fact + at, sizeof f->fact - at, fact, ap);
    va_end(ap);
    if (g > f->grade && g <= GRADE_FAIL) {
        f->grade = g;
        f->cls = cls;
        f->fix[0] = '\0';
    }
    if (g == f->grade && f->fix[0] == '\0' && fix != NULL)
        finding_fix(f, "%s", fix);
}

void finding_print(const struct finding *f, const char *name)
{
    (void)printf("%-4s  %-13s  %s\n", grade_name(f->grade), name, f->fact);
    if (f->fix[0] != '\0')
        (void)printf("%21sfix:  %s\n", "", f->fix);
}

void finding_json(const struct finding *f, struct json_out *o)
{
    json_put_text(o, "grade", grade_name(f->grade));
    json_put_text(o, "fact", f->fact);
    if (f->grade == GRADE_FAIL && f->cls != ERR_NONE)
        json_put_text(o, "code", err_name(f->cls));
    if (f->fix[0] != '\0')
        json_put_text(o, "fix", f->fix);
}
