#ifndef TEST_PLUGINS_SHELL_H
#define TEST_PLUGINS_SHELL_H
#include "agent/certferry_plugin.h"

/* shell.h - the least that is a plugin, with one member spoilt: SHELL_TABLE(.abi = 2). */
static int shell_open(const struct certferry_host *host, void **self, char *why, size_t why_size)
{
    (void)host, (void)self, (void)why, (void)why_size;
    return 0;
}

static void shell_close(void *self)
{
    (void)self;
}

static void shell_verify(void *self, const struct certferry_request *r,
    const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v)
{
    (void)self, (void)r, (void)reply, (void)round;
    v->answer = CERTFERRY_ALLOW;
}

/* clang-format off */
#define SHELL_TABLE(...)                                                                       \
    static struct certferry_plugin table;                                                      \
    const struct certferry_plugin *certferry_plugin_v1(void)                                   \
    {                                                                                          \
        table = (struct certferry_plugin){ .abi = CERTFERRY_PLUGIN_ABI, .size = sizeof table,  \
            .name = "shell", .version = "1", .open = shell_open, .close = shell_close,         \
            .verify = shell_verify };                                                          \
        __VA_ARGS__;                                                                           \
        return &table;                                                                         \
    }
/* clang-format on */
#endif
