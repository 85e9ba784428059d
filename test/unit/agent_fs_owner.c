/* Root and the service's user: acting as him, believing him, asking what he can read. */
#include "test/t.h"
#include <grp.h>
#include <sys/wait.h>
#include "agent/base/fs.h"
#include "test/unit/agent_dir.h"

static bool root(void)
{
    return geteuid() == 0;
}

static void root_acts_as_the_owner(void **state)
{
    struct fs_self self;
    struct err e = { 0 };
    struct stat st;
    gid_t mine[64], some[] = { 0, 4720 }, then[64];
    int count = getgroups(64, mine);

    (void)state;
    if (!root())
        skip();
    assert_int_equal(setgroups(2, some), 0);
    assert_int_equal(chmod(dir_root, 0711), 0);
    dir_write("roots", "x", 0600);
    assert_int_equal(mkdir(dir_path("his"), 0700), 0);
    assert_int_equal(chown(dir_path("his"), 4711, 4712), 0);
    assert_int_equal(symlink(dir_path("roots"), dir_path("his/link")), 0);
    T_OK(fs_as_owner(dir_path("his"), &self, &e));
    assert_true(geteuid() == 4711 && getegid() == 4712 && getgroups(0, NULL) == 0);
    T_OK(fs_replace(dir_path("his/new"), view_text("x"), 0600, &e));
    assert_int_equal(open(dir_path("his/link"), O_WRONLY), -1); /* leads nowhere */
    assert_int_equal(chmod(dir_path("his/link"), 0666), -1);
    fs_as_self(&self);
    assert_true(geteuid() == 0 && getegid() == 0 && getgroups(64, then) == 2);
    assert_true(then[0] == 0 && then[1] == 4720);
    assert_int_equal(setgroups((size_t)count, mine), 0);
    assert_int_equal(stat(dir_path("his/new"), &st), 0);
    assert_true(st.st_uid == 4711 && st.st_gid == 4712);
    assert_int_equal(stat(dir_path("roots"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    T_OK(fs_as_owner(dir_root, &self, &e)); /* our own folder */
    assert_int_equal(geteuid(), 0);
    fs_as_self(&self);
    T_OK(fs_as_owner(dir_path("none"), &self, &e));
    assert_false(self.changed);
}

/* What root loads or runs has root's rights, whoever root acts as: the owner's file would be root in no time. */
static void who_acts_as_the_owner_runs_nothing_of_his(void **state)
{
    struct fs_self self;
    struct err e = { 0 };

    (void)state;
    if (!root())
        skip();
    assert_int_equal(chmod(dir_root, 0711), 0);
    assert_int_equal(mkdir(dir_path("his"), 0755), 0);
    dir_write("his/plugin.so", "x", 0755);
    dir_write("ours.so", "x", 0755);
    assert_int_equal(chown(dir_path("his/plugin.so"), 4711, 4712), 0);
    T_ERR(fs_trusted_file(dir_path("his/plugin.so"), &e), ERR_CONFIG);
    assert_int_equal(chown(dir_path("his"), 4711, 4712), 0);
    T_OK(fs_as_owner(dir_path("his"), &self, &e));
    T_ERR(fs_trusted_file(dir_path("his/plugin.so"), &e), ERR_CONFIG);
    T_OK(fs_trusted_file(dir_path("ours.so"), &e));
    fs_as_self(&self);
}

static void what_the_owner_reads(void **state)
{
    (void)state;
    if (!root())
        skip();
    assert_int_equal(chmod(dir_root, 0711), 0);
    assert_int_equal(mkdir(dir_path("store"), 0700), 0);
    assert_int_equal(chown(dir_path("store"), 4711, 4712), 0);
    dir_write("file", "x", 0600);
    assert_false(fs_owner_reads(dir_path("store"), dir_path("file")));
    assert_true(fs_owner_reads(dir_root, dir_path("file"))); /* root's folder */
    assert_int_equal(chmod(dir_path("file"), 0640), 0);
    assert_false(fs_owner_reads(dir_path("store"), dir_path("file")));
    assert_int_equal(chown(dir_path("file"), 0, 4712), 0);
    assert_true(fs_owner_reads(dir_path("store"), dir_path("file")));
    assert_int_equal(chmod(dir_root, 0700), 0); /* a folder above it */
    assert_false(fs_owner_reads(dir_path("store"), dir_path("file")));
    assert_int_equal(geteuid(), 0);
}

/* He owns the folder above, and has put a link in the place of his own. */
static void a_link_is_its_owners_doing(void **state)
{
    struct fs_self self;
    struct err e = { 0 };

    (void)state;
    if (!root())
        skip();
    assert_int_equal(chmod(dir_root, 0711), 0);
    assert_int_equal(mkdir(dir_path("above"), 0755), 0);
    assert_int_equal(chown(dir_path("above"), 4711, 4712), 0);
    assert_int_equal(mkdir(dir_path("strangers"), 0755), 0);
    assert_int_equal(chown(dir_path("strangers"), 4713, 4712), 0);
    assert_int_equal(mkdir(dir_path("roots"), 0755), 0);
    assert_int_equal(symlink(dir_path("strangers"), dir_path("above/store")), 0);
    assert_int_equal(lchown(dir_path("above/store"), 4711, 4712), 0);
    assert_int_equal(symlink(dir_path("roots"), dir_path("above/other")), 0);
    assert_int_equal(lchown(dir_path("above/other"), 4711, 4712), 0);
    assert_int_equal(symlink("strangers", dir_path("by-root")), 0);
    T_OK(fs_as_owner(dir_path("above/store"), &self, &e));
    assert_int_equal(geteuid(), 4711);
    T_ERR(fs_replace(dir_path("above/store/new"), view_text("x"), 0600, &e), ERR_STORE);
    fs_as_self(&self);
    T_OK(fs_as_owner(dir_path("above/other"), &self, &e));
    assert_int_equal(geteuid(), 4711);
    fs_as_self(&self);
    T_OK(fs_as_owner(dir_path("by-root"), &self, &e)); /* an administrator's */
    assert_int_equal(geteuid(), 4713);
    fs_as_self(&self);
}

/* What root alone can read is nobody else's secret, though his link leads to it. */
static void a_link_makes_no_secret_of_roots_file(void **state)
{
    struct buf out = BUF_SECRET(100);
    struct err e = { 0 };

    (void)state;
    if (!root())
        skip();
    dir_write("roots", "token of root", 0600);
    assert_int_equal(symlink("roots", dir_path("his")), 0);
    assert_int_equal(symlink("roots", dir_path("by-root")), 0);
    T_OK(fs_read_secret(dir_path("roots"), &out, &e));
    T_OK(fs_read_secret(dir_path("by-root"), &out, &e));
    buf_reset(&out);
    assert_int_equal(lchown(dir_path("his"), 4711, 4712), 0);
    T_ERR(fs_read_secret(dir_path("his"), &out, &e), ERR_CONFIG);
    assert_non_null(strstr(e.msg, "a link of user 4711"));
    assert_int_equal(out.len, 0);
    assert_int_equal(chmod(dir_path("roots"), 0440), 0); /* systemd's credentials are for him */
    T_OK(fs_read_secret(dir_path("his"), &out, &e));
    buf_free(&out);
}

/* For the whole program, so in a process of its own. */
static void root_believes_the_owner(void **state)
{
    struct err e = { 0 };
    int status;
    pid_t pid;

    (void)state;
    if (!root())
        skip();
    dir_write("his", "secret", 0600);
    dir_write("strangers", "secret", 0600);
    assert_int_equal(mkdir(dir_path("store"), 0700), 0);
    assert_int_equal(chown(dir_path("store"), 4711, 4712), 0);
    assert_int_equal(chown(dir_path("his"), 4711, 4712), 0);
    assert_int_equal(chown(dir_path("strangers"), 4713, 4712), 0);
    T_ERR(fs_readable(dir_path("his"), true, &e), ERR_CONFIG);
    if ((pid = fork()) == 0) {
        fs_trust_owner(dir_path("store"));
        _exit(fs_readable(dir_path("his"), true, &e) == 0
                      && fs_private_dir(dir_path("store"), &e) == 0
                      && fs_readable(dir_path("strangers"), true, &e) != 0 && geteuid() == 0
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIR_TEST(root_acts_as_the_owner),
        DIR_TEST(who_acts_as_the_owner_runs_nothing_of_his),
        DIR_TEST(what_the_owner_reads),
        DIR_TEST(a_link_is_its_owners_doing),
        DIR_TEST(a_link_makes_no_secret_of_roots_file),
        DIR_TEST(root_believes_the_owner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
