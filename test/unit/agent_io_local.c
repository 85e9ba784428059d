/* The control socket: one line in, one document out, from both of its ends. */
#include "test/t.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "agent/control/control.h"
#include "agent/io/io_local.h"
#include "agent/io/io_uv.h"
#include "test/unit/agent_dir.h"

enum { REQUEST_MAX = 128 << 10, CLIENTS_MAX = 8, SILENCE_MS = 5000 };

static struct buf asked = BUF_INIT(1 << 20);
static int answered;
static size_t answer_len; /* 0: the request itself */
static atomic_int finished;
static int wanted;

static void on_request(void *arg, struct view request, struct buf *reply)
{
    assert_ptr_equal(arg, &answered);
    answered++;
    buf_reset(&asked);
    buf_add_view(&asked, request);
    if (answer_len == 0)
        buf_add_view(reply, request);
    for (size_t i = 0; i < answer_len; i++)
        buf_add_byte(reply, (uint8_t)('a' + i % 23));
}

static int begin(void **state)
{
    struct err e;

    answered = wanted = 0;
    answer_len = 0;
    atomic_store(&finished, 0);
    if (dir_make(state) != 0 || io_open(1, &e) != 0)
        return -1;
    return io_local_open(dir_path("control.sock"), on_request, &answered, &e);
}

static int end(void **state)
{
    io_local_close();
    io_local_close(); /* nothing to do is fine */
    io_close();       /* aborts if a handle was leaked */
    buf_free(&asked);
    return dir_remove(state);
}

/* ---- clients ---- */

struct client {
    pthread_t thread;
    const char *request;
    size_t len, got;
    bool byte_by_byte, hang_up, ok;
    char last;
};

