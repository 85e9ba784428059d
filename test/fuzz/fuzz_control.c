/* Target functions: control_answer: what the control socket is asked, over an empty store. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "agent/agent.h"
#include "agent/base/log.h"
#include "agent/control/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct agent a;
static struct conf conf;
static char dir[] = "/tmp/certferry-fuzz.XXXXXX";

static void clean_up(void)
{
    static const char *const names[] = { "certferry.db", "backup", "backup.partial" };
    char path[100];

    store_close(a.store);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
}

static void start(void)
{
    struct err e;

    log_open(LOG_JSON, LOG_LEVEL_SILENT);
    if (mkdtemp(dir) == NULL || (a.store = store_open(dir, false, &e)) == NULL)
        abort();
    conf.store.dir = dir;
    a.conf = &conf;
    (void)atexit(clean_up);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf reply = BUF_INIT(1 << 20);

    if (a.store == NULL)
        start();
    control_answer(&a, view_of(data, len), &reply);
    buf_free(&reply);
    return 0;
}
