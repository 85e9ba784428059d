/* see cli.h.  Secrets that people give, and whether those that the configuration names are there. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "agent/base/fs.h"
#include "agent/cli/cli.h"
#include "agent/conf/conf.h"
#include "agent/secrets/secret.h"
#include "certs/mem.h"

/* ---- what the configuration names ---------------------------------------------------------------------------- */

static void note_secret(void *arg, const char *what, const char *ref)
{
    (void)what;
    *(bool *)arg = *(bool *)arg || strncmp(ref, "secret:", 7) == 0;
}

struct secrets *cli_secrets(
    const struct cli *c, const struct conf *conf, struct lib *l, struct vault *v)
{
    struct err e;
    bool opens = vault_open(v, l, conf->store.dir, conf->store.master_key, false, &e) == 0;
    bool any = false;

    conf_secrets(conf, note_secret, &any);
    if (!opens && any && !c->quiet)
        (void)fprintf(stderr, "note: secrets are looked for, not opened: %s\n", e.msg);
    return secrets_open(conf->store.dir, opens ? v : NULL, l, &e);
}

struct looking {
    struct secrets *secrets;
    bool missing;
    struct err why;
};

static void look_at(void *arg, const char *what, const char *ref)
{
    struct looking *k = arg;
    struct buf value = BUF_SECRET(SECRET_BYTES_MAX);
    bool resolved = ref[0] == '/' || strncmp(ref, "secret:", 7) == 0; /* else plugin_open looks */

    if (!k->missing && resolved && secret_read(k->secrets, ref, &value, &k->why) != 0) {
        k->missing = true;
        (void)err_wrap(&k->why, "%s", what);
    }
    buf_free(&value);
}

int cli_check_secrets(const struct conf *conf, struct secrets *s, struct err *e)
{
    struct looking k = { .secrets = s };

    conf_secrets(conf, look_at, &k);
    if (k.missing)
        *e = k.why;
    return k.missing ? -1 : 0;
}

/* ---- typed ---------------------------------------------------------------------------------------------------- */

enum { CTRL_C = 3, CTRL_D = 4, BACKSPACE = 8, CTRL_U = 21, RUBOUT = 127 };

/* One line, byte by byte, so that giving up with Ctrl-C comes to us and the echo is switched on again. */
static int type_line(int fd, struct buf *out, struct err *e)
{
    uint8_t c = 0;
    ssize_t n;

    for (;;) {
        if ((n = read(fd, &c, 1)) < 0 && errno == EINTR)
            continue;
        if (n <= 0 || c == CTRL_C || (c == CTRL_D && out->len == 0))
            return err_set(e, ERR_INPUT, "given up");
        if (c == '\n' || c == '\r' || c == CTRL_D)
            break;
        if (c == CTRL_U)
            buf_reset(out);
        else if (c == BACKSPACE || c == RUBOUT)
            buf_truncate(out, out->len > 0 ? out->len - 1 : 0);
        else
            buf_add_byte(out, c);
    }
    c = 0;
    return buf_check(out, e);
}

static int ask(int fd, const char *prompt, const char *what, struct buf *out, struct err *e)
{
    struct termios was, now;
    int rc;

    if (tcgetattr(fd, &was) != 0)
        return err_set(e, ERR_INPUT, "the terminal: %s", strerror(errno));
    now = was;
    now.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    if (tcsetattr(fd, TCSAFLUSH, &now) != 0)
        return err_set(e, ERR_INPUT, "the terminal: %s", strerror(errno));
    (void)fprintf(stderr, "%s%s: ", prompt, what);
    (void)fflush(stderr);
    rc = type_line(fd, out, e);
    (void)fprintf(stderr, "\n");
    (void)tcsetattr(fd, TCSAFLUSH, &was);
    return rc;
}

static int typed_twice(int fd, const char *what, struct buf *out, struct err *e)
{
    struct buf again = BUF_SECRET(SECRET_BYTES_MAX);
    sigset_t hold, was;
    int rc = -1;

    (void)sigemptyset(&hold); /* whoever ends us waits until the echo is on again */
    (void)sigaddset(&hold, SIGTERM);
    (void)sigaddset(&hold, SIGINT);
    (void)sigaddset(&hold, SIGTSTP);
    (void)sigprocmask(SIG_BLOCK, &hold, &was);
    if (ask(fd, "", what, out, e) == 0 && ask(fd, "once more, ", what, &again, e) == 0) {
        if (out->len == again.len && mem_equal(out->p, again.p, out->len))
            rc = 0;
        else
            (void)err_set(e, ERR_INPUT, "the two are not the same");
    }
    (void)sigprocmask(SIG_SETMASK, &was, NULL);
    buf_free(&again);
    return rc;
}

static int read_input(int fd, struct buf *out, struct err *e)
{
    uint8_t piece[4096];
    ssize_t n;

    while ((n = read(fd, piece, sizeof piece)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, ERR_INPUT, "standard input: %s", strerror(errno));
        buf_add(out, piece, (size_t)n);
        mem_wipe(piece, sizeof piece);
    }
    return buf_check(out, e);
}

static void drop_end_of_line(struct buf *b)
{
    if (b->len > 0 && b->p[b->len - 1] == '\n')
        buf_truncate(b, b->len - 1);
    if (b->len > 0 && b->p[b->len - 1] == '\r')
        buf_truncate(b, b->len - 1);
}

int cli_secret_value(const char *what, const char *file, struct buf *out, struct err *e)
{
    int rc;

    if (file != NULL)
        rc = fs_read_secret(file, out, e);
    else if (isatty(STDIN_FILENO))
        rc = typed_twice(STDIN_FILENO, what, out, e);
    else
        rc = read_input(STDIN_FILENO, out, e);
    if (rc != 0)
        return -1;
    drop_end_of_line(out);
    return out->len > 0 ? 0 : err_set(e, ERR_INPUT, "nothing was given; a secret is not empty");
}