static int dial(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", dir_path("control.sock"));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void *talk(void *arg)
{
    struct client *c = arg;
    char piece[65536];
    int fd = dial();
    ssize_t n;

    c->ok = fd >= 0;
    for (size_t at = 0; c->ok && at < c->len;) {
        n = send(fd, c->request + at, c->byte_by_byte ? 1 : c->len - at, MSG_NOSIGNAL);
        c->ok = n > 0;
        at += n > 0 ? (size_t)n : 0;
    }
    while (c->ok && !c->hang_up && (n = recv(fd, piece, sizeof piece, 0)) > 0) {
        c->got += (size_t)n;
        c->last = piece[n - 1];
    }
    (void)close(fd);
    atomic_fetch_add(&finished, 1);
    return NULL;
}

static void on_look(void *arg, const struct result *r)
{
    int *left = arg;

    (void)r;
    if (atomic_load(&finished) < wanted && --*left > 0)
        assert_non_null(io_timer(5, on_look, left));
    else
        io_stop();
}

/* Run the loop until all clients are done. */
static void serve(int clients)
{
    int left = 4000;

    wanted += clients;
    assert_non_null(io_timer(1, on_look, &left));
    io_run();
    assert_int_equal(atomic_load(&finished), wanted);
}

static void one(struct client *c)
{
    assert_int_equal(pthread_create(&c->thread, NULL, talk, c), 0);
    serve(1);
    (void)pthread_join(c->thread, NULL);
}

static void question_and_answer(void **state)
{
    struct client c = { .request = "{\"command\":\"status\"}\n", .len = 21 };
    struct stat st;

    (void)state;
    assert_int_equal(stat(dir_path("control.sock"), &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
    for (int i = 1; i <= 3; i++) {
        c.byte_by_byte = i == 2;
        c.got = 0;
        one(&c);
        assert_int_equal(answered, i);
        assert_true(view_equal(buf_view(&asked), view_text(c.request)));
        assert_int_equal(c.got, 22); /* the answer, a newline, and the end */
        assert_int_equal(c.last, '\n');
    }
}

static void a_long_answer(void **state)
{
    struct client c = { .request = "x\n", .len = 2 };

    (void)state;
    answer_len = 5000000;
    one(&c);
    assert_int_equal(c.got, answer_len + 1);
}

static void as_long_as_may_be_and_longer(void **state)
{
    static char text[REQUEST_MAX + 2];
    struct client c = { .request = text, .len = REQUEST_MAX };

    (void)state;
    memset(text, 'x', sizeof text);
    text[REQUEST_MAX - 1] = '\n';
    one(&c);
    assert_int_equal(answered, 1);
    assert_int_equal(c.got, REQUEST_MAX + 1);
    text[REQUEST_MAX - 1] = 'x';
    text[REQUEST_MAX] = '\n';
    c.len = REQUEST_MAX + 1;
    c.got = 0;
    one(&c);
    assert_int_equal(answered, 1); /* cut without an answer */
    assert_int_equal(c.got, 0);
}

/* Those who hang up before or within their answer harm nobody. */
static void clients_that_hang_up(void **state)
{
    struct client gone = { .request = "x\n", .len = 2, .hang_up = true };
    struct client half = { .request = "no newline", .len = 10, .hang_up = true };
    struct client good = { .request = "x\n", .len = 2 };

    (void)state;
    answer_len = 3000000;
    for (int i = 0; i < 5; i++) {
        one(&gone);
        one(&half);
    }
    one(&good);
    assert_int_equal(good.got, answer_len + 1);
}

static void several_at_once(void **state)
{
    struct client c[CLIENTS_MAX];

    (void)state;
    answer_len = 500000;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        c[i] = (struct client){ .request = "x\n", .len = 2 };
        assert_int_equal(pthread_create(&c[i].thread, NULL, talk, &c[i]), 0);
    }
    serve(CLIENTS_MAX);
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        (void)pthread_join(c[i].thread, NULL);
        assert_int_equal(c[i].got, answer_len + 1);
    }
}

static void on_time(void *arg, const struct result *r)
{
    (void)arg;
    (void)r;
    io_stop();
}

static void run_for(uint64_t ms)
{
    assert_non_null(io_timer(ms, on_time, NULL));
    io_run();
}

static bool is_closed(int fd)
{
    char c;

    return recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

/* The machine may be busy: it is given time, not a number of turns. */
static bool closes(int fd)
{
    for (int i = 0; i < 1000 && !is_closed(fd); i++)
        run_for(5);
    return is_closed(fd);
}

static void no_more_than_eight(void **state)
{
    struct client c = { .request = "x\n", .len = 2 };
    int fds[CLIENTS_MAX + 1];

    (void)state;
    for (size_t i = 0; i <= CLIENTS_MAX; i++) {
        fds[i] = dial();
        assert_true(fds[i] >= 0);
        run_for(5);
    }
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        assert_false(is_closed(fds[i]));
    assert_true(closes(fds[CLIENTS_MAX]));
    (void)close(fds[0]); /* one leaves: there is a place again */
    run_for(5);
    one(&c);
    assert_int_equal(c.got, 3);
    for (size_t i = 1; i <= CLIENTS_MAX; i++)
        (void)close(fds[i]);
}

static void hasten(uv_handle_t *h, void *arg)
{
    uv_timer_t *t = (uv_timer_t *)h;
    int *hastened = arg;

    if (h->type != UV_TIMER || !uv_is_active(h) || uv_timer_get_due_in(t) < 1000)
        return;
    assert_in_range(uv_timer_get_due_in(t), SILENCE_MS - 2500, SILENCE_MS);
    assert_int_equal(uv_timer_start(t, t->timer_cb, 20, 0), 0);
    ++*hastened;
}

/* Five seconds of silence; the test does not wait that long. */
static void a_silent_client_is_cut(void **state)
{
    int fd = dial(), hastened = 0;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(send(fd, "half a requ", 11, MSG_NOSIGNAL), 11);
    run_for(20);
    assert_false(is_closed(fd));
    uv_walk(&io_loop, hasten, &hastened);
    assert_int_equal(hastened, 1);
    assert_true(closes(fd));
    assert_int_equal(answered, 0);
    (void)close(fd);
}

static void closed_with_clients(void **state)
{
    int fd = dial();

    (void)state;
    run_for(10);
    io_local_close();
    assert_int_equal(access(dir_path("control.sock"), F_OK), -1); /* gone with the service */
    assert_true(closes(fd));
    assert_int_equal(dial(), -1);
    (void)close(fd);
}

static void what_cannot_be_opened(void **state)
{
    char longest[200];
    struct err e = { 0 };
    int fd;

    (void)state;
    io_local_close();
    run_for(5);
    T_ERR_SAYS(io_local_open(dir_path("none/control.sock"), on_request, &answered, &e), ERR_CONFIG,
        "none/control.sock");
    run_for(5);
    (void)snprintf(longest, sizeof longest, "%s/%0*d", dir_root, 120, 1);
    T_ERR_SAYS(io_local_open(longest, on_request, &answered, &e), ERR_CONFIG, "0000");
    dir_write("control.sock", "a file that a dead service left", 0600);
    T_OK(io_local_open(dir_path("control.sock"), on_request, &answered, &e));
    fd = dial();
    assert_true(fd >= 0);
    (void)close(fd);
}

/* ---- the asking side ---- */

struct asking {
    pthread_t thread;
    struct buf reply;
    struct err e;
    int rc;
};

static void *ask(void *arg)
{
    struct asking *a = arg;

    a->rc = control_ask(dir_root, view_text("{\"command\":\"status\"}"), &a->reply, &a->e);
    atomic_fetch_add(&finished, 1);
    return NULL;
}

static void a_command_asks_the_service(void **state)
{
    struct asking a = { .reply = BUF_INIT(1 << 20) };

    (void)state;
    assert_int_equal(pthread_create(&a.thread, NULL, ask, &a), 0);
    serve(1);
    (void)pthread_join(a.thread, NULL);
    assert_int_equal(a.rc, 0);
    assert_string_equal(buf_text(&a.reply), "{\"command\":\"status\"}\n\n");
    assert_true(view_equal(buf_view(&asked), view_text("{\"command\":\"status\"}\n")));
    answer_len = 2 << 20; /* more than the asker takes */
    buf_reset(&a.reply);
    assert_int_equal(pthread_create(&a.thread, NULL, ask, &a), 0);
    serve(1);
    (void)pthread_join(a.thread, NULL);
    assert_int_equal(a.rc, -1);
    assert_int_equal(a.e.cls, ERR_TOO_LARGE);
    buf_free(&a.reply);
}

static void a_command_without_a_service(void **state)
{
    struct asking a = { .reply = BUF_INIT(1000) };
    char dir[200];
    int fd;

    (void)state;
    io_local_close();
    (void)ask(&a);
    assert_int_equal(a.rc, -1);
    assert_int_equal(a.e.cls, ERR_GONE);
    fd = socket(AF_UNIX, SOCK_STREAM, 0); /* a socket that nobody listens to any more */
    struct sockaddr_un un = { .sun_family = AF_UNIX };

    (void)snprintf(un.sun_path, sizeof un.sun_path, "%s", dir_path("control.sock"));
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    (void)close(fd);
    (void)ask(&a);
    assert_int_equal(a.e.cls, ERR_GONE);
    (void)snprintf(dir, sizeof dir, "%s/%0*d", dir_root, 120, 1);
    a.rc = control_ask(dir, view_text("x"), &a.reply, &a.e);
    assert_int_equal(a.e.cls, ERR_CONFIG);
    assert_non_null(strstr(a.e.msg, "too long for a socket"));
    assert_int_equal(a.reply.len, 0);
}

static void *hang_up(void *arg)
{
    int fd = accept(*(int *)arg, NULL, NULL);
    char c[100];

    (void)!read(fd, c, sizeof c);
    (void)close(fd);
    return NULL;
}

static void a_service_that_ends_while_asked(void **state)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    struct asking a = { .reply = BUF_INIT(1000) };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    pthread_t thread;

    (void)state;
    io_local_close();
    (void)snprintf(un.sun_path, sizeof un.sun_path, "%s", dir_path("control.sock"));
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(pthread_create(&thread, NULL, hang_up, &fd), 0);
    (void)ask(&a);
    (void)pthread_join(thread, NULL);
    assert_int_equal(a.rc, -1);
    assert_int_equal(a.e.cls, ERR_NET);
    (void)close(fd);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(question_and_answer),
        TEST(a_long_answer),
        TEST(as_long_as_may_be_and_longer),
        TEST(clients_that_hang_up),
        TEST(several_at_once),
        TEST(no_more_than_eight),
        TEST(a_silent_client_is_cut),
        TEST(closed_with_clients),
        TEST(what_cannot_be_opened),
        TEST(a_command_asks_the_service),
        TEST(a_command_without_a_service),
        TEST(a_service_that_ends_while_asked),
    };

    return cmocka_run_group_tests_name("agent_io_local", tests, NULL, NULL);
}
