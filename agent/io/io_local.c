/* see io_local.h */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/io/io_local.h"
#include "agent/io/io_uv.h"
#include "certs/mem.h"

enum {
    PATH_MOST = 107 /* unix(7) */,
    CLIENTS_MAX = 8,
    REQUEST_MAX = 128 << 10,
    REPLY_MAX = 64 << 20,
    SILENCE_MS = 5000
};

struct client {
    uv_pipe_t pipe;
    uv_timer_t timer;
    uv_write_t write;
    struct buf in, out;
    int open_handles;
    struct client *next;
};

static uv_pipe_t listener;
static bool listening;
static char *socket_path;
static io_local_fn *answer;
static void *answer_arg;
static struct client *clients;
static size_t client_count;
static int64_t peer = -1; /* who asks what is being answered */

static void on_closed(uv_handle_t *h)
{
    struct client *c = h->data;

    if (--c->open_handles > 0)
        return;
    buf_free(&c->in);
    buf_free(&c->out);
    free(c);
}

static void drop(struct client *c)
{
    struct client **p = &clients;

    if (uv_is_closing((uv_handle_t *)&c->pipe))
        return;
    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    client_count--;
    uv_close((uv_handle_t *)&c->pipe, on_closed);
    uv_close((uv_handle_t *)&c->timer, on_closed);
}

static void on_silence(uv_timer_t *t)
{
    drop(t->data);
}

static void on_written(uv_write_t *w, int status)
{
    (void)status;
    drop(w->data);
}

static void on_alloc(uv_handle_t *h, size_t wanted, uv_buf_t *out)
{
    static char piece[8192]; /* one read at a time, consumed before the next */

    (void)h;
    (void)wanted;
    *out = uv_buf_init(piece, sizeof piece);
}

static int64_t uid_of(const uv_pipe_t *pipe)
{
    struct ucred who = { .uid = (uid_t)-1 };
    socklen_t len = sizeof who;
    uv_os_fd_t fd;

    if (uv_fileno((const uv_handle_t *)pipe, &fd) != 0
        || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
        return -1;
    return (int64_t)who.uid;
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct client *c = s->data;
    uv_buf_t out;

    if (n < 0) {
        drop(c);
        return;
    }
    buf_add(&c->in, b->base, (size_t)n);
    mem_wipe(b->base, (size_t)n); /* it may bring a secret */
    if (c->in.bad) {
        drop(c);
        return;
    }
    if (n == 0 || c->in.p[c->in.len - 1] != '\n')
        return;
    (void)uv_read_stop(s);
    peer = uid_of(&c->pipe);
    answer(answer_arg, buf_view(&c->in), &c->out);
    buf_free(&c->in);
    peer = -1;
    buf_add_byte(&c->out, '\n');
    c->write.data = c;
    out = uv_buf_init((char *)c->out.p, (unsigned)c->out.len);
    if (c->out.bad || uv_write(&c->write, s, &out, 1, on_written) != 0)
        drop(c);
}

int64_t io_local_peer(void)
{
    return peer;
}

static bool may_ask(int64_t uid)
{
    return uid == 0 || uid == (int64_t)geteuid();
}

static void on_connection(uv_stream_t *s, int status)
{
    struct client *c;

    (void)s;
    if (status < 0)
        return;
    c = xcalloc(1, sizeof *c);
    c->in = (struct buf)BUF_SECRET(REQUEST_MAX);
    c->out = (struct buf)BUF_INIT(REPLY_MAX);
    (void)uv_pipe_init(&io_loop, &c->pipe, 0);
    (void)uv_timer_init(&io_loop, &c->timer);
    c->pipe.data = c->timer.data = c;
    c->open_handles = 2;
    c->next = clients;
    clients = c;
    client_count++;
    if (uv_accept((uv_stream_t *)&listener, (uv_stream_t *)&c->pipe) != 0
        || client_count > CLIENTS_MAX || !may_ask(uid_of(&c->pipe))) {
        drop(c);
        return;
    }
    (void)uv_timer_start(&c->timer, on_silence, SILENCE_MS, 0);
    (void)uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
}

int io_local_open(const char *path, io_local_fn *fn, void *arg, struct err *e)
{
    mode_t mask;
    int rc;

    /* libuv would cut it in silence and listen somewhere else */
    if (strlen(path) > PATH_MOST)
        return err_set(e, ERR_CONFIG, "%s: too long for a socket; use a shorter store.dir", path);
    answer = fn;
    answer_arg = arg;
    (void)unlink(path);
    (void)uv_pipe_init(&io_loop, &listener, 0);
    listening = true;
    mask = umask(0177);
    rc = uv_pipe_bind(&listener, path);
    (void)umask(mask);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&listener, CLIENTS_MAX, on_connection);
    if (rc != 0) {
        io_local_close();
        return err_set(e, ERR_CONFIG, "%s: %s", path, uv_strerror(rc));
    }
    socket_path = xstrdup(path);
    uv_unref((uv_handle_t *)&listener);
    return 0;
}

void io_local_close(void)
{
    if (!listening)
        return;
    listening = false;
    while (clients != NULL)
        drop(clients);
    uv_close((uv_handle_t *)&listener, NULL);
    if (socket_path != NULL)
        (void)unlink(socket_path);
    free(socket_path);
    socket_path = NULL;
}
