/* What the service manager is told, on a socket of this test. */
#include "test/t.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "agent/service/notify.h"
#include "test/unit/agent_dir.h"

static int listener = -1;

static void listen_at(const char *name, size_t len)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    memcpy(a.sun_path, name, len);
    listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(
        bind(listener, (struct sockaddr *)&a,
            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] != '\0' ? 1 : 0))),
        0);
}

static const char *heard(void)
{
    static char text[1024];
    ssize_t n = recv(listener, text, sizeof text - 1, 0);

    text[n > 0 ? (size_t)n : 0] = '\0';
    return text;
}

static void set(const char *socket, const char *usec, const char *pid)
{
    (void)(socket != NULL ? setenv("NOTIFY_SOCKET", socket, 1) : unsetenv("NOTIFY_SOCKET"));
    (void)(usec != NULL ? setenv("WATCHDOG_USEC", usec, 1) : unsetenv("WATCHDOG_USEC"));
    (void)(pid != NULL ? setenv("WATCHDOG_PID", pid, 1) : unsetenv("WATCHDOG_PID"));
    notify_open();
}

static int close_listener(void **state)
{
    (void)state;
    if (listener >= 0)
        (void)close(listener);
    listener = -1;
    return 0;
}

static void messages(void **state)
{
    const char *path = dir_path("notify");

    (void)state;
    listen_at(path, strlen(path));
    set(path, NULL, NULL);
    assert_true(notify_wanted());
    notify_ready("2 CAs");
    assert_string_equal(heard(), "READY=1\nSTATUS=2 CAs\n");
    notify_stopping("finishing");
    assert_string_equal(heard(), "STOPPING=1\nSTATUS=finishing\n");
    notify_alive();
    assert_string_equal(heard(), "WATCHDOG=1\n");
    notify_status("%d delivered", 3);
    assert_string_equal(heard(), "STATUS=3 delivered\n");
    notify_reloading("a while");
    assert_memory_equal(heard(), "RELOADING=1\nMONOTONIC_USEC=", 27);
    notify_status("%s", "two\nREADY=1 lines"); /* a text is no variable */
    assert_string_equal(heard(), "STATUS=two?READY=1 lines\n");
}

static void abstract_names(void **state)
{
    char name[80];
    int len = snprintf(name, sizeof name, "@certferry-unit-%ld", (long)getpid());

    (void)state;
    name[0] = '\0';
    listen_at(name, (size_t)len);
    name[0] = '@';
    set(name, NULL, NULL);
    notify_alive();
    assert_string_equal(heard(), "WATCHDOG=1\n");
}

static void nobody_listens(void **state)
{
    static const char *const none[] = { NULL, "", "@", "/", "relative", "vsock:2:1" };
    char longer[400];

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        set(none[i], "1000000", NULL);
        assert_false(notify_wanted());
        assert_int_equal(notify_watchdog_ms(), 0);
        notify_ready("nobody hears it");
    }
    memset(longer, 'a', sizeof longer);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    set(longer, NULL, NULL);
    assert_false(notify_wanted());
    set(dir_path("nobody"), NULL, NULL);
    notify_ready("nor this"); /* wanted, and lost */
}

static void the_watchdog(void **state)
{
    static const struct {
        const char *usec;
        bool ours, none;
        uint64_t ms;
    } rows[] = {
        { "60000000", false, true, 60000 },
        { "60000000", true, false, 60000 },
        { "60000000", false, false, 0 }, /* another process is meant */
        { "1999", false, true, 1 },
        { "999", false, true, 0 },
        { "0", false, true, 0 },
        { "-1", false, true, 0 },
        { "60s", false, true, 0 },
        { "", false, true, 0 },
        { "99999999999999999999999", false, true, 0 },
    };
    char pid[32];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(pid, sizeof pid, "%ld", (long)getpid() + (rows[i].ours ? 0 : 1));
        set("/run/notify", rows[i].usec, rows[i].none ? NULL : pid);
        assert_int_equal(notify_watchdog_ms(), rows[i].ms);
    }
}

static void children_have_none_of_it(void **state)
{
    const char *const *e;

    (void)state;
    set("/run/notify", "60000000", "12");
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_null(getenv("WATCHDOG_USEC"));
    assert_null(getenv("WATCHDOG_PID"));
    e = notify_environment();
    assert_string_equal(e[0], "NOTIFY_SOCKET=/run/notify");
    assert_string_equal(e[1], "WATCHDOG_USEC=60000000");
    assert_string_equal(e[2], "WATCHDOG_PID=12");
    assert_null(e[3]);
    set(NULL, NULL, NULL);
    assert_null(notify_environment()[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(messages, close_listener),
        cmocka_unit_test_teardown(abstract_names, close_listener),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(the_watchdog),
        cmocka_unit_test(children_have_none_of_it),
    };
    return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
