/* Settings that commands change: all or nothing, tried before anything is written. */
#include "test/t.h"
#include <dirent.h>
#include <sys/file.h>
#include <sys/wait.h>
#include "agent/conf/conf_write.h"
#include "test/unit/agent_dir.h"

#define CLOUD "cloud { url = \"https://policy.contoso.example/ccp\" }\n"
#define CA                                                  \
    "ca \"issuing1\" {\n"                                   \
    "    type = \"adcs\"\n"                                 \
    "    url = \"https://ca01.contoso.example/certsrv/\"\n" \
    "    anchors = \"root.pem\"\n"                          \
    "    templates = {\"ContosoUser\", \"Wi-Fi User\"}\n"   \
    "}\n"

static const char *const main_file = "certferry.conf";

static int set(
    const char *section, const char *title, const char *key, const char *value, struct err *e)
{
    const struct conf_change ch = { section, title, key, value };

    return conf_change(dir_path(main_file), "90-config", &ch, 1, e);
}

static struct conf *load(void)
{
    struct err e = { 0 };
    struct conf *c = conf_load(dir_path(main_file), &e);

    if (c == NULL)
        fail_msg("%s %s (%s)", err_name(e.cls), e.msg, e.where);
    return c;
}

static unsigned mode_of(const char *name)
{
    struct stat st;

    assert_int_equal(stat(dir_path(name), &st), 0);
    return st.st_mode & 07777;
}

static bool is_there(const char *name)
{
    return access(dir_path(name), F_OK) == 0;
}

static size_t count_files(const char *name)
{
    DIR *d = opendir(dir_path(name));
    size_t n = 0;

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
    (void)closedir(d);
    return n;
}

/* The text of the drop-in without its first line. */
static void drop_in_is(const char *name, const char *text)
{
    struct buf b = BUF_INIT(100000);
    const char *second;

    dir_read(name, &b);
    second = strchr(buf_text(&b), '\n');
    assert_non_null(second);
    assert_string_equal(second + 1, text);
    buf_free(&b);
}

/* ---- what is written ---- */

static void a_drop_in_is_made(void **state)
{
    struct buf b = BUF_INIT(100000);
    struct err e = { 0 };
    struct conf *c;

    (void)state;
    dir_write(main_file, CLOUD CA, 0640);
    T_OK(set("cloud", NULL, "poll_interval", "77", &e));
    T_OK(set("ca", "issuing1", "url", "https://ca02.contoso.example/certsrv/", &e));
    c = load();
    assert_int_equal(c->cloud.poll_interval, 77);
    assert_string_equal(c->cas[0].url, "https://ca02.contoso.example/certsrv/");
    assert_int_equal(c->ca_count, 1);
    conf_free(c);
    assert_int_equal(mode_of("conf.d/90-config.conf"), 0640); /* as the main file */
    dir_read("conf.d/90-config.conf", &b);
    assert_int_equal(strncmp(buf_text(&b), "# Written by \"certferry config\"", 30), 0);
    buf_free(&b);
    drop_in_is("conf.d/90-config.conf",
        "cloud {\n    poll_interval = 77\n}\n"
        "ca \"issuing1\" {\n    url = \"https://ca02.contoso.example/certsrv/\"\n}\n");
    dir_read(main_file, &b);
    assert_string_equal(buf_text(&b), CLOUD CA);
    buf_free(&b);
    assert_int_equal(count_files("conf.d"), 1);
    assert_int_equal(count_files("."), 2); /* no lock, no temporary file */
}

