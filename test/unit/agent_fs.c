/* Files the way a service must handle them: what is refused, and what a crash or a rival leaves. */
#include "test/t.h"
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/wait.h>
#include "agent/base/fs.h"
#include "agent/base/fs_mode.h"
#include "test/unit/agent_dir.h"

static bool root(void)
{
    return geteuid() == 0;
}

static void joining(void **state)
{
    char out[16];

    (void)state;
    fs_join(out, sizeof out, "/var", "x.db");
    assert_string_equal(out, "/var/x.db");
    fs_join(out, sizeof out, "/var/lib/certferry", "x.db"); /* cut, never beyond */
    assert_int_equal(strlen(out), sizeof out - 1);
}

static void readable_files(void **state)
{
    struct err e = { 0 };

    (void)state;
    dir_write("open.pem", "x", 0644);
    dir_write("own.key", "x", 0600);
    T_OK(fs_readable(dir_path("open.pem"), false, &e));
    T_OK(fs_readable(dir_path("own.key"), true, &e));
    assert_int_equal(symlink("own.key", dir_path("link.key")), 0);
    T_OK(fs_readable(dir_path("link.key"), true, &e)); /* a link is what it points at */
    T_ERR_SAYS(fs_readable(dir_path("none"), false, &e), ERR_CONFIG, "/none: No such file");
    T_ERR_SAYS(fs_readable(dir_root, false, &e), ERR_CONFIG, "not a file");
    assert_int_equal(mkfifo(dir_path("fifo"), 0600), 0);
    T_ERR_SAYS(fs_readable(dir_path("fifo"), true, &e), ERR_CONFIG, "not a file");
}

static void secrets_that_others_could_read(void **state)
{
    static const unsigned open_modes[] = { 0604, 0640, 0602, 0620, 0601, 0644, 0666, 0777 };
    struct err e = { 0 };
    char says[64];

    (void)state;
    for (size_t i = 0; i < sizeof open_modes / sizeof open_modes[0]; i++) {
        dir_write("key", "x", open_modes[i]);
        (void)snprintf(says, sizeof says, "(mode %04o); chmod 600 ", open_modes[i]);
        T_ERR_SAYS(fs_readable(dir_path("key"), true, &e), ERR_CONFIG, says);
        T_OK(fs_readable(dir_path("key"), false, &e));
    }
    dir_write("key", "x", 0400);
    T_OK(fs_readable(dir_path("key"), true, &e));
    if (!root())
        skip();
    assert_int_equal(chown(dir_path("key"), 4711, 4711), 0);
    T_ERR_SAYS(fs_readable(dir_path("key"), true, &e), ERR_CONFIG, "belongs to user 4711");
}

static void reading(void **state)
{
    struct buf out = BUF_INIT(20000), small = BUF_INIT(12000);
    struct err e = { 0 };
    char text[20000];

    (void)state;
    memset(text, 'y', sizeof text);
    dir_put("full", text, sizeof text, 0600);
    dir_write("empty", "", 0600);
    dir_write("nine", "123456789", 0600);
    T_OK(fs_read(dir_path("full"), &out, &e));
    assert_true(view_equal(buf_view(&out), view_of(text, sizeof text)));
    buf_reset(&out);
    buf_add_text(&out, "before:");
    T_OK(fs_read(dir_path("empty"), &out, &e));
    T_OK(fs_read(dir_path("nine"), &out, &e));
    assert_string_equal(buf_text(&out), "before:123456789");
    T_ERR_SAYS(fs_read(dir_path("none"), &out, &e), ERR_CONFIG, "/none: No such file");
    T_ERR_SAYS(fs_read(dir_root, &out, &e), ERR_CONFIG, "directory");
    assert_string_equal(buf_text(&out), "before:123456789");
    buf_add_text(&small, "abc");
    T_OK(fs_read(dir_path("nine"), &small, &e));
    T_ERR_SAYS(fs_read(dir_path("full"), &small, &e), ERR_TOO_LARGE, "/full: ");
    assert_int_equal(small.len, 12); /* what it held before */
    buf_free(&out);
    buf_free(&small);
}

