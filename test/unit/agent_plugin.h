#ifndef TEST_UNIT_AGENT_PLUGIN_H
#define TEST_UNIT_AGENT_PLUGIN_H
/* agent_plugin.h - plugins of test/plugins, loaded into an agent that has no more than they need. */
#include <stdlib.h>
#include "agent/base/clock.h"
#include "agent/challenge/plugin_inner.h"
#include "test/live/fetch.h"
#include "test/plugins/probe.h"

enum { PLUGIN_SETTINGS_MAX = 8 };

static struct agent agent;
static struct conf_plugin section;
static char *settings[PLUGIN_SETTINGS_MAX], *secrets[PLUGIN_SETTINGS_MAX];
static const struct server_answer plugin_no_answers[] = { { NULL, NULL, THEN_KEEP, 0 } };

/* Beside the test's program, where the Makefile puts them. */
static inline void test_plugin(const char *name, char *out, size_t size)
{
    char self[300];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    assert_true(n > 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    (void)snprintf(out, size, "%s/../test/plugins/%s.so", self, name);
}

/* A copy in the test's folder, with this mode. */
static inline const char *plugin_copy(const char *name, unsigned mode)
{
    static char from[400];
    struct buf b = BUF_INIT(16 << 20);
    uint8_t piece[8192];
    char to[60];
    ssize_t n;
    int fd;

    test_plugin(name, from, sizeof from);
    fd = open(from, O_RDONLY);
    if (fd < 0)
        fail_msg("%s is not there", from);
    while ((n = read(fd, piece, sizeof piece)) > 0)
        buf_add(&b, piece, (size_t)n);
    (void)close(fd);
    (void)snprintf(to, sizeof to, "%s.so", name);
    dir_put(to, b.p, b.len, mode);
    buf_free(&b);
    return dir_path(to);
}

static inline void plugin_setting(const char *entry)
{
    assert_true(section.settings.count < PLUGIN_SETTINGS_MAX);
    section.settings.at = settings;
    settings[section.settings.count++] = (char *)(uintptr_t)entry;
}

static inline void plugin_secret(const char *entry)
{
    assert_true(section.secrets.count < PLUGIN_SETTINGS_MAX);
    section.secrets.at = secrets;
    secrets[section.secrets.count++] = (char *)(uintptr_t)entry;
}

static inline struct plugin *plugin_opened(const char *name)
{
    struct err e = { 0 };
    char path[DIR_PATH_LEN];
    struct plugin *p;

    (void)snprintf(path, sizeof path, "%s", plugin_copy(name, 0644));
    section.path = path;
    if ((p = plugin_open(&agent, &section, &e)) == NULL)
        fail_msg("%s: %s", name, e.msg);
    return p;
}

static inline int plugin_begin(void **state)
{
    struct err e = { 0 };

    (void)state;
    if (fetch_begin(plugin_no_answers) != 0)
        return -1;
    clock_start();
    agent = (struct agent){ .lib = lib_new(&e) };
    section = (struct conf_plugin){ .name = (char *)(uintptr_t) "gate",
        .timeout = 5,
        .memory_mib = 64,
        .trust = strdup(dir_path("root.pem")) };
    return agent.lib != NULL ? 0 : -1;
}

static inline int plugin_end(void **state)
{
    (void)state;
    free(section.trust);
    store_close(agent.store);
    lib_free(agent.lib);
    return fetch_end();
}

#define PLUGIN_TEST(fn) cmocka_unit_test_setup_teardown(fn, plugin_begin, plugin_end)
#endif
