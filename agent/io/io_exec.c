/*
 * see io_exec.h.  fork and exec are ours and not libuv's, which neither closes descriptors nor sets limits.
 *
 * The op has five handles: three pipes, the deadline, and SIGCHLD.  Once there is a result, or it is
 * cancelled, all are closed but the last, which waits until the program can be reaped.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent/io/io_exec.h"
#include "agent/io/io_uv.h"
#include "certs/mem.h"

enum { IN, OUT, ERR, PIPES };
enum { PIECE = 16 << 10, PIPE_PIECES = 64, WORDS_MAX = 120, CANNOT_EXEC = 127, ARGUMENTS_MAX = 8 };

struct pipe_end {
    uv_poll_t uv;
    int fd; /* -1: closed */
};

struct run {
    struct op op;
    char *program;
    pid_t pid;
    struct pipe_end pipe[PIPES];
    uv_timer_t deadline;
    uv_signal_t child;
    unsigned handles;
    bool reaped, over; /* over: the result was delivered or nobody wants it */
    struct buf input, output;
    size_t input_at;
    char words[WORDS_MAX + 1]; /* the end of what it wrote to standard error */
    size_t words_len;
};

/* ---- the end ------------------------------------------------------------------------------------------------ */

static void on_closed(uv_handle_t *h)
{
    struct run *r = h->data;

    if (--r->handles > 0)
        return;
    buf_free(&r->input);
    buf_free(&r->output);
    free(r->program);
    free(r);
}

static void close_handle(uv_handle_t *h)
{
    if (!uv_is_closing(h))
        uv_close(h, on_closed);
}

static void close_pipe(struct run *r, int which)
{
    struct pipe_end *p = &r->pipe[which];

    if (p->fd < 0)
        return;
    close_handle((uv_handle_t *)&p->uv);
    (void)close(p->fd);
    p->fd = -1;
}

/* Nothing more is wanted of it. */
static void give_up(struct run *r)
{
    r->over = true;
    for (int i = 0; i < PIPES; i++)
        close_pipe(r, i);
    close_handle((uv_handle_t *)&r->deadline);
    if (r->reaped)
        close_handle((uv_handle_t *)&r->child);
    else
        (void)kill(-r->pid, SIGKILL);
}

static void run_cancel(struct op *op)
{
    give_up((struct run *)op);
}

/* The last line of what it said. */
static const char *last_words(struct run *r)
{
    char *line;

    while (r->words_len > 0 && strchr("\r\n ", r->words[r->words_len - 1]) != NULL)
        r->words_len--;
    r->words[r->words_len] = '\0';
    line = strrchr(r->words, '\n');
    line = line != NULL ? line + 1 : r->words;
    err_clean(line);
    return line;
}

static void fail(struct run *r, enum err_class cls, const char *why)
{
    const char *words = last_words(r);
    struct err e;
    struct result result = { .err = &e, .sent = true };

    (void)err_set(&e, cls, "%s: %s%s%s", r->program, why, *words != '\0' ? ": " : "", words);
    give_up(r);
    r->op.fn(r->op.arg, &result);
}

static void succeed(struct run *r, int status)
{
    struct http_reply h = { .status =
                                WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
        .body = buf_view(&r->output),
        .content_type = "",
        .location = last_words(r),
        .authenticate = "",
        .retry_after_s = -1 };
    struct result result = { .http = &h, .sent = true };

    give_up(r); /* frees nothing before the handles are closed */
    r->op.fn(r->op.arg, &result);
}

static void on_deadline(uv_timer_t *t)
{
    fail(t->data, ERR_NET, "killed at its deadline");
}

/* ---- while it runs -------------------------------------------------------------------------------------------- */

static void on_writable(uv_poll_t *p, int status, int events)
{
    struct run *r = p->data;
    ssize_t n = 0;

    (void)events;
    if (status == 0 && r->input_at < r->input.len)
        n = write(r->pipe[IN].fd, r->input.p + r->input_at, r->input.len - r->input_at);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    r->input_at += n > 0 ? (size_t)n : 0;
    if (n <= 0 || r->input_at == r->input.len) /* all, or it does not want more */
        close_pipe(r, IN);
}

