/* see scenario.h: reading the file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "test/sim/scenario.h"

static const char *const moods[] = { [CA_ISSUES] = "issues",
    [CA_PENDS] = "pends",
    [CA_DENIES] = "denies",
    [CA_WRONG_KEY] = "wrong-key",
    [CA_WRONG_NAME] = "wrong-name",
    [CA_LONG_LIFE] = "long-life",
    [CA_NO_TEMPLATE] = "no-template" };

static int read_request(struct world *w, char *args)
{
    struct world_request *r = &w->requests[w->request_count];
    char outcome[40], extra[16] = "";

    if (w->request_count == WORLD_REQUESTS
        || sscanf(args, "%63s %15s %63s %15s %39s %15s", r->name, r->ca, r->template_name, r->key,
               outcome, extra)
               < 5)
        return -1;
    (void)snprintf(
        r->id, sizeof r->id, "00000000-0000-4000-8000-000000000%03zu", w->request_count + 10);
    r->expect_success = strcmp(outcome, "delivered") == 0;
    if (!r->expect_success)
        (void)snprintf(r->expect_code, sizeof r->expect_code, "%s", outcome);
    r->malformed = strcmp(extra, "malformed") == 0;
    w->request_count++;
    return 0;
}

static int read_many(struct world *w, char *args)
{
    size_t count = 0;
    int used = 0, rc = 0;
    char name[40], line[200];

    if (sscanf(args, "%zu %31s %n", &count, name, &used) != 2)
        return -1;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        (void)snprintf(line, sizeof line, "%s-%zu %s", name, i, args + used);
        rc = read_request(w, line);
    }
    return rc;
}

static int read_device(struct world *w, char *args)
{
    struct world_request *r = &w->requests[w->request_count];
    char outcome[40];

    if (w->request_count == WORLD_REQUESTS
        || sscanf(args, "%63s %15s %63s %39s", r->name, r->ca, r->challenge, outcome) != 4)
        return -1;
    (void)snprintf(r->template_name, sizeof r->template_name, "User");
    r->expect_success = strcmp(outcome, "delivered") == 0;
    r->either = strcmp(outcome, "either") == 0;
    r->scep = w->scep = true;
    w->request_count++;
    return 0;
}

static int read_restore(struct world *w, char *args)
{
    char *word, *rest = NULL;

    w->restores = w->heartbeat = true;
    for (word = strtok_r(args, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        if (strcmp(word, "in-place") == 0)
            w->in_place = true;
        else if (strcmp(word, "lent-elsewhere") == 0)
            w->lent_elsewhere = true;
        else if (strcmp(word, "twin") != 0 || sscanf(rest, "%ld", &w->twin_s) != 1)
            return -1;
        else
            (void)strtok_r(NULL, " ", &rest);
    }
    return 0;
}

static int read_line(struct world *w, char *line, char about[120])
{
    char word[32] = "", arg[32] = "";
    int used = 0;

    if (line[0] == '#' || sscanf(line, "%31s %n", word, &used) != 1)
        return 0;
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(word, "about") == 0) {
        (void)snprintf(about, 120, "%s", line + used);
        return 0;
    }
    if (strcmp(word, "request") == 0)
        return read_request(w, line + used);
    if (strcmp(word, "device") == 0)
        return read_device(w, line + used);
    if (strcmp(word, "many") == 0)
        return read_many(w, line + used);
    if (strcmp(word, "plain") == 0)
        return w->plain = true, 0;
    if (strcmp(word, "step") == 0)
        return w->step_between = strstr(line + used, "between") != NULL,
               sscanf(line + used, "%ld", &w->step_s) == 1 ? 0 : -1;
    if (strcmp(word, "clock") == 0)
        return sscanf(line + used, "%ld", &w->clock_s) == 1 ? 0 : -1;
    if (strcmp(word, "heartbeat") == 0)
        return w->heartbeat = true, 0;
    if (strcmp(word, "restore") == 0)
        return read_restore(w, line + used);
    if (strcmp(word, "restarts") == 0)
        return sscanf(line + used, "%zu", &w->restarts) == 1 ? 0 : -1;
    if (strcmp(word, "lease") == 0)
        return sscanf(line + used, "%ld", &w->lease_s) == 1 ? 0 : -1;
    if (strcmp(word, "mood") == 0 && sscanf(line + used, "%31s %zu", arg, &w->pend_polls) >= 1)
        for (size_t i = 0; i < sizeof moods / sizeof moods[0]; i++)
            if (strcmp(arg, moods[i]) == 0) {
                w->mood = (enum ca_mood)i;
                return 0;
            }
    return -1;
}

int scenario_read(const char *path, struct world *w, char about[120])
{
    FILE *f = fopen(path, "r");
    char line[512];
    int rc = 0;

    world_reset(w); /* what the last one left */
    memset(w, 0, sizeof *w);
    w->lease_s = 600;
    if (f == NULL) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        return -1;
    }
    while (rc == 0 && fgets(line, sizeof line, f) != NULL)
        if ((rc = read_line(w, line, about)) != 0)
            (void)fprintf(stderr, "%s: not understood: %s\n", path, line);
    (void)fclose(f);
    return rc;
}
