/* see commands.h: `table DIR`, the run as a table for people */
#include "test/sandbox/commands.h"
#include "test/sandbox/options.h"
#include "test/sandbox/story.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 9 };

static const char *const heads[COLUMNS] = { "request", "subject", "CA", "key", "platform", "serial",
    "profile", "ms", "device" };

static void cell(struct str *out, const char *text, size_t room, bool last)
{
    size_t have = utf8_len(text);

    str_puts(out, text);
    for (; !last && have < room + 2; have++)
        str_puts(out, " ");
}

static const char *or_dash(const char *text)
{
    return text == NULL ? "-" : text;
}

static const char *device_says(const struct story *s, const struct story_request *r)
{
    switch (story_end(s, r)) {
    case ENDED_DELIVERED:
        return r->verdict == NULL ? "nothing" : r->verdict;
    case ENDED_DENIED:
        return "(denied by the CA)";
    case ENDED_OPEN:
        return "(open)";
    case ENDED_UNFIT:
        return "(not what was asked for)";
    case ENDED_LOST:
        return "(lost)";
    default:
        return r->error_code == NULL ? "(failed)" : r->error_code;
    }
}

static void row_of(const struct story *s, const struct story_request *r, char buffer[2][32],
    const char *row[COLUMNS])
{
    snprintf(buffer[0], sizeof buffer[0], "%.8s", r->id);
    snprintf(buffer[1], sizeof buffer[1], "%" PRId64, r->ms);
    row[0] = buffer[0];
    row[1] = r->cn;
    row[2] = or_dash(r->ca);
    row[3] = or_dash(r->key);
    row[4] = or_dash(r->platform);
    row[5] = or_dash(r->succeeded ? r->serial : NULL);
    row[6] = or_dash(r->profile);
    row[7] = r->final ? buffer[1] : "-";
    row[8] = device_says(s, r);
}

static void line_out(const char *const row[COLUMNS], const size_t room[COLUMNS])
{
    struct str line = { 0 };

    for (size_t i = 0; i < COLUMNS; i++)
        cell(&line, row[i], room[i], i == COLUMNS - 1);
    puts(line.p);
    str_free(&line);
}

static void totals(const struct story *s)
{
    size_t ends[STORY_ENDS] = { 0 };

    for (size_t i = 0; i < s->requests; i++)
        ends[story_end(s, s->request[i])]++;
    printf("\n%zu requested, %zu delivered, %zu denied", s->requests, ends[ENDED_DELIVERED],
        ends[ENDED_DENIED]);
    if (ends[ENDED_FAILED] > 0)
        printf(", %zu failed", ends[ENDED_FAILED]);
    if (ends[ENDED_UNFIT] > 0)
        printf(", %zu unfit", ends[ENDED_UNFIT]);
    if (ends[ENDED_OPEN] > 0)
        printf(", %zu open", ends[ENDED_OPEN]);
    printf(", %zu lost\n", ends[ENDED_LOST]);
}

static void print(const struct story *s)
{
    const char *row[COLUMNS];
    char buffer[2][32];
    size_t room[COLUMNS];

    for (size_t c = 0; c < COLUMNS; c++)
        room[c] = utf8_len(heads[c]);
    for (size_t i = 0; i < s->requests; i++) {
        row_of(s, s->request[i], buffer, row);
        for (size_t c = 0; c < COLUMNS; c++) {
            if (utf8_len(row[c]) > room[c])
                room[c] = utf8_len(row[c]);
        }
    }
    line_out(heads, room);
    for (size_t i = 0; i < s->requests; i++) {
        row_of(s, s->request[i], buffer, row);
        line_out(row, room);
    }
    totals(s);
}

int cmd_table(int argc, char **argv)
{
    struct story s = { 0 };
    char why[DIR_WHY] = "";
    bool ok;

    if (argc != 1) {
        usage();
        return 2;
    }
    ok = story_read(argv[0], &s, why);
    if (ok)
        print(&s);
    else
        fprintf(stderr, "certferry-sandbox: %s\n", why);
    story_done(&s);
    return ok ? 0 : 1;
}