/* Keep the end of it. */
static void add_words(struct run *r, const char *p, size_t len)
{
    size_t drop;

    if (len > WORDS_MAX) {
        p += len - WORDS_MAX;
        len = WORDS_MAX;
    }
    drop = r->words_len + len > WORDS_MAX ? r->words_len + len - WORDS_MAX : 0;
    memmove(r->words, r->words + drop, r->words_len - drop);
    memcpy(r->words + r->words_len - drop, p, len);
    r->words_len += len - drop;
}

/* One piece; false: nothing there, or it has ended and is closed. */
static bool read_piece(struct run *r, int which)
{
    char piece[PIECE];
    ssize_t n;

    if (r->pipe[which].fd < 0)
        return false;
    n = read(r->pipe[which].fd, piece, sizeof piece);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        close_pipe(r, which);
        return false;
    }
    if (which == ERR)
        add_words(r, piece, (size_t)n);
    else
        buf_add(&r->output, piece, (size_t)n);
    return true;
}

static bool too_much(struct run *r)
{
    if (!r->output.bad)
        return false;
    fail(r, r->output.why, "killed: it wrote more than it may");
    return true;
}

static void on_output(uv_poll_t *p, int status, int events)
{
    struct run *r = p->data;

    (void)events;
    if (status < 0)
        close_pipe(r, OUT);
    else if (read_piece(r, OUT))
        (void)too_much(r);
}

static void on_words(uv_poll_t *p, int status, int events)
{
    struct run *r = p->data;

    (void)events;
    if (status < 0)
        close_pipe(r, ERR);
    else
        (void)read_piece(r, ERR);
}

/*
 * Some child has ended.  If ours, its group goes first, while its number cannot be another's yet.  What is in the
 * pipes then is all that comes: nobody is left who could write, or it has fled its session and is not waited for.
 */
static void on_child(uv_signal_t *s, int signum)
{
    struct run *r = s->data;
    siginfo_t info = { 0 };
    int status = 0;

    (void)signum;
    if (r->reaped || waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0
        || info.si_pid != r->pid)
        return;
    (void)kill(-r->pid, SIGKILL);
    (void)waitpid(r->pid, &status, 0);
    r->reaped = true;
    if (r->over) {
        close_handle((uv_handle_t *)&r->child);
        return;
    }
    while (!r->output.bad && read_piece(r, OUT))
        ;
    for (int i = 0; i < PIPE_PIECES && read_piece(r, ERR); i++)
        ; /* all that a pipe holds; whoever fled its session may write on for ever */
    if (!too_much(r))
        succeed(r, status);
}

/* ---- the beginning ---------------------------------------------------------------------------------------------- */

static void limit(int what, rlim_t most)
{
    struct rlimit l = { .rlim_cur = most, .rlim_max = most };

    (void)setrlimit((__rlimit_resource_t)what, &l);
}

static void close_from(unsigned first)
{
    struct rlimit l = { .rlim_cur = 1024 };

    if (close_range(first, ~0u, 0) == 0)
        return;
    (void)getrlimit(RLIMIT_NOFILE, &l); /* Linux before 5.9 */
    for (unsigned fd = first; fd < l.rlim_cur; fd++)
        (void)close((int)fd);
}

/* In the child, between fork and exec: only what a signal handler may do.  Never returns. */
static _Noreturn void become(
    const struct io_exec_conf *c, const int fds[PIPES], int report, pid_t parent)
{
    static const char *const least[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
        NULL };
    const char *arguments[ARGUMENTS_MAX + 2] = { c->program };
    const char *const *environment = c->environment != NULL ? c->environment : least;
    struct sigaction normal = { .sa_handler = SIG_DFL };
    sigset_t none;
    int error;

    for (size_t i = 0; c->arguments != NULL && c->arguments[i] != NULL && i < ARGUMENTS_MAX; i++)
        arguments[i + 1] = c->arguments[i];
    for (int s = 1; s < NSIG; s++)
        (void)sigaction(s, &normal, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setsid();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* too late for that */
        _exit(CANNOT_EXEC);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, c->timeout_ms / 1000 + 2);
    if (c->memory_mib != 0)
        limit(RLIMIT_AS, (rlim_t)c->memory_mib << 20);
    /* None of these is below 3: see make_pipes. */
    if (dup2(fds[IN], 0) == 0 && dup2(fds[OUT], 1) == 1 && dup2(fds[ERR], 2) == 2
        && dup2(report, 3) == 3 && fcntl(3, F_SETFD, FD_CLOEXEC) == 0 && chdir("/") == 0) {
        close_from(4);
        (void)execve(
            c->program, (char *const *)(uintptr_t)arguments, (char *const *)(uintptr_t)environment);
    }
    error = errno;
    (void)!write(3, &error, sizeof error);
    _exit(CANNOT_EXEC);
}

