/* Listening sockets that outlive the program: which one is whose. */
#include "test/t.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "agent/io/io_listen_inner.h"

static unsigned port_of(int fd)
{
    struct sockaddr_in a = { 0 };
    socklen_t len = sizeof a;

    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    return ntohs(a.sin_port);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* Two at port 0, which only their names tell apart; one renamed; one new. */
static void handed_on(void **state)
{
    char text[8192];
    struct err e;
    int plain, tls, other, fds[4];
    unsigned ports[3];

    (void)state;
    plain = io_listen_socket("plain", "127.0.0.1:0", &e);
    tls = io_listen_socket("tls", "127.0.0.1:0", &e);
    other = io_listen_socket("old name", "127.0.0.2:0", &e);
    assert_true(plain >= 0 && tls >= 0 && other >= 0);
    ports[0] = port_of(plain), ports[1] = port_of(tls), ports[2] = port_of(other);
    T_OK(io_kept_want("tls", "127.0.0.1:0", &e));
    T_OK(io_kept_want("plain", "127.0.0.1:0", &e));
    T_OK(io_kept_want("new name", "127.0.0.2:0", &e));
    T_OK(io_kept_want("new", "127.0.0.1:0", &e));
    assert_true(io_kept_text(text, sizeof text));
    (void)close(plain), (void)close(tls), (void)close(other);

    io_kept_left(text);
    fds[0] = io_kept_take("plain", "127.0.0.1:0");
    fds[1] = io_kept_take("tls", "127.0.0.1:0");
    fds[2] = io_kept_take("new name", "127.0.0.2:0");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(port_of(fds[i]), ports[i]);
        assert_int_equal(fcntl(fds[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    }
    assert_int_equal(io_kept_take("plain", "127.0.0.3:0"), -1); /* another address */
    fds[3] = fds[2] + 1;
    assert_true(is_open(fds[3])); /* the new one, which nobody takes */
    io_kept_close();
    assert_false(is_open(fds[3]));
    assert_true(is_open(fds[0]));
    assert_int_equal(io_kept_take("new", "127.0.0.1:0"), -1); /* each once */
    for (int i = 0; i < 3; i++)
        (void)close(fds[i]);
    io_kept_closed(plain), io_kept_closed(tls), io_kept_closed(other);
}

static void a_wrong_address_is_known_before(void **state)
{
    char address[40], text[8192];
    struct err e;
    int fd = io_listen_bind("127.0.0.1:0", &e);

    (void)state;
    assert_true(fd >= 0);
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", port_of(fd));
    T_OK(io_kept_want("good", "127.0.0.1:0", &e));
    T_ERR_SAYS(io_kept_want("taken", address, &e), ERR_NET, "listen taken");
    T_ERR_SAYS(io_kept_want("odd", "nowhere", &e), ERR_CONFIG, "listen odd");
    io_kept_forget();
    assert_true(io_kept_text(text, sizeof text));
    assert_string_equal(text, "");
    (void)close(fd);
}

static void nonsense_is_left_alone(void **state)
{
    static const char *const texts[] = { "", "x", "5", "5\t\t\n", "\n\n", "5\taddress\n" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        io_kept_left(texts[i]);
        assert_int_equal(io_kept_take("plain", "address"), -1);
    }
    io_kept_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handed_on),
        cmocka_unit_test(a_wrong_address_is_known_before),
        cmocka_unit_test(nonsense_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
