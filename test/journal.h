#ifndef TEST_JOURNAL_H
#define TEST_JOURNAL_H
#include "proto/json.h"
#include <stdio.h>
#include <stdlib.h>

/*
 * journal.h - with CCP_JOURNAL=file a test adds every CCP message it makes or takes to that file, one
 * JSON object a line; test/tools/openapi-check.mjs holds them against proto/ccp.openapi.yaml.
 */
static inline void journal(const char *path, const char *direction, int status, struct view body)
{
    const char *file = getenv("CCP_JOURNAL");
    struct buf line = BUF_INIT(8 << 20);
    struct json_out o = { .to = &line };
    FILE *f;

    if (file == NULL || (f = fopen(file, "ab")) == NULL)
        return;
    json_open(&o, NULL, '{');
    json_put_text(&o, "path", path);
    json_put_text(&o, "direction", direction);
    json_put_int(&o, "status", status);
    json_put_raw(&o, "body", body);
    json_close(&o, '}');
    buf_add_byte(&line, '\n');
    (void)fwrite(line.p, 1, line.len, f);
    (void)fclose(f);
    buf_free(&line);
}
#endif