static void close_both(const int ends[2])
{
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            (void)close(ends[i]);
}

/* A pair whose ends are above the numbers that the child fills, whatever we were started with. */
static int make_pipe(int ends[2])
{
    int fds[2], saved;

    ends[0] = ends[1] = -1;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    ends[0] = fcntl(fds[0], F_DUPFD_CLOEXEC, 4);
    ends[1] = fcntl(fds[1], F_DUPFD_CLOEXEC, 4);
    saved = errno;
    close_both(fds);
    errno = saved;
    return ends[0] >= 0 && ends[1] >= 0 ? 0 : -1;
}

/* returns 0, or the errno of what failed.  The exec failed: report has it; it worked: report ends. */
static int start(struct run *r, const struct io_exec_conf *c)
{
    int ends[PIPES + 1][2], theirs[PIPES], error = 0;
    pid_t parent = getpid();
    sigset_t all, before;

    for (int i = 0; i <= PIPES; i++)
        ends[i][0] = ends[i][1] = -1;
    for (int i = 0; i <= PIPES; i++)
        if (make_pipe(ends[i]) != 0) {
            error = errno;
            goto done;
        }
    theirs[IN] = ends[IN][0];
    theirs[OUT] = ends[OUT][1];
    theirs[ERR] = ends[ERR][1];
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* our handlers are not for the child */
    if ((r->pid = fork()) == 0)
        become(c, theirs, ends[PIPES][1], parent);
    error = r->pid < 0 ? errno : 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        goto done;
    (void)close(ends[PIPES][1]);
    ends[PIPES][1] = -1;
    while (read(ends[PIPES][0], &error, sizeof error) < 0 && errno == EINTR)
        ;
    if (error != 0) {
        (void)waitpid(r->pid, NULL, 0);
        goto done;
    }
    r->pipe[IN].fd = ends[IN][1];
    r->pipe[OUT].fd = ends[OUT][0];
    r->pipe[ERR].fd = ends[ERR][0];
    ends[IN][1] = ends[OUT][0] = ends[ERR][0] = -1;
done:
    for (int i = 0; i <= PIPES; i++)
        close_both(ends[i]);
    return error;
}

static void watch(struct run *r, int which, int events, uv_poll_cb fn)
{
    struct pipe_end *p = &r->pipe[which];

    p->uv.data = r;
    r->handles++;
    (void)uv_poll_init(&io_loop, &p->uv, p->fd); /* a pipe can be watched */
    (void)uv_poll_start(&p->uv, events, fn);
}

/* The system is short of something; else it is the program's fault. */
static bool is_passing(int error)
{
    return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
}

struct op *io_exec(const struct io_exec_conf *c, io_fn *fn, void *arg, struct err *e)
{
    struct run *r = xcalloc(1, sizeof *r);
    int error;

    r->op = (struct op){ .fn = fn, .arg = arg, .cancel = run_cancel };
    r->program = xstrdup(c->program);
    r->input = (struct buf)BUF_SECRET(c->input.len);
    r->output = (struct buf)BUF_SECRET(c->output_max);
    buf_add_view(&r->input, c->input);
    r->child.data = r->deadline.data = r;
    r->handles = 2;
    (void)uv_timer_init(&io_loop, &r->deadline);
    (void)uv_signal_init(&io_loop, &r->child);
    /* Before it is started, or its end could be missed. */
    (void)uv_signal_start(&r->child, on_child, SIGCHLD);
    error = r->input.bad ? ENOMEM : start(r, c);
    if (error != 0) {
        err_set(e, is_passing(error) ? ERR_NOMEM : ERR_CONFIG, "%s: cannot be started: %s",
            c->program, strerror(error));
        close_handle((uv_handle_t *)&r->child);
        close_handle((uv_handle_t *)&r->deadline);
        return NULL;
    }
    watch(r, IN, UV_WRITABLE, on_writable);
    watch(r, OUT, UV_READABLE, on_output);
    watch(r, ERR, UV_READABLE, on_words);
    (void)uv_timer_start(&r->deadline, on_deadline, c->timeout_ms, 0);
    return &r->op;
}
