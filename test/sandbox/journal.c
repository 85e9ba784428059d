/* see journal.h */
#include "test/sandbox/journal.h"
#include "test/sandbox/scan.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct journal {
    pthread_mutex_t lock;
    FILE *file;
};

struct journal *journal_open(const char *file, char *why, size_t why_room)
{
    struct journal *j = need(calloc(1, sizeof *j));

    j->file = fopen(file, "ae");
    if (j->file == NULL) {
        snprintf(why, why_room, "%s: %s", file, strerror(errno));
        free(j);
        return NULL;
    }
    pthread_mutex_init(&j->lock, NULL);
    return j;
}

void journal_close(struct journal *j)
{
    if (j == NULL)
        return;
    fclose(j->file);
    pthread_mutex_destroy(&j->lock);
    free(j);
}

void journal_flush(struct journal *j)
{
    if (j == NULL)
        return;
    pthread_mutex_lock(&j->lock);
    fflush(j->file);
    pthread_mutex_unlock(&j->lock);
}

/* One line: what is white space between the parts of JSON may be a line end. */
static void put_body(struct str *line, const struct str *body)
{
    size_t from = line->len;

    str_add(line, body->p, body->len);
    for (size_t i = from; i < line->len; i++) {
        if (line->p[i] == '\n' || line->p[i] == '\r')
            line->p[i] = ' ';
    }
}

void journal_add(struct journal *j, const char *path, int status, const struct str *body)
{
    struct str line = { 0 };

    if (j == NULL || body->len == 0 || !scan_json(body->p, body->len, NULL, NULL, 0, NULL))
        return;
    str_puts(&line, "{\"path\":");
    str_json(&line, path);
    if (status == 0)
        str_puts(&line, ",\"direction\":\"request\",\"body\":");
    else
        str_f(&line, ",\"direction\":\"response\",\"status\":%d,\"body\":", status);
    put_body(&line, body);
    str_puts(&line, "}\n");
    pthread_mutex_lock(&j->lock);
    fwrite(line.p, 1, line.len, j->file);
    pthread_mutex_unlock(&j->lock);
    str_free(&line);
}