/* The service reads it by its group, and nobody else does: the package's folders, and a file that all may read. */
static void for_the_service_alone(void **state)
{
    struct err e = { 0 };
    struct stat st;

    (void)state;
    dir_write(main_file, CLOUD CA, 0644);
    assert_int_equal(chmod(dir_root, 0750), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(dir_root, 0, 4712), 0);
    T_OK(set("keys", NULL, "pool", "1", &e));
    assert_int_equal(mode_of("conf.d"), 0750); /* made like the folder it is in */
    assert_int_equal(mode_of("conf.d/90-config.conf"), 0640);
    assert_int_equal(stat(dir_path("conf.d/90-config.conf"), &st), 0);
    if (geteuid() == 0)
        assert_true(st.st_uid == 0 && st.st_gid == 4712);
    T_OK(set("keys", NULL, "pool", "2", &e)); /* and when it is replaced */
    assert_int_equal(mode_of("conf.d/90-config.conf"), 0640);
    assert_int_equal(stat(dir_path("conf.d/90-config.conf"), &st), 0);
    if (geteuid() == 0)
        assert_true(st.st_uid == 0 && st.st_gid == 4712);
}

static void every_type_and_odd_characters(void **state)
{
    struct err e = { 0 };
    struct conf *c;

    (void)state;
    dir_write(main_file, CLOUD CA, 0644);
    T_OK(set("pkcs12", NULL, "include_root", "yes", &e));
    T_OK(set("log", NULL, "level", "debug", &e));
    T_OK(set("cloud", NULL, "group", "a \"b\" \\ ${HOME} # // 'c'", &e));
    T_OK(set("ca", "issuing1", "templates", "A, \"Wi-Fi User\"  B", &e));
    T_OK(set("proxy", NULL, "no_proxy", "10.0.0.0/8,.corp.example", &e));
    T_OK(set("store", NULL, "dir", "there", &e));
    T_OK(set("store", NULL, "dir", "here", &e)); /* reads what it wrote */
    c = load();
    assert_true(c->pkcs12.include_root);
    assert_string_equal(c->log.level, "debug");
    assert_string_equal(c->cloud.group, "a \"b\" \\ ${HOME} # // 'c'");
    assert_int_equal(c->cas[0].templates.count, 3);
    assert_string_equal(c->cas[0].templates.at[1], "Wi-Fi User");
    assert_string_equal(c->proxy.no_proxy.at[1], ".corp.example");
    assert_string_equal(c->store.dir, dir_path("here"));
    conf_free(c);
}

static void unset_takes_away_and_then_the_file(void **state)
{
    struct err e = { 0 };

    (void)state;
    dir_write(main_file, CLOUD CA, 0644);
    T_OK(set("keys", NULL, "pool", "1", &e));
    T_OK(set("keys", NULL, "workers", "1", &e));
    T_OK(set("keys", NULL, "pool", NULL, &e));
    drop_in_is("conf.d/90-config.conf", "keys {\n    workers = 1\n}\n");
    T_OK(set("keys", NULL, "pool", NULL, &e)); /* again: fine */
    T_OK(set("keys", NULL, "workers", NULL, &e));
    assert_false(is_there("conf.d/90-config.conf"));
    T_OK(set("keys", NULL, "workers", NULL, &e));
    assert_false(is_there("conf.d/90-config.conf"));
}

static void what_somebody_else_wrote_stays(void **state)
{
    struct err e = { 0 };

    (void)state;
    assert_int_equal(mkdir(dir_path("conf.d"), 0755), 0);
    dir_write(main_file, CLOUD CA, 0644);
    dir_write("conf.d/90-config.conf",
        "/* mine */\nkeys { pool = 3 }\nca issuing1 { templates = {A, B} }\n", 0600);
    T_OK(set("keys", NULL, "workers", "2", &e));
    drop_in_is("conf.d/90-config.conf", "ca \"issuing1\" {\n    templates = {\"A\", \"B\"}\n}\n"
                                        "keys {\n    pool = 3\n    workers = 2\n}\n");
    assert_int_equal(mode_of("conf.d/90-config.conf"), 0600); /* kept */
}

/* ---- what is refused ---- */

static void nothing_is_changed_by(const char *section, const char *title, const char *key,
    const char *value, enum err_class cls, const char *says)
{
    struct err e = { 0 };

    T_ERR_SAYS(set(section, title, key, value, &e), cls, says);
    assert_false(is_there("conf.d"));
}

