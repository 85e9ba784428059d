/* Challenge plugins: which ones are loaded, and what becomes of answers that make no sense. */
#include "test/t.h"
#include <dlfcn.h>
#include "test/unit/agent_plugin.h"

/* Opening fails with ERR_CONFIG and says all of this. */
static void refused(const char *path, const char *what, const char *also)
{
    struct err e = { 0 };

    section.path = (char *)(uintptr_t)path;
    if (plugin_open(&agent, &section, &e) != NULL)
        fail_msg("%s was loaded", path);
    assert_int_equal(e.cls, ERR_CONFIG);
    if (strstr(e.msg, "plugin \"gate\"") == NULL || strstr(e.msg, what) == NULL
        || strstr(e.msg, also) == NULL)
        fail_msg("\"%s\" does not say \"%s\" and \"%s\"", e.msg, what, also);
}

static void what_is_no_plugin_of_ours(void **state)
{
    static const struct {
        const char *name, *says;
    } cases[] = {
        { "shell_abi", "made for ABI 2" },
        { "shell_small", "bytes, not" },
        { "shell_half", "verify" },
        { "shell_flags", "flags 0x100000" },
        { "shell_generates", "CERTFERRY_GENERATES" },
        { "nothing", "gave nothing" },
        { "stranger", "certferry_plugin_v1" },
        { "unresolved", "nobody_has_this" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refused(plugin_copy(cases[i].name, 0644), cases[i].says, "");
}

static void what_is_one(void **state)
{
    static const char *const names[] = { "shell", "shell_large", "probe" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct plugin *p = plugin_opened(names[i]);

        assert_int_equal(plugin_table(p)->size >= sizeof *plugin_table(p), 1);
        assert_ptr_equal(plugin_conf(p), &section);
        plugin_close(p);
    }
    plugin_close(NULL);
}

static void names_and_paths(void **state)
{
    (void)state;
    refused("otherwise", plugin_folder, "otherwise.so");
    refused("lib/gate.so", "lib/gate.so", "absolute");
    refused("../gate.so", "absolute", "");
    refused("", "absolute", "");
    refused("/nowhere/gate.so", "/nowhere", "");
}

/* SR-33, SR-34: whoever can write the file, a folder above it, or what a link leads to, would be us. */
static void files_that_others_may_write(void **state)
{
    static const unsigned modes[] = { 0664, 0646, 0666, 0777 };
    char path[DIR_PATH_LEN], inner[DIR_PATH_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        refused(plugin_copy("shell", modes[i]), "shell.so", "");
    (void)snprintf(path, sizeof path, "%s", plugin_copy("shell", 0644));
    assert_int_equal(symlink(path, dir_path("link.so")), 0);
    assert_int_equal(mkdir(dir_path("open"), 0700), 0);
    (void)snprintf(inner, sizeof inner, "%s", dir_path("open/shell.so"));
    assert_int_equal(link(path, inner), 0);
    assert_int_equal(chmod(dir_path("open"), 0777), 0);
    refused(inner, "open", "");
    assert_int_equal(symlink(inner, dir_path("outside.so")), 0);
    refused(dir_path("outside.so"), "open", "");
    refused(dir_root, dir_root, "");
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 65534, 65534), 0);
        refused(path, "shell.so", "");
        assert_int_equal(chown(path, 0, 0), 0);
    }
    refused(dir_path("absent.so"), "absent.so", "");
}

static void a_link_to_a_good_file(void **state)
{
    struct err e = { 0 };
    char path[DIR_PATH_LEN];
    struct plugin *p;

    (void)state;
    (void)snprintf(path, sizeof path, "%s", plugin_copy("shell", 0755));
    assert_int_equal(symlink(path, dir_path("link.so")), 0);
    section.path = (char *)(uintptr_t)dir_path("link.so");
    if ((p = plugin_open(&agent, &section, &e)) == NULL)
        fail_msg("%s", e.msg);
    plugin_close(p);
}

static void open_fails(void **state)
{
    static const struct {
        const char *setting, *says;
    } cases[] = {
        { "open=says", "tenant is?missing" },
        { "open=shouts", "xxxxxxxx" },
        { "open=silent", "does not say why" },
        { "open=flags", "flags 0x80" },
    };
    char path[DIR_PATH_LEN];

    (void)state;
    (void)snprintf(path, sizeof path, "%s", plugin_copy("probe", 0644));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        section.settings.count = 0;
        plugin_setting(cases[i].setting);
        refused(path, cases[i].says, "");
    }
    section.settings.count = 0;
}

