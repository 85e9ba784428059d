/* What makes a configuration another one, and where its store is while it does not load. */
#include "test/t.h"
#include <stdlib.h>
#include <sys/stat.h>
#include "agent/conf/conf.h"
#include "test/unit/agent_dir.h"

static const char base[] =
    "cloud { url = \"https://cloud.example/\" trust = \"trust.pem\" }\n"
    "ca \"a\" { type = \"est\" url = \"https://a.example/\" credentials_file = \"a.txt\" anchors = "
    "\"anchors.pem\" "
    "auth = \"basic\" templates = {\"One\", \"Two\"} }\n"
    "listen \"web\" { address = \"127.0.0.1:0\" certificate = \"web.pem\" key = \"web.key\" }\n"
    "scep \"s\" { ca = \"a\" paths = {\"/s\"} challenge = \"none\" general_template = \"One\" "
    "ra_certificate = \"ra.pem\" ra_key = \"ra.key\" }\n";

static uint64_t stamp(const char *text)
{
    struct conf *c;
    struct err e;
    uint64_t h;

    dir_write("c.conf", text, 0600);
    if ((c = conf_load(dir_path("c.conf"), &e)) == NULL)
        fail_msg("%s", e.msg);
    h = conf_stamp(c);
    conf_free(c);
    return h;
}

static uint64_t with(const char *more)
{
    char text[4096];

    (void)snprintf(text, sizeof text, "%s%s", base, more);
    return stamp(text);
}

static void values(void **state)
{
    static const char *const changes[] = { "log { level = \"debug\" }", "keys { pool = 3 }",
        "pkcs12 { include_root = true }", "ca \"a\" { templates = {\"One\"} }",
        "ca \"a\" { templates = {\"One\", \"Two\", \"Three\"} }",
        "ca \"a\" { templates = {\"One\", \"Two,Three\"} }", "ca \"a\" { label = \"x\" }",
        "ca \"b\" { type = \"est\" anchors = \"anchors.pem\" url = \"https://a.example/\" "
        "templates = {\"X\"} }",
        "listen \"web\" { address = \"127.0.0.1:1\" }",
        "listen \"web\" { certificate = \"other.pem\" }" };
    uint64_t first = with(""), all[sizeof changes / sizeof changes[0]];

    (void)state;
    assert_true(with("") == first);
    assert_true(with("# a comment\n\n") == first);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        all[i] = with(changes[i]);
        assert_true(all[i] != first);
        for (size_t k = 0; k < i; k++)
            assert_true(all[i] != all[k]);
    }
}

static void files(void **state)
{
    uint64_t first = with(""), second;

    (void)state;
    dir_write("a.txt", "user:one", 0600);
    assert_true((second = with("")) != first); /* a credential, read at the start only */
    dir_write("trust.pem", "x", 0600);
    assert_true(with("") != second);
    second = with("");
    dir_write("web.pem", "new", 0600); /* is read again by a running service */
    dir_write("web.key", "new", 0600);
    dir_write("ra.pem", "new", 0600);
    assert_true(with("") == second);
}

static void secrets(void **state)
{
    char text[8192];
    uint64_t first;

    (void)state;
    (void)snprintf(text, sizeof text,
        "%splugin \"p\" { path = \"/p.so\" secrets = {\"key=%s\"} }\n", base, dir_path("p.txt"));
    dir_write("p.txt", "one", 0600);
    first = stamp(text);
    dir_write("p.txt", "longer", 0600);
    assert_true(stamp(text) != first);
}

static void store_of_a_broken_one(void **state)
{
    static const struct {
        const char *text, *dir;
    } rows[] = {
        { "nonsense", "/var/lib/certferry" },
        { "store { dir = \"/a\" }\nnonsense", "/a" },
        { "store {\n  grace = 1\n  dir = \"/b\"\n}\nnonsense", "/b" },
        { "store\n{\n\tdir=/c\n}\nnonsense", "/c" },
        { "store { # dir\n dir = \"/d\" # here\n}\nlog { dir = \"/x\" }\nnonsense", "/d" },
        { "store { dir = \"/e\" }\nstore { dir = \"/f\" }\nnonsense", "/f" },
        { "restore { dir = \"\" }\nnonsense", "/var/lib/certferry" },
    };
    char dir[4096];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dir_write("c.conf", rows[i].text, 0600);
        conf_store_dir(dir_path("c.conf"), dir, sizeof dir);
        assert_string_equal(dir, rows[i].dir);
    }
    dir_write("c.conf", "store { dir = \"below\" }\nnonsense", 0600);
    conf_store_dir(dir_path("c.conf"), dir, sizeof dir);
    assert_string_equal(dir, dir_path("below"));
    dir_write("c.conf", base, 0600);
    conf_store_dir(dir_path("c.conf"), dir, sizeof dir);
    assert_string_equal(dir, "/var/lib/certferry");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(files),
        cmocka_unit_test(secrets),
        cmocka_unit_test(store_of_a_broken_one),
    };
    return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
