/* see doctor.h */
#include <stdlib.h>
#include <string.h>
#include "agent/doctor.h"
#include "certs/mem.h"

static void (*const groups[])(struct doctor *d) = { doctor_scep };

const struct doctor_code doctor_codes[] = {
    { "SCEP-01", "the bare URL answers as monitoring expects" },
    { "SCEP-02", "GetCACaps and GetCACert are well formed, the certificates good" },
    { "SCEP-03", "a URL of 30 KB passes" },
    { "SCEP-04", "a request with a challenge that is made up is refused, and properly" },
    { NULL, NULL },
};

const char *doctor_text(const char *code)
{
    for (const struct doctor_code *k = doctor_codes; k->code != NULL; k++)
        if (strcmp(k->code, code) == 0)
            return k->text;
    return "";
}

bool doctor_wants(const struct doctor *d, const char *code)
{
    return d->only == NULL || strncmp(code, d->only, strlen(d->only)) == 0;
}

void doctor_say(struct doctor *d, const char *code, const char *about, const struct finding *f)
{
    if (!doctor_wants(d, code) || d->count == DOCTOR_ROWS_MAX)
        return;
    if (d->rows == NULL)
        d->rows = xcalloc(DOCTOR_ROWS_MAX, sizeof *d->rows);
    d->rows[d->count++] = (struct doctor_row){ code, xstrdup(about), *f };
    d->grades[f->grade]++;
}

void doctor_skip(struct doctor *d, const char *prefix, const char *about, const char *why)
{
    struct finding f;

    finding_set(&f, GRADE_SKIP, ERR_NONE, "%s", why);
    for (const struct doctor_code *k = doctor_codes; k->code != NULL; k++)
        if (strncmp(k->code, prefix, strlen(prefix)) == 0)
            doctor_say(d, k->code, about, &f);
}

const struct doctor_row *doctor_worst(const struct doctor *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->rows[i].found.grade == GRADE_FAIL)
            return &d->rows[i];
    return NULL;
}

bool doctor_run(struct doctor *d)
{
    bool any = false;

    for (const struct doctor_code *k = doctor_codes; k->code != NULL; k++)
        any = any || doctor_wants(d, k->code);
    for (size_t i = 0; any && i < sizeof groups / sizeof groups[0]; i++)
        groups[i](d);
    return any;
}

void doctor_free(struct doctor *d)
{
    for (size_t i = 0; i < d->count; i++)
        free(d->rows[i].about);
    free(d->rows);
    d->rows = NULL;
    d->count = 0;
}
