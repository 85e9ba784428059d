/* see cli.h.  A small table for people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/cli/cli.h"
#include "certs/mem.h"

struct cli_table {
    size_t columns, rows, room;
    char **cells;
};

struct cli_table *cli_table_new(const char *const *heads, size_t columns)
{
    struct cli_table *t = xcalloc(1, sizeof *t);

    t->columns = columns;
    cli_table_row(t, heads);
    return t;
}

void cli_table_row(struct cli_table *t, const char *const *cells)
{
    if (t->rows == t->room) {
        char **more = xcalloc((t->room * 2 + 16) * t->columns, sizeof *more);

        if (t->rows > 0)
            memcpy(more, t->cells, t->rows * t->columns * sizeof *more);
        free(t->cells);
        t->cells = more;
        t->room = t->room * 2 + 16;
    }
    for (size_t i = 0; i < t->columns; i++)
        t->cells[t->rows * t->columns + i] = xstrdup(cells[i] != NULL ? cells[i] : "");
    t->rows++;
}

void cli_table_print(struct cli_table *t)
{
    for (size_t r = 0; r < t->rows; r++) {
        for (size_t i = 0; i < t->columns; i++) {
            size_t width = 0;

            for (size_t k = 0; k < t->rows; k++)
                if (strlen(t->cells[k * t->columns + i]) > width)
                    width = strlen(t->cells[k * t->columns + i]);
            if (i + 1 < t->columns)
                (void)printf("%-*s  ", (int)width, t->cells[r * t->columns + i]);
            else
                (void)printf("%s\n", t->cells[r * t->columns + i]);
        }
    }
    cli_table_free(t);
}

void cli_table_free(struct cli_table *t)
{
    for (size_t i = 0; i < t->rows * t->columns; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t);
}

const char *cli_ago(int64_t at, int64_t now, char *out, size_t size)
{
    long long s = at > now ? at - now : now - at;

    if (at == 0)
        (void)snprintf(out, size, "-");
    else if (s < 120)
        (void)snprintf(out, size, "%lld s", s);
    else if (s < 7200)
        (void)snprintf(out, size, "%lld min", s / 60);
    else if (s < 172800)
        (void)snprintf(out, size, "%lld h %lld min", s / 3600, s / 60 % 60);
    else
        (void)snprintf(out, size, "%lld d %lld h", s / 86400, s / 3600 % 24);
    return out;
}