/* What it learns in open() counts, and it is told when it is over. */
static void flags_after_open(void **state)
{
    struct plugin *p;
    const int *closed;

    (void)state;
    plugin_setting("open=learn");
    p = plugin_opened("probe");
    assert_int_equal(plugin_table(p)->flags, CERTFERRY_GENERATES | CERTFERRY_MANY_USES);
    closed = dlsym(p->library, "probe_closed");
    assert_non_null(closed);
    assert_int_equal(*closed, 0);
    plugin_close(p);
}

static void section_that_does_not_fit(void **state)
{
    char path[DIR_PATH_LEN], secret[DIR_PATH_LEN + 10], open[DIR_PATH_LEN + 10];

    (void)state;
    (void)snprintf(path, sizeof path, "%s", plugin_copy("shell", 0644));
    plugin_setting("a=1");
    plugin_setting("b");
    refused(path, "settings: entry 2", "");
    settings[1] = (char *)(uintptr_t) "=b";
    refused(path, "settings: entry 2", "");
    settings[1] = (char *)(uintptr_t) "a=2";
    refused(path, "settings: \"a\" twice", "");
    section.settings.count = 0;
    dir_write("open", "hunter2\n", 0644);
    dir_write("closed", "hunter2\n", 0600);
    (void)snprintf(secret, sizeof secret, "x=%s", dir_path("absent"));
    plugin_secret(secret);
    refused(path, "secret \"x\"", "absent");
    (void)snprintf(open, sizeof open, "x=%s", dir_path("open"));
    secrets[0] = open;
    refused(path, "secret \"x\"", "chmod 600");
    section.secrets.count = 0;
    section.client_secret_file = (char *)(uintptr_t)dir_path("closed");
    refused(path, "client id", "");
    section.client_id = (char *)(uintptr_t) "me";
    section.client_certificate = (char *)(uintptr_t)dir_path("client.pem");
    refused(path, "either", "");
    section.client_id = section.client_certificate = section.client_secret_file = NULL;
    section.signer_certificate = (char *)(uintptr_t)dir_path("client.pem");
    refused(path, "go together", "");
    section.decryption_certificate = section.signer_certificate;
    section.decryption_key = (char *)(uintptr_t)dir_path("client.key");
    refused(path, "not an RSA key", "");
}

/* ---- answers ---- */

static void verdict(struct plugin *p, const char *how, struct certferry_verdict *v)
{
    struct certferry_request r = { .size = sizeof r, .challenge = how };

    plugin_verify(p, &r, NULL, 3, v);
    assert_int_equal(v->size, sizeof *v);
    assert_non_null(memchr(v->why, '\0', sizeof v->why));
    assert_non_null(memchr(v->memo, '\0', sizeof v->memo));
}

/* Whatever makes no sense is a refusal that says so. */
static void answers(void **state)
{
    static const struct {
        const char *how;
        enum certferry_answer answer;
        const char *why;
    } cases[] = {
        { "", CERTFERRY_DENY, "no reason" },
        { "garbage", CERTFERRY_DENY, "answered 77" },
        { "endless", CERTFERRY_DENY, "wwwwww" },
        { "control", CERTFERRY_DENY, "no?way?[31m" },
        { "mixed", CERTFERRY_DENY, "no reason" },
        { "http", CERTFERRY_DENY, "question is refused" },
        { "https", CERTFERRY_ASK, "" },
        { "allow", CERTFERRY_ALLOW, "" },
        { "{\"profile\": \"wifi\"}", CERTFERRY_ALLOW, "" },
        { "{\"profile\": \"wifi\"", CERTFERRY_DENY, "claims are refused" },
        { "{\"a\": 1, \"a\": 2}", CERTFERRY_DENY, "claims are refused" },
        { "{} {}", CERTFERRY_DENY, "claims are refused" },
        { "[1]", CERTFERRY_DENY, "claims are refused" },
        { "later", CERTFERRY_LATER, "" },
        { "much later", CERTFERRY_LATER, "" },
    };
    struct plugin *p = plugin_opened("probe");
    struct certferry_verdict v;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(&v, 'z', sizeof v); /* nothing of what was there before may count */
        verdict(p, cases[i].how, &v);
        if (v.answer != cases[i].answer || strstr(v.why, cases[i].why) == NULL)
            fail_msg("%s: %d \"%s\"", cases[i].how, (int)v.answer, v.why);
        assert_int_equal(v.claims != NULL, cases[i].how[0] == '{' && v.answer == CERTFERRY_ALLOW);
        assert_int_equal(v.ask.url != NULL, v.answer == CERTFERRY_ASK);
        assert_int_equal(v.later_s != 0, v.answer == CERTFERRY_LATER);
        assert_true(v.later_s <= 86400);
        assert_int_equal(v.fail, CERTFERRY_BAD_REQUEST);
        assert_int_equal(v.hresult, strcmp(cases[i].how, "control") == 0 ? 0x80070490 : 0);
    }
    plugin_close(p);
}