static void secret_lines(void **state)
{
    static const struct {
        const char *text, *line;
    } good[] = {
        { "user:pass", "user:pass" },
        { "user:pass\n", "user:pass" },
        { "user:pass\r\nsecond\n", "user:pass" },
        { "with space \nx", "with space " },
    };
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct buf out = BUF_SECRET(64);

        dir_write("secret", good[i].text, 0600);
        T_OK(fs_read_secret_line(dir_path("secret"), &out, &e));
        assert_string_equal(buf_text(&out), good[i].line);
        buf_free(&out);
    }
    for (int i = 0; i < 3; i++) {
        struct buf out = BUF_SECRET(64);

        dir_write("secret", i == 0 ? "" : i == 1 ? "\nsecond" : "\r\n", 0600);
        T_ERR_SAYS(
            fs_read_secret_line(dir_path("secret"), &out, &e), ERR_CONFIG, "first line is empty");
        buf_free(&out);
    }
    struct buf out = BUF_SECRET(64);

    dir_write("secret", "user:pass", 0640);
    T_ERR_SAYS(fs_read_secret_line(dir_path("secret"), &out, &e), ERR_CONFIG, "others may read it");
    T_ERR_SAYS(fs_read_secret_line(NULL, &out, &e), ERR_CONFIG, "no file named");
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

/* How many names the folder has. */
static size_t entries(void)
{
    DIR *d = opendir(dir_root);
    size_t n = 0;

    assert_non_null(d);
    for (const struct dirent *f; (f = readdir(d)) != NULL;)
        n += strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0;
    (void)closedir(d);
    return n;
}

