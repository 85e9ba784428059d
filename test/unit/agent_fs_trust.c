/* Which files may be loaded or run: nobody but root and us can change them, on no way that leads there. */
#include "test/t.h"
#include <errno.h>
#include "agent/base/fs.h"
#include "test/unit/agent_dir.h"

static void folder(const char *name, unsigned mode)
{
    assert_int_equal(mkdir(dir_path(name), 0700), 0);
    assert_int_equal(chmod(dir_path(name), (mode_t)mode), 0);
}

static void bad(const char *name, const char *text)
{
    struct err e = { 0 };

    T_ERR_SAYS(fs_trusted_file(dir_path(name), &e), ERR_CONFIG, text);
}

static void good(const char *name)
{
    struct err e = { 0 };

    T_OK(fs_trusted_file(dir_path(name), &e));
}

static void modes_of_the_file(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 01000; mode++) {
        dir_write("plugin.so", "x", mode);
        if ((mode & 022) == 0)
            good("plugin.so");
        else
            bad("plugin.so", "plugin.so: others may write it (mode 0");
    }
}

static void modes_of_folders(void **state)
{
    char text[100];

    (void)state;
    folder("one", 0700);
    folder("one/two", 0700);
    dir_write("one/two/plugin.so", "x", 0600);
    good("one/two/plugin.so");
    for (unsigned mode = 0700; mode < 01000; mode++) {
        assert_int_equal(chmod(dir_path("one"), (mode_t)mode), 0);
        (void)snprintf(text, sizeof text, "/one: others may write it (mode %04o)", mode);
        if ((mode & 022) == 0)
            good("one/two/plugin.so");
        else
            bad("one/two/plugin.so", text);
    }
    assert_int_equal(chmod(dir_path("one"), 01777), 0); /* as /tmp: what is ours stays ours */
    good("one/two/plugin.so");
}

static void symbolic_links(void **state)
{
    struct err e = { 0 };
    char loop[DIR_PATH_LEN];

    (void)state;
    folder("good", 0755);
    folder("open", 0777);
    dir_write("good/a.so", "x", 0644);
    dir_write("open/b.so", "x", 0644);
    assert_int_equal(symlink("good/a.so", dir_path("relative")), 0);
    assert_int_equal(symlink(dir_path("good/a.so"), dir_path("absolute")), 0);
    assert_int_equal(symlink("../good/./a.so", dir_path("good/up")), 0);
    assert_int_equal(symlink("good", dir_path("folder")), 0);
    assert_int_equal(symlink("../folder/up", dir_path("good/twice")), 0);
    assert_int_equal(symlink("open/b.so", dir_path("astray")), 0);
    assert_int_equal(symlink("open/../good/a.so", dir_path("through")), 0);
    assert_int_equal(symlink("nowhere", dir_path("dangling")), 0);
    assert_int_equal(symlink("loop", dir_path("loop")), 0);
    good("relative");
    good("absolute");
    good("good/up");
    good("folder/a.so");
    good("folder/twice");
    bad("astray", "/open: others may write it (mode 0777)");
    bad("astray", "/astray cannot be trusted");
    bad("through", "/open: others may write it");
    bad("dangling", "/nowhere: No such file");
    bad("loop", "too many symbolic links");
    (void)snprintf(loop, sizeof loop, "%s", dir_path("good/a.so"));
    T_OK(fs_trusted_file(loop, &e));
}

static void owners(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    folder("theirs", 0755);
    dir_write("theirs/a.so", "x", 0644);
    dir_write("b.so", "x", 0644);
    dir_write("c.so", "x", 0644);
    assert_int_equal(symlink("c.so", dir_path("link")), 0);
    good("link");
    assert_int_equal(chown(dir_path("theirs"), 4711, 0), 0);
    assert_int_equal(chown(dir_path("b.so"), 4711, 0), 0);
    assert_int_equal(lchown(dir_path("link"), 4711, 0), 0);
    bad("theirs/a.so", "/theirs: belongs to user 4711");
    bad("b.so", "/b.so: belongs to user 4711, who is neither root nor us (mode 0644)");
    bad("link", "/link: belongs to user 4711");
}

static void what_is_no_file(void **state)
{
    struct err e = { 0 };
    char longest[6000];

    (void)state;
    folder("folder", 0755);
    bad("folder", "not a file");
    bad("none", "/none: No such file");
    bad("folder/none", "No such file");
    dir_write("file", "x", 0600);
    bad("file/none", "Not a directory");
    T_ERR_SAYS(fs_trusted_file("plugin.so", &e), ERR_CONFIG, "absolute");
    T_ERR_SAYS(fs_trusted_file("", &e), ERR_CONFIG, "absolute");
    T_ERR_SAYS(fs_trusted_file("/", &e), ERR_CONFIG, "not a file");
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    T_ERR(fs_trusted_file(longest, &e), ERR_CONFIG);
    for (size_t i = 0; i < sizeof longest - 2; i += 2)
        memcpy(longest + i, "/a", 2);
    T_ERR(fs_trusted_file(longest, &e), ERR_CONFIG);
}

static void executables(void **state)
{
    struct err e = { 0 };

    (void)state;
    dir_write("program", "#!/bin/sh\n", 0700);
    T_OK(fs_executable(dir_path("program"), &e));
    dir_write("program", "#!/bin/sh\n", 0600);
    T_ERR_SAYS(fs_executable(dir_path("program"), &e), ERR_CONFIG, "may not be run");
    T_ERR_SAYS(fs_executable(dir_path("none"), &e), ERR_CONFIG, "No such file");
    T_ERR_SAYS(fs_executable(dir_root, &e), ERR_CONFIG, "not a file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIR_TEST(modes_of_the_file),
        DIR_TEST(modes_of_folders),
        DIR_TEST(symbolic_links),
        DIR_TEST(owners),
        DIR_TEST(what_is_no_file),
        DIR_TEST(executables),
    };

    return cmocka_run_group_tests_name("agent_fs_trust", tests, NULL, NULL);
}