static void a_wrong_value_changes_nothing(void **state)
{
    (void)state;
    dir_write(main_file, CLOUD CA, 0644);
    nothing_is_changed_by(
        "cloud", NULL, "poll_interval", "0", ERR_CONFIG, "0 is not between 1 and 86400");
    nothing_is_changed_by("cloud", NULL, "poll_interval", "5 s", ERR_CONFIG,
        "90-config.conf: cloud.poll_interval: \"5 s\" is not a whole number");
    nothing_is_changed_by("cloud", NULL, "poll_interval", "", ERR_CONFIG, "not a whole number");
    nothing_is_changed_by(
        "cloud", NULL, "poll_interval", "99999999999999999999", ERR_CONFIG, "not a whole number");
    nothing_is_changed_by(
        "pkcs12", NULL, "include_root", "maybe", ERR_CONFIG, "neither true nor false");
    nothing_is_changed_by("cloud", NULL, "url", "http//x", ERR_CONFIG, "cloud.url: ");
    nothing_is_changed_by("log", NULL, "level", "loud", ERR_CONFIG, "is none of");
    nothing_is_changed_by("cloud", NULL, "group", "a\nb", ERR_CONFIG, "a control character");
    nothing_is_changed_by("ca", "issuing1", "templates", " ,", ERR_CONFIG, "unset it instead");
    nothing_is_changed_by("cloud", NULL, "colour", "1", ERR_INPUT, "cloud.colour: no such option");
    nothing_is_changed_by("ca", NULL, "url", "1", ERR_INPUT, "section ca needs a title");
    nothing_is_changed_by("log", "x", "level", "info", ERR_INPUT, "section log has no title");
    nothing_is_changed_by("ca", "", "url", "https://x/", ERR_CONFIG, "needs a name");
}

/* It loads by itself, but not with the rest. */
static void a_change_that_breaks_the_whole_is_refused(void **state)
{
    (void)state;
    dir_write(main_file, CLOUD CA, 0644);
    nothing_is_changed_by("cloud", NULL, "url", "", ERR_CONFIG, "cloud.url: must be set");
    nothing_is_changed_by(
        "ca", "issuing2", "url", "https://x.example/", ERR_CONFIG, "ca \"issuing2\".type");
    nothing_is_changed_by("ca", "issuing1", "auth", "ntlm", ERR_CONFIG, "credentials_file");
}

static void all_or_none(void **state)
{
    const struct conf_change both[] = { { "keys", NULL, "pool", "1" },
        { "keys", NULL, "workers", "9999" } };
    struct err e = { 0 };

    (void)state;
    dir_write(main_file, CLOUD CA, 0644);
    T_ERR(conf_change(dir_path(main_file), "60-proxy", both, 2, &e), ERR_CONFIG);
    assert_false(is_there("conf.d"));
    T_OK(conf_change(dir_path(main_file), "60-proxy.conf", both, 1, &e));
    assert_true(is_there("conf.d/60-proxy.conf"));
    T_ERR(conf_change(dir_path(main_file), "../60-proxy", both, 1, &e), ERR_INPUT);
    T_ERR(conf_change(dir_path(main_file), ".60", both, 1, &e), ERR_INPUT);
}

/* One that lacks something is completed step by step; one that is wrong is not written to. */
static void an_incomplete_configuration_is_completed(void **state)
{
    const struct conf_change ca[] = { { "ca", "a", "type", "est" },
        { "ca", "a", "url", "https://ca.example" }, { "ca", "a", "anchors", "root.pem" },
        { "ca", "a", "templates", "T" } };
    struct err e = { 0 }, missing;
    struct conf *c;

    (void)state;
    dir_write(main_file, "# nothing yet\n", 0644);
    T_OK(set("cloud", NULL, "url", "https://policy.contoso.example", &e));
    c = conf_load_incomplete(dir_path(main_file), &missing, &e);
    assert_non_null(c);
    assert_int_equal(missing.cls, ERR_CONFIG);
    assert_non_null(strstr(missing.msg, "no ca section"));
    conf_free(c);
    T_OK(conf_change(dir_path(main_file), "90-config", ca, 4, &e));
    conf_free(load());
    T_ERR(set("ca", "a", "templates", NULL, &e), ERR_CONFIG); /* complete now, and stays so */
    dir_write(main_file, "cloud { colour = 1 }\n", 0644);
    T_ERR_SAYS(set("keys", NULL, "pool", "1", &e), ERR_CONFIG, "certferry.conf:1: cloud.colour");
}