static void notes_and_rounds(void **state)
{
    struct plugin *p = plugin_opened("probe");
    struct probe *probe = p->self;
    struct certferry_verdict v = { .memo = "from before" };

    (void)state;
    verdict(p, "allow", &v);
    assert_string_equal(probe->memo_seen, "from before");
    assert_string_equal(v.memo, "from before");
    assert_int_equal(probe->round, 3);
    plugin_close(p);
}

static void notified(void **state)
{
    struct plugin *p = plugin_opened("probe");
    struct certferry_request r = { .size = sizeof r, .challenge = "allow" };
    struct certferry_outcome o = { .size = sizeof o };
    struct certferry_verdict v = { .memo = "" };

    (void)state;
    plugin_notify(p, &r, &o, NULL, 0, &v);
    assert_int_equal(v.answer, CERTFERRY_ALLOW);
    assert_int_equal(((struct probe *)p->self)->notified, 1);
    r.challenge = "garbage";
    plugin_notify(p, &r, &o, NULL, 0, &v);
    assert_int_equal(v.answer, CERTFERRY_DENY);
    plugin_close(p);
    p = plugin_opened("shell"); /* has no notify: noted */
    plugin_notify(p, &r, &o, NULL, 0, &v);
    assert_int_equal(v.answer, CERTFERRY_ALLOW);
    plugin_close(p);
}

/* Asked at most every few seconds, however often a monitor comes. */
static void serving(void **state)
{
    struct plugin *p = plugin_opened("probe");
    struct probe *probe = p->self;
    struct err e;

    (void)state;
    for (int i = 0; i < 100; i++)
        T_OK(plugin_serving(p, &e));
    assert_int_equal(probe->serving_calls, 1);
    probe->serving_rc = -1;
    p->serving_at_ms -= 3000;
    for (int i = 0; i < 100; i++)
        T_ERR_SAYS(plugin_serving(p, &e), ERR_OPERATOR, "the key has expired");
    assert_int_equal(probe->serving_calls, 2);
    plugin_close(p);
    p = plugin_opened("shell");
    T_OK(plugin_serving(p, &e));
    plugin_close(p);
}

static void generated(void **state)
{
    static const char *const bad[] = { "broken", "long", "line", "empty", "number" };
    struct plugin *p = plugin_opened("probe");
    struct buf out = BUF_SECRET(1000);
    char why[200];
    struct err e;

    (void)state;
    assert_int_equal(plugin_generate(p, "ep", "User", "x", &out, why, &e), 1);
    assert_string_equal(buf_text(&out), "ep/User/x");
    assert_int_equal(plugin_generate(p, "ep", "full", "x", &out, why, &e), 0);
    assert_string_equal(why, "The password cache is full.");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(plugin_generate(p, "ep", bad[i], "x", &out, why, &e), -1);
        assert_non_null(strstr(e.msg, "gate"));
    }
    assert_string_equal(buf_text(&out), "ep/User/x");
    plugin_close(p);
    p = plugin_opened("shell");
    T_ERR(plugin_generate(p, "ep", "User", "x", &out, why, &e), ERR_UNSUPPORTED);
    plugin_close(p);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLUGIN_TEST(what_is_no_plugin_of_ours),
        PLUGIN_TEST(what_is_one),
        PLUGIN_TEST(names_and_paths),
        PLUGIN_TEST(files_that_others_may_write),
        PLUGIN_TEST(a_link_to_a_good_file),
        PLUGIN_TEST(open_fails),
        PLUGIN_TEST(flags_after_open),
        PLUGIN_TEST(section_that_does_not_fit),
        PLUGIN_TEST(answers),
        PLUGIN_TEST(notes_and_rounds),
        PLUGIN_TEST(notified),
        PLUGIN_TEST(serving),
        PLUGIN_TEST(generated),
    };

    return cmocka_run_group_tests_name("agent_plugin", tests, NULL, NULL);
}
