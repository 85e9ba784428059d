/* The sealed folder of an administrator's secrets: names, values, who may read them, what an option names. */
#include "test/t.h"
#include "agent/conf/conf.h"
#include "agent/secrets/secret.h"
#include "certs/mem.h"
#include "test/unit/agent_dir.h"

static struct lib *lib;
static struct vault vault;
static struct secrets *secrets;

static int group_begin(void **state)
{
    struct err e;

    (void)state;
    return (lib = lib_new(&e)) != NULL ? 0 : -1;
}

static int group_end(void **state)
{
    (void)state;
    lib_free(lib);
    return 0;
}

static int begin(void **state)
{
    struct err e;

    (void)unsetenv("CREDENTIALS_DIRECTORY");
    return dir_make(state) == 0 && vault_open(&vault, lib, dir_root, NULL, true, &e) == 0
                   && (secrets = secrets_open(dir_root, &vault, lib, &e)) != NULL
               ? 0
               : -1;
}

static int end(void **state)
{
    secrets_close(secrets);
    vault_close(&vault);
    return dir_remove(state);
}

/* ---- one value ---- */

static void there_and_back(void **state)
{
    struct buf out = BUF_SECRET(SECRET_BYTES_MAX), file = BUF_INIT(100000);
    struct err e = { 0 };
    struct stat st;

    (void)state;
    assert_int_equal(access(dir_path("secrets"), F_OK), -1); /* nothing is made before */
    T_OK(secrets_put(secrets, "proxy", view_text("user:pass word"), &e));
    T_OK(secrets_get(secrets, "proxy", &out, &e));
    assert_true(view_equal(buf_view(&out), view_text("user:pass word")));
    assert_int_equal(stat(dir_path("secrets"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(dir_path("secrets/proxy"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    dir_read("secrets/proxy", &file);
    assert_null(memmem(file.p, file.len, "pass word", 9));

    T_OK(secrets_put(secrets, "proxy", view_text("another"), &e)); /* replaces; get appends */
    T_OK(secrets_get(secrets, "proxy", &out, &e));
    assert_true(view_equal(buf_view(&out), view_text("user:pass wordanother")));
    T_OK(secrets_drop(secrets, "proxy", &e));
    T_ERR_SAYS(secrets_get(secrets, "proxy", &out, &e), ERR_GONE, "certferry secret set proxy");
    T_ERR(secrets_drop(secrets, "proxy", &e), ERR_GONE);
    assert_int_equal(out.len, 21);
    buf_free(&out);
    buf_free(&file);
}

static void names(void **state)
{
    static const char *const good[] = { "a", "0", "a.b-c_d", "certferry.key",
        "123456789012345678901234567890123456789012345678901234567890123" };
    static const char *const bad[] = { "", ".", "..", ".hidden", "-x", "_x", "a/b", "../x", "A",
        "a b", "a\n", "\xc3\xa4",
        "1234567890123456789012345678901234567890123456789012345678901234" };
    struct buf out = BUF_SECRET(100);
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        T_OK(secrets_put(secrets, good[i], view_text("x"), &e));
        T_OK(secrets_get(secrets, good[i], &out, &e));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        T_ERR(secrets_put(secrets, bad[i], view_text("x"), &e), ERR_INPUT);
        T_ERR(secrets_get(secrets, bad[i], &out, &e), ERR_INPUT);
        T_ERR(secrets_drop(secrets, bad[i], &e), ERR_INPUT);
    }
    assert_true(secret_name_is_ours("certferry.key"));
    assert_false(secret_name_is_ours("certferry"));
    buf_free(&out);
}

static void sizes(void **state)
{
    static uint8_t much[SECRET_BYTES_MAX + 1];
    struct buf out = BUF_SECRET(SECRET_BYTES_MAX);
    struct err e = { 0 };

    (void)state;
    T_ERR(secrets_put(secrets, "x", view_text(""), &e), ERR_INPUT);
    T_ERR(secrets_put(secrets, "x", view_of(much, sizeof much), &e), ERR_INPUT);
    T_OK(secrets_put(secrets, "x", view_of(much, SECRET_BYTES_MAX), &e));
    T_OK(secrets_get(secrets, "x", &out, &e));
    assert_int_equal(out.len, SECRET_BYTES_MAX);
    buf_free(&out);
}

static void opens_under_its_name_and_key_only(void **state)
{
    struct buf file = BUF_INIT(1000), out = BUF_SECRET(100);
    struct err e = { 0 };

    (void)state;
    T_OK(secrets_put(secrets, "one", view_text("value"), &e));
    dir_read("secrets/one", &file);
    dir_put("secrets/two", file.p, file.len, 0600);
    T_ERR_SAYS(secrets_get(secrets, "two", &out, &e), ERR_CRYPTO, "secret \"two\": ");
    dir_put("secrets/two", file.p, file.len - 1, 0600);
    T_ERR(secrets_get(secrets, "two", &out, &e), ERR_CRYPTO);
    dir_put("secrets/two", "", 0, 0600);
    T_ERR(secrets_get(secrets, "two", &out, &e), ERR_CRYPTO);
    vault.secret_key[0] ^= 1;
    T_ERR(secrets_get(secrets, "one", &out, &e), ERR_CRYPTO);
    vault.secret_key[0] ^= 1;
    assert_int_equal(chmod(dir_path("secrets/one"), 0640), 0);
    T_ERR_SAYS(secrets_get(secrets, "one", &out, &e), ERR_CONFIG, "others may read it");
    assert_int_equal(chmod(dir_path("secrets"), 0755), 0);
    T_ERR_SAYS(secrets_put(secrets, "one", view_text("x"), &e), ERR_CONFIG, "others may enter it");
    assert_int_equal(out.len, 0);
    buf_free(&file);
    buf_free(&out);
}

/* ---- all of them ---- */

static void note(void *arg, const char *name, int64_t set_at)
{
    buf_printf(arg, "%s%s ", name, set_at > 1700000000 ? "" : "?");
}

static void listed_by_name(void **state)
{
    struct buf list = BUF_INIT(1000);
    struct err e = { 0 };

    (void)state;
    T_OK(secrets_list(secrets, note, &list, &e));
    assert_int_equal(list.len, 0);
    T_OK(secrets_put(secrets, "b", view_text("x"), &e));
    T_OK(secrets_put(secrets, "a-b", view_text("x"), &e));
    T_OK(secrets_put(secrets, "a.b", view_text("x"), &e));
    T_OK(secrets_put(secrets, "certferry.token", view_text("x"), &e));
    dir_write("secrets/.b.Abcdef", "left by a crash", 0600);
    dir_write("secrets/README", "not ours", 0600);
    assert_int_equal(mkdir(dir_path("secrets/folder"), 0700), 0);
    T_OK(secrets_list(secrets, note, &list, &e));
    assert_string_equal(buf_text(&list), "a-b a.b b ");
    buf_free(&list);
}

/* ---- run by root ---- */

static void root_leaves_files_to_the_stores_owner(void **state)
{
    struct buf out = BUF_SECRET(100);
    struct err e = { 0 };
    struct stat st;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(dir_path("master.key"), 4711, 4712), 0);
    assert_int_equal(chown(dir_root, 4711, 4712), 0);
    T_OK(secrets_put(secrets, "x", view_text("value"), &e));
    assert_int_equal(geteuid(), 0);
    assert_int_equal(getegid(), 0);
    assert_int_equal(stat(dir_path("secrets"), &st), 0);
    assert_true(st.st_uid == 4711 && st.st_gid == 4712);
    assert_int_equal(stat(dir_path("secrets/x"), &st), 0);
    assert_true(st.st_uid == 4711 && st.st_gid == 4712);
    T_OK(secrets_get(secrets, "x", &out, &e));
    vault_close(&vault);
    T_OK(vault_open(&vault, lib, dir_root, NULL, false, &e)); /* its owner's, and we are root */
    T_OK(secrets_get(secrets, "x", &out, &e));
    T_OK(secrets_drop(secrets, "x", &e));

    /* That user left a link where the folder should be: root writes nothing there. */
    assert_int_equal(rmdir(dir_path("secrets")), 0);
    assert_int_equal(mkdir(dir_path("roots"), 0700), 0);
    assert_int_equal(symlink(dir_path("roots"), dir_path("secrets")), 0);
    T_ERR(secrets_put(secrets, "x", view_text("value"), &e), ERR_CONFIG);
    assert_int_equal(access(dir_path("roots/x"), F_OK), -1);
    assert_int_equal(geteuid(), 0);
    buf_free(&out);
}

/* ---- what an option names ---- */

static void a_reference(void **state)
{
    struct buf out = BUF_SECRET(100);
    struct err e = { 0 };

    (void)state;
    T_OK(secrets_put(secrets, "ca", view_text("user:one\nsecond line\n"), &e));
    T_OK(secret_read(secrets, "secret:ca", &out, &e));
    dir_write("file", "user:two\r\nmore", 0600);
    T_OK(secret_read(secrets, dir_path("file"), &out, &e));
    T_OK(secret_read(NULL, dir_path("file"), &out, &e));
    assert_true(view_equal(buf_view(&out), view_text("user:oneuser:twouser:two")));

    T_ERR_SAYS(
        secret_read(secrets, "secret:none", &out, &e), ERR_CONFIG, "secret:none: no such secret");
    T_ERR_SAYS(
        secret_read(NULL, "secret:ca", &out, &e), ERR_CONFIG, "secret:ca: there are no secrets");
    T_ERR(secret_read(secrets, "secret:../file", &out, &e), ERR_CONFIG);
    T_ERR(secret_read(secrets, "secret:", &out, &e), ERR_CONFIG);
    T_ERR(secret_read(secrets, dir_path("none"), &out, &e), ERR_CONFIG);
    T_ERR(secret_read(secrets, NULL, &out, &e), ERR_CONFIG);
    dir_write("open", "user:two", 0644);
    T_ERR_SAYS(secret_read(secrets, dir_path("open"), &out, &e), ERR_CONFIG, "others may read it");
    dir_write("empty", "\nuser:two", 0600);
    T_ERR_SAYS(
        secret_read(secrets, dir_path("empty"), &out, &e), ERR_CONFIG, "first line is empty");
    T_OK(secrets_put(secrets, "empty", view_text("\nvalue"), &e));
    T_ERR_SAYS(secret_read(secrets, "secret:empty", &out, &e), ERR_CONFIG, "first line is empty");
    assert_null(strstr(e.msg, "value"));
    assert_int_equal(out.len, 24); /* as it was */
    buf_free(&out);
}

/* Another master key is found at once, not request by request. */
static void another_master_key(void **state)
{
    struct err e = { 0 };

    (void)state;
    T_OK(secrets_prove(secrets, &e));
    T_OK(secrets_prove(secrets, &e));
    vault.secret_key[5] ^= 1;
    T_ERR_SAYS(secrets_prove(secrets, &e), ERR_CONFIG, "another master key");
    vault.secret_key[5] ^= 1;
    T_OK(secrets_prove(secrets, &e));
    assert_int_equal(chmod(dir_path("secrets"), 0750), 0); /* open to others: not at all */
    T_ERR_SAYS(secrets_prove(secrets, &e), ERR_CONFIG, "others may enter it");
}

static void without_a_master_key(void **state)
{
    struct buf out = BUF_SECRET(100);
    struct err e = { 0 };
    struct secrets *blind = secrets_open(dir_root, NULL, lib, &e);

    (void)state;
    T_OK(secrets_put(secrets, "one", view_text("value"), &e));
    T_OK(secret_read(blind, "secret:one", &out, &e));
    assert_true(view_equal(buf_view(&out), view_text("-")));
    T_ERR(secret_read(blind, "secret:two", &out, &e), ERR_CONFIG);
    T_ERR(secrets_put(blind, "two", view_text("value"), &e), ERR_CONFIG);
    secrets_close(blind);
    buf_free(&out);
}

/* ---- which secrets a configuration names ---- */

static void count_it(void *arg, const char *what, const char *ref)
{
    buf_printf(arg, "%s=%s\n", what, ref);
}

/* Every option of the table that names a secret is found, also one that is new. */
static void every_option_is_found(void **state)
{
    static char ref[] = "secret:x", entry[] = "password=secret:y", name[] = "s";
    static char *entries[] = { entry };
    struct conf_ca ca = { .name = name };
    struct conf_scep scep = { .name = name };
    struct conf_plugin plugin = { .name = name, .secrets = { entries, 1 } };
    struct conf c = { .cas = &ca,
        .ca_count = 1,
        .sceps = &scep,
        .scep_count = 1,
        .plugins = &plugin,
        .plugin_count = 1 };
    struct buf found = BUF_INIT(4000);
    size_t options = 0;
    char want[100];

    (void)state;
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];
        char *base = strcmp(o->section, "ca") == 0       ? (char *)&ca
                     : strcmp(o->section, "scep") == 0   ? (char *)&scep
                     : strcmp(o->section, "plugin") == 0 ? (char *)&plugin
                                                         : (char *)&c;

        if (o->type == CONF_SECRET) {
            *(char **)(void *)(base + o->offset) = ref;
            options++;
        }
    }
    conf_secrets(&c, count_it, &found);
    assert_true(options >= 5);
    for (size_t i = 0; i < conf_option_count; i++) {
        (void)snprintf(want, sizeof want, "%s=secret:x\n", conf_options[i].key);
        if (conf_options[i].type == CONF_SECRET && strstr(buf_text(&found), want) == NULL)
            fail_msg("%s.%s is not found in:\n%s", conf_options[i].section, conf_options[i].key,
                buf_text(&found));
    }
    assert_non_null(strstr(buf_text(&found), "ca \"s\".credentials_file=secret:x\n"));
    assert_non_null(strstr(buf_text(&found), "plugin \"s\".secrets password=secret:y\n"));
    buf_free(&found);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(there_and_back),
        TEST(names),
        TEST(sizes),
        TEST(opens_under_its_name_and_key_only),
        TEST(listed_by_name),
        TEST(root_leaves_files_to_the_stores_owner),
        TEST(a_reference),
        TEST(another_master_key),
        TEST(without_a_master_key),
        cmocka_unit_test(every_option_is_found),
    };

    return cmocka_run_group_tests_name("agent_secret", tests, group_begin, group_end);
}