static void replacing(void **state)
{
    struct buf now = BUF_INIT(100);
    struct err e = { 0 };
    struct stat st;
    char longest[5000];

    (void)state;
    T_OK(fs_replace(dir_path("drop-in"), view_text("one"), 0640, &e));
    dir_read("drop-in", &now);
    assert_string_equal(buf_text(&now), "one");
    T_OK(fs_replace(dir_path("drop-in"), view_text("two"), 0600, &e));
    dir_read("drop-in", &now);
    assert_string_equal(buf_text(&now), "two");
    assert_int_equal(stat(dir_path("drop-in"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(entries(), 1); /* no temporary file stays */
    T_ERR(fs_replace(dir_path("none/drop-in"), view_text("x"), 0600, &e), ERR_STORE);
    assert_int_equal(mkdir(dir_path("taken"), 0700), 0);
    T_ERR_SAYS(fs_replace(dir_path("taken"), view_text("x"), 0600, &e), ERR_STORE, "/taken: ");
    assert_int_equal(entries(), 2);
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    T_ERR(fs_replace(longest, view_text("x"), 0600, &e), ERR_STORE);
    buf_free(&now);
}

static void creating_a_secret(void **state)
{
    struct buf now = BUF_INIT(100);
    struct err e = { 0 };
    struct stat st;
    mode_t mask = umask(0);

    (void)state;
    T_OK(fs_create_secret(dir_path("master.key"), view_text("first"), &e));
    (void)umask(mask);
    assert_int_equal(stat(dir_path("master.key"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    T_ERR_SAYS(fs_create_secret(dir_path("master.key"), view_text("second"), &e), ERR_CONFLICT,
        "/master.key: ");
    dir_read("master.key", &now);
    assert_string_equal(buf_text(&now), "first");
    assert_int_equal(symlink("elsewhere", dir_path("link")), 0); /* even one that leads nowhere */
    T_ERR(fs_create_secret(dir_path("link"), view_text("x"), &e), ERR_CONFLICT);
    assert_int_equal(access(dir_path("elsewhere"), F_OK), -1);
    T_ERR(fs_create_secret(dir_path("none/key"), view_text("x"), &e), ERR_STORE);
    buf_free(&now);
}

static void private_folders(void **state)
{
    struct err e = { 0 };
    struct stat st;

    (void)state;
    T_OK(fs_private_dir(dir_path("store"), &e));
    assert_int_equal(stat(dir_path("store"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    T_OK(fs_private_dir(dir_path("store"), &e)); /* again: it is there */
    T_ERR(fs_private_dir(dir_path("none/store"), &e), ERR_STORE);
    dir_write("file", "x", 0600);
    T_ERR_SAYS(fs_private_dir(dir_path("file"), &e), ERR_STORE, "not a folder");
    for (unsigned mode = 01; mode <= 040; mode *= 2) {
        assert_int_equal(chmod(dir_path("store"), 0700 | mode), 0);
        T_ERR_SAYS(fs_private_dir(dir_path("store"), &e), ERR_CONFIG, "others may enter it");
    }
    assert_int_equal(chmod(dir_path("store"), 0700), 0);
    if (!root())
        skip();
    assert_int_equal(chown(dir_path("store"), 4711, 4711), 0);
    T_ERR_SAYS(fs_private_dir(dir_path("store"), &e), ERR_CONFIG, "belongs to user 4711");
}

static void one_process_holds_the_lock(void **state)
{
    char pid[64];
    struct err e = { 0 };
    int fd = fs_lock(dir_path("lock"), &e), again;

    (void)state;
    assert_true(fd >= 0);
    (void)snprintf(pid, sizeof pid, "process %ld uses this store", (long)getpid());
    T_ERR_SAYS(fs_lock(dir_path("lock"), &e), ERR_CONFLICT, pid);
    fs_unlock(fd);
    again = fs_lock(dir_path("lock"), &e);
    assert_true(again >= 0);
    fs_unlock(again);
    fs_unlock(-1);
    T_ERR(fs_lock(dir_path("none/lock"), &e), ERR_STORE);
    assert_int_equal(symlink("elsewhere", dir_path("link")), 0);
    T_ERR(fs_lock(dir_path("link"), &e), ERR_STORE);
}

/* A killed process leaves the file, but not the lock. */
static void a_dead_process_holds_nothing(void **state)
{
    struct err e = { 0 };
    int ready[2], fd, status;
    pid_t child;
    char c;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    if ((child = fork()) == 0) {
        (void)!write(ready[1], fs_lock(dir_path("lock"), &e) >= 0 ? "y" : "n", 1);
        (void)pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_int_equal(c, 'y');
    T_ERR(fs_lock(dir_path("lock"), &e), ERR_CONFLICT);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    fd = fs_lock(dir_path("lock"), &e);
    assert_true(fd >= 0);
    fs_unlock(fd);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

/* ---- files that commands change for the service ---- */

static void replacing_keeps_mode_and_owner(void **state)
{
    struct err e = { 0 };
    struct stat st;

    (void)state;
    dir_write("main.conf", "x", 0640);
    if (root())
        assert_int_equal(chown(dir_path("main.conf"), 4711, 4712), 0);
    T_OK(fs_replace_like(dir_path("new.conf"), view_text("new"), dir_path("main.conf"), &e));
    assert_int_equal(stat(dir_path("new.conf"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    if (root())
        assert_true(st.st_uid == 4711 && st.st_gid == 4712);
    T_ERR_SAYS(fs_replace_like(dir_path("new.conf"), view_text("x"), dir_path("none"), &e),
        ERR_STORE, "/none: No such file");
    T_ERR(fs_replace_like(dir_path("no/new.conf"), view_text("x"), dir_path("main.conf"), &e),
        ERR_STORE);
}

/* One name, now of a secret that is closed, now of a file that is open: only the first is ever read. */
static void what_is_judged_is_what_is_read(void **state)
{
    struct buf b = BUF_SECRET(100);
    struct err e = { 0 };
    size_t good = 0, bad = 0;
    pid_t pid;

    (void)state;
    dir_write("closed", "closed", 0600);
    dir_write("opened", "opened", 0644);
    assert_int_equal(symlink("closed", dir_path("swapped")), 0);
    if ((pid = fork()) == 0) {
        for (;;) {
            (void)!symlink("opened", dir_path("swap"));
            (void)!rename(dir_path("swap"), dir_path("swapped"));
            (void)!symlink("closed", dir_path("swap"));
            (void)!rename(dir_path("swap"), dir_path("swapped"));
        }
    }
    assert_true(pid > 0);
    for (size_t i = 0; i < 20000; i++) {
        buf_reset(&b);
        if (fs_read_secret(dir_path("swapped"), &b, &e) == 0) {
            good += strcmp(buf_text(&b), "closed") == 0;
            bad += strcmp(buf_text(&b), "closed") != 0;
        }
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(bad, 0);
    assert_true(good > 0);
    assert_int_equal(
        mkfifo(dir_path("fifo-secret"), 0600), 0); /* nobody writes: it is not waited for */
    T_ERR_SAYS(fs_read_secret(dir_path("fifo-secret"), &b, &e), ERR_CONFIG, "not a file");
    buf_free(&b);
}

/* As the package has it: the administrator's file is for all in a folder that is for the service's group. */
static void in_a_closed_folder_for_its_group_alone(void **state)
{
    static const struct {
        unsigned folder, like, made;
        bool folders_group;
    } cases[] = {
        { 0750, 0644, 0640, true }, { 0750, 0604, 0640, true },
        { 0750, 0640, 0640, false }, /* the main file's own group may read it */
        { 0750, 0600, 0600, false }, { 0755, 0644, 0644, false }, /* all may enter */
        { 0700, 0644, 0644, false }, /* nobody else may: there is no group to read it */
    };
    struct err e = { 0 };
    struct stat st;

    (void)state;
    assert_int_equal(mkdir(dir_path("etc"), 0750), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dir_write("main.conf", "x", 0644);
        assert_int_equal(chmod(dir_path("main.conf"), cases[i].like), 0);
        assert_int_equal(chmod(dir_path("etc"), cases[i].folder), 0);
        if (root())
            assert_int_equal(chown(dir_path("etc"), 0, 4712), 0);
        T_OK(fs_replace_like(dir_path("etc/a.conf"), view_text("a"), dir_path("main.conf"), &e));
        assert_int_equal(stat(dir_path("etc/a.conf"), &st), 0);
        if ((st.st_mode & 07777) != cases[i].made)
            fail_msg("case %zu: mode %04o", i, (unsigned)st.st_mode & 07777);
        if (root() && (st.st_uid != 0 || (st.st_gid == 4712) != cases[i].folders_group))
            fail_msg("case %zu: %u:%u", i, (unsigned)st.st_uid, (unsigned)st.st_gid);
        assert_int_equal(remove(dir_path("main.conf")), 0);
    }
    /* One that is there keeps what it has, in the same folder. */
    assert_int_equal(chmod(dir_path("etc"), 0750), 0);
    assert_int_equal(chmod(dir_path("etc/a.conf"), 0604), 0);
    T_OK(fs_replace_like(dir_path("etc/a.conf"), view_text("b"), dir_path("etc/a.conf"), &e));
    assert_int_equal(stat(dir_path("etc/a.conf"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0604);
}

static void modes_are_not_set_through_links(void **state)
{
    struct err e = { 0 };
    struct stat st;

    (void)state;
    dir_write("theirs", "x", 0644);
    assert_int_equal(symlink("theirs", dir_path("mended")), 0);
    T_ERR_SAYS(fs_mode_set(dir_path("mended"), 0600, &e), ERR_STORE, "symbolic link");
    assert_int_equal(stat(dir_path("theirs"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    T_OK(fs_mode_set(dir_path("theirs"), 0600, &e));
    assert_int_equal(stat(dir_path("theirs"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    T_ERR(fs_mode_set(dir_path("none"), 0600, &e), ERR_STORE);
}

/* Root as the owner of a folder has none of root's rights: its groups are rights, too. */
static void acting_as_the_owner(void **state)
{
    const gid_t groups[] = { 0, 4713 };
    gid_t got[8], mine[64];
    int mine_count = getgroups(64, mine);
    struct err e = { 0 };
    struct fs_self self;

    (void)state;
    T_OK(fs_as_owner(dir_path("none"), &self, &e)); /* nobody's: as we are */
    fs_as_self(&self);
    if (!root() || mine_count < 0)
        skip();
    assert_int_equal(setgroups(2, groups), 0);
    dir_write("of-a-group", "x", 0640);
    assert_int_equal(chown(dir_path("of-a-group"), 0, 4713), 0);
    assert_int_equal(mkdir(dir_path("theirs.d"), 0700), 0);
    assert_int_equal(chown(dir_path("theirs.d"), 4711, 4712), 0);
    assert_int_equal(chmod(dir_root, 0711), 0);
    T_OK(fs_as_owner(dir_path("theirs.d"), &self, &e));
    assert_true(geteuid() == 4711 && getegid() == 4712);
    assert_int_equal(getgroups(8, got), 0);
    assert_int_equal(open(dir_path("of-a-group"), O_RDONLY), -1);
    fs_as_self(&self);
    assert_true(geteuid() == 0 && getegid() == 0);
    assert_int_equal(getgroups(8, got), 2);
    assert_int_equal(got[0] + got[1], 4713);
    assert_int_equal(setgroups((size_t)mine_count, mine), 0);
}

static void folders_like_another(void **state)
{
    struct err e = { 0 };
    struct stat st;

    (void)state;
    assert_int_equal(mkdir(dir_path("etc"), 0750), 0);
    assert_int_equal(chmod(dir_path("etc"), 0750), 0);
    if (root())
        assert_int_equal(chown(dir_path("etc"), 4711, 4712), 0);
    T_OK(fs_folder_like(dir_path("etc/conf.d"), dir_path("etc"), &e));
    assert_int_equal(stat(dir_path("etc/conf.d"), &st), 0);
    assert_true((st.st_mode & 07777) == 0750 && S_ISDIR(st.st_mode));
    if (root())
        assert_true(st.st_uid == 4711 && st.st_gid == 4712);
    assert_int_equal(chmod(dir_path("etc/conf.d"), 0700), 0);
    T_OK(fs_folder_like(dir_path("etc/conf.d"), dir_path("etc"), &e)); /* it is there: as it is */
    assert_int_equal(stat(dir_path("etc/conf.d"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    T_ERR(fs_folder_like(dir_path("no/conf.d"), dir_path("etc"), &e), ERR_STORE);
    T_ERR(fs_folder_like(dir_path("x"), dir_path("none"), &e), ERR_STORE);
}

static void a_folder_is_locked_by_one(void **state)
{
    struct err e = { 0 };
    int fd, again;

    (void)state;
    fd = fs_lock_folder(dir_root, 0, &e);
    assert_true(fd >= 0);
    T_ERR_SAYS(fs_lock_folder(dir_root, 60, &e), ERR_BUSY, "another command is changing it");
    fs_unlock(fd);
    again = fs_lock_folder(dir_root, 0, &e);
    assert_true(again >= 0);
    fs_unlock(again);
    T_ERR(fs_lock_folder(dir_path("none"), 0, &e), ERR_STORE);
}

static void free_space(void **state)
{
    (void)state;
    assert_true(fs_free_bytes(dir_root) > 0);
    assert_true(fs_free_bytes(dir_path("none")) == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joining),
        DIR_TEST(readable_files),
        DIR_TEST(secrets_that_others_could_read),
        DIR_TEST(reading),
        DIR_TEST(secret_lines),
        DIR_TEST(replacing),
        DIR_TEST(creating_a_secret),
        DIR_TEST(private_folders),
        DIR_TEST(one_process_holds_the_lock),
        DIR_TEST(a_dead_process_holds_nothing),
        DIR_TEST(replacing_keeps_mode_and_owner),
        DIR_TEST(what_is_judged_is_what_is_read),
        DIR_TEST(in_a_closed_folder_for_its_group_alone),
        DIR_TEST(modes_are_not_set_through_links),
        DIR_TEST(acting_as_the_owner),
        DIR_TEST(folders_like_another),
        DIR_TEST(a_folder_is_locked_by_one),
        DIR_TEST(free_space),
    };

    return cmocka_run_group_tests_name("agent_fs", tests, NULL, NULL);
}
