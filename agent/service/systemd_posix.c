/* see systemd.h */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent/base/fs.h"
#include "agent/service/systemd.h"
#include "agent/service/takeover.h"
#include "unit_files.h" /* made from packaging/systemd/ */

enum { PATH_LEN = 4096, WORDS_MAX = 12, UNIT_MAX = 16384, SHOW_LIMIT_S = 5 };

extern char **environ;

static const char mark[] =
    "# Written by certferry service install; certferry service uninstall removes it.\n";

static const struct {
    const char *path, *text;
    bool fill; /* @PROGRAM@ and @CONF@ */
} files[] = {
    { "/etc/systemd/system/" SYSTEMD_UNIT, UNIT_SERVICE, true },
    { "/etc/sysusers.d/certferry.conf", UNIT_SYSUSERS, false },
    { "/etc/tmpfiles.d/certferry.conf", UNIT_TMPFILES, false },
};
enum { FILES = sizeof files / sizeof files[0] };

bool systemd_runs(void)
{
    struct stat st;

    return lstat("/run/systemd/system", &st) == 0 && S_ISDIR(st.st_mode); /* sd_booted(3) */
}

/* ---- its programs --------------------------------------------------------------------------------------------------- */

static const char *find(const char *program, char *path, size_t size)
{
    static const char *const folders[] = { "/usr/bin", "/bin", "/usr/sbin", "/sbin" };

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        fs_join(path, size, folders[i], program);
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

static void read_all(int fd, struct buf *out)
{
    char piece[4096];
    ssize_t n;

    while ((n = read(fd, piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            buf_add(out, piece, (size_t)n);
}

static int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* limit_s: killed by then; 0: never. */
static int run(
    const char *program, const char *const *words, unsigned limit_s, struct buf *out, struct err *e)
{
    const char *arguments[WORDS_MAX + 2];
    char path[PATH_LEN];
    int ends[2] = { -1, -1 };
    size_t n = 0;
    pid_t pid;

    if (find(program, path, sizeof path) == NULL)
        return err_set(e, ERR_GONE, "%s is not on this system", program);
    arguments[n++] = program;
    for (size_t i = 0; words[i] != NULL && n <= WORDS_MAX; i++)
        arguments[n++] = words[i];
    arguments[n] = NULL;
    if (out != NULL && pipe2(ends, O_CLOEXEC) != 0)
        return err_set(e, ERR_NOMEM, "pipe: %s", strerror(errno));
    (void)fflush(NULL);
    if ((pid = fork()) == 0) {
        (void)alarm(limit_s); /* goes on beyond execve */
        if (out == NULL || dup2(ends[1], STDOUT_FILENO) >= 0)
            (void)execve(path, (char *const *)(uintptr_t)arguments, environ);
        _exit(127);
    }
    if (out != NULL) {
        (void)close(ends[1]);
        if (pid > 0)
            read_all(ends[0], out);
        (void)close(ends[0]);
    }
    return pid > 0 ? wait_for(pid) : err_set(e, ERR_NOMEM, "fork: %s", strerror(errno));
}

int systemd_run(const char *program, const char *const *words, struct buf *out, struct err *e)
{
    return run(program, words, 0, out, e);
}

int systemd_show(const char *option, struct buf *out, struct err *e)
{
    const char *const words[] = { "--no-pager", "--all", "show", SYSTEMD_UNIT, option, NULL };
    int rc = run("systemctl", words, SHOW_LIMIT_S, out, e);

    if (rc == 128 + SIGALRM)
        return err_set(e, ERR_BUSY, "systemctl show: no answer within %d s", SHOW_LIMIT_S);
    return rc <= 0 ? rc : err_set(e, ERR_GONE, "systemctl show ended with %d", rc);
}

int systemctl(const char *const *words, struct buf *out, struct err *e)
{
    return systemd_run("systemctl", words, out, e);
}

/* ---- unit files ------------------------------------------------------------------------------------------------------ */

static bool is_ours(const char *path)
{
    struct buf text = BUF_INIT(UNIT_MAX);
    struct err e;
    bool yes =
        fs_read(path, &text, &e) == 0 && strncmp(buf_text(&text), mark, sizeof mark - 1) == 0;

    buf_free(&text);
    return yes;
}

bool systemd_unit(const char *root, char *path, size_t size, bool *ours)
{
    static const char *const folders[] = { "/etc/systemd/system", "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system", "/lib/systemd/system" };

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        (void)snprintf(path, size, "%s%s/%s", root, folders[i], SYSTEMD_UNIT);
        if (access(path, F_OK) == 0) {
            *ours = is_ours(path);
            return true;
        }
    }
    *ours = false;
    path[0] = '\0';
    return false;
}

/* The text with what differs from one installation to the other. */
static void fill(struct buf *out, const char *text, const char *program, const char *conf_path)
{
    while (*text != '\0') {
        size_t n = strcspn(text, "@");

        buf_add(out, text, n);
        text += n;
        if (strncmp(text, "@PROGRAM@", 9) == 0) {
            buf_add_text(out, program);
            text += 9;
        } else if (strncmp(text, "@CONF@", 6) == 0) {
            buf_add_text(out, conf_path);
            text += 6;
        } else if (*text == '@') {
            buf_add_byte(out, (uint8_t)*text++);
        }
    }
}

/* A folder above a file of ours may be missing in an image. */
static int make_folders(const char *path, size_t from, struct err *e)
{
    char folder[PATH_LEN];

    for (size_t i = from + 1; path[i] != '\0' && i < sizeof folder; i++) {
        if (path[i] != '/')
            continue;
        (void)snprintf(folder, sizeof folder, "%.*s", (int)i, path);
        if (mkdir(folder, 0755) != 0 && errno != EEXIST)
            return err_set(e, ERR_CONFIG, "%s: %s", folder, strerror(errno));
    }
    return 0;
}

/* A path goes into a unit file as it is: systemd would read these as something else. */
static bool is_plain(const char *path)
{
    return path[0] == '/' && strpbrk(path, " \t\r\n\"'\\%$;@") == NULL;
}

int systemd_write(const char *root, const char *conf_path, struct err *e)
{
    const char *program = takeover_program();
    char path[PATH_LEN];

    if (program == NULL || !is_plain(program))
        return err_set(e, ERR_CONFIG, "%s: a unit file cannot name this program",
            program != NULL ? program : "(unknown)");
    if (!is_plain(conf_path))
        return err_set(e, ERR_CONFIG,
            "%s: a unit needs an absolute path without spaces and special characters", conf_path);
    for (size_t i = 0; i < FILES; i++) {
        struct buf text = BUF_INIT(UNIT_MAX);
        int rc = -1;

        (void)snprintf(path, sizeof path, "%s%s", root, files[i].path);
        buf_add_text(&text, mark);
        fill(&text, files[i].text, program, conf_path);
        if (access(path, F_OK) == 0 && !is_ours(path))
            (void)err_set(e, ERR_CONFLICT, "%s is there and not ours", path);
        else if (make_folders(path, strlen(root), e) == 0 && buf_check(&text, e) == 0)
            rc = fs_replace(path, buf_view(&text), 0644, e);
        buf_free(&text);
        if (rc != 0)
            return -1;
    }
    return 0;
}

int systemd_remove(const char *root, struct err *e)
{
    char path[PATH_LEN];

    for (size_t i = 0; i < FILES; i++) {
        (void)snprintf(path, sizeof path, "%s%s", root, files[i].path);
        if (access(path, F_OK) == 0 && is_ours(path) && unlink(path) != 0)
            return err_set(e, ERR_CONFIG, "%s: %s", path, strerror(errno));
    }
    return 0;
}