static void a_trial_writes_nothing(void **state)
{
    const struct conf_change ch = { "keys", NULL, "pool", "5" };
    struct err e = { 0 };
    struct conf *c = NULL;

    (void)state;
    dir_write(main_file, CLOUD CA, 0644);
    T_OK(conf_change_try(dir_path(main_file), "90-config", &ch, 1, &c, &e));
    assert_int_equal(c->keys.pool, 5);
    conf_free(c);
    assert_false(is_there("conf.d"));
}

/* Where it would stand: what a later drop-in sets counts. */
static void the_trial_keeps_the_order(void **state)
{
    static const char *const names[] = { "10-a", "50-x", "90-z" };
    const struct conf_change ch = { "keys", NULL, "pool", "5" };
    struct err e = { 0 };
    struct conf *c = NULL;

    (void)state;
    assert_int_equal(mkdir(dir_path("conf.d"), 0755), 0);
    dir_write(main_file, CLOUD CA, 0644);
    dir_write("conf.d/20-a.conf", "keys { workers = 2 }", 0644);
    dir_write("conf.d/60-b.conf", "keys { pool = 6 }", 0644);
    for (size_t i = 0; i < 3; i++) {
        T_OK(conf_change_try(dir_path(main_file), names[i], &ch, 1, &c, &e));
        assert_int_equal(c->keys.pool, i == 2 ? 5 : 6);
        assert_int_equal(c->keys.workers, 2);
        conf_free(c);
    }
}

/* ---- several at once ---- */

static void two_commands_at_once_lose_nothing(void **state)
{
    enum { EACH = 8 };
    static const char *const keys[] = { "pool", "workers" };
    char value[16];
    struct err e = { 0 };
    struct conf *c;
    pid_t pid[2];
    int status;

    (void)state;
    dir_write(main_file, CLOUD CA, 0644);
    for (int p = 0; p < 2; p++)
        if ((pid[p] = fork()) == 0) {
            for (int i = 1; i <= EACH; i++) {
                (void)snprintf(value, sizeof value, "%d", i);
                if (set("keys", NULL, keys[p], value, &e) != 0)
                    _exit(1);
            }
            _exit(0);
        }
    for (int p = 0; p < 2; p++) {
        assert_int_equal(waitpid(pid[p], &status, 0), pid[p]);
        assert_int_equal(status, 0);
    }
    c = load();
    assert_int_equal(c->keys.pool, EACH);
    assert_int_equal(c->keys.workers, EACH);
    conf_free(c);
}

static void a_folder_that_cannot_be_written(void **state)
{
    struct err e = { 0 };

    (void)state;
    dir_write(main_file, CLOUD CA, 0644);
    dir_write("conf.d", "a file", 0644);
    T_ERR_SAYS(set("keys", NULL, "pool", "1", &e), ERR_CONFIG, "conf.d");
    assert_int_equal(conf_change(dir_path("nowhere/c.conf"), "90-config", NULL, 0, &e), -1);
    assert_int_equal(e.cls, ERR_STORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIR_TEST(a_drop_in_is_made),
        DIR_TEST(for_the_service_alone),
        DIR_TEST(every_type_and_odd_characters),
        DIR_TEST(unset_takes_away_and_then_the_file),
        DIR_TEST(what_somebody_else_wrote_stays),
        DIR_TEST(a_wrong_value_changes_nothing),
        DIR_TEST(a_change_that_breaks_the_whole_is_refused),
        DIR_TEST(all_or_none),
        DIR_TEST(an_incomplete_configuration_is_completed),
        DIR_TEST(a_trial_writes_nothing),
        DIR_TEST(the_trial_keeps_the_order),
        DIR_TEST(two_commands_at_once_lose_nothing),
        DIR_TEST(a_folder_that_cannot_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
