/* Where values come from: file, drop-in, environment; and options as people name them. */
#include "test/t.h"
#include "agent/conf/conf_key.h"
#include "proto/json.h"
#include "test/unit/agent_dir.h"

#define CLOUD "cloud { url = \"https://policy.contoso.example/ccp\" }\n"
#define CA                                                  \
    "ca \"issuing-1\" {\n"                                  \
    "    type = \"adcs\"\n"                                 \
    "    url = \"https://ca01.contoso.example/certsrv/\"\n" \
    "    anchors = \"root.pem\"\n"                          \
    "    templates = {\"ContosoUser\", \"Wi-Fi User\"}\n"   \
    "}\n"

static struct conf *load(void)
{
    struct err e = { 0 };
    struct conf *c = conf_load(dir_path("certferry.conf"), &e);

    if (c == NULL)
        fail_msg("%s %s (%s)", err_name(e.cls), e.msg, e.where);
    return c;
}

static int try_load(struct err *e)
{
    struct conf *c = conf_load(dir_path("certferry.conf"), e);

    conf_free(c);
    return c != NULL ? 0 : -1;
}

static struct conf_key key(const char *text)
{
    struct conf_key k;
    struct err e = { 0 };

    T_OK(conf_key_parse(text, &k, &e));
    return k;
}

static void origin_is(const struct conf *c, const char *name, const char *expected)
{
    struct conf_key k = key(name);
    char text[5000];

    conf_origin_text(conf_origin(c, k.option, k.title), text, sizeof text);
    assert_string_equal(text, expected);
}

static const char *const nothing[] = { NULL };

static int no_environment(void **state)
{
    conf_environment(NULL);
    return dir_remove(state);
}
#define ENV_TEST(fn) cmocka_unit_test_setup_teardown(fn, dir_make, no_environment)

/* ---- origins ---- */

static void the_last_one_wins_and_is_named(void **state)
{
    static char *const vars[] = { "HOME=/nowhere",
        "CERTFERRY_CA_ISSUING_1_URL=https://e.example/x/", "CERTFERRY_LOG_LEVELX=debug", NULL };
    char expected[400];
    struct conf *c;

    (void)state;
    assert_int_equal(mkdir(dir_path("conf.d"), 0755), 0);
    dir_write("certferry.conf", CLOUD CA "log {\n  level = \"debug\"\n}\n", 0644);
    dir_write("conf.d/10.conf", "\n\nkeys { pool = 3 }\n", 0644);
    dir_write("conf.d/20.conf", "log { level = \"error\" }\n", 0644);
    conf_environment(vars);
    c = load();
    assert_string_equal(c->cas[0].url, "https://e.example/x/");
    assert_string_equal(c->log.level, "error");
    (void)snprintf(expected, sizeof expected, "%s:1", dir_path("certferry.conf"));
    origin_is(c, "cloud.url", expected);
    (void)snprintf(expected, sizeof expected, "%s:3", dir_path("conf.d/10.conf"));
    origin_is(c, "keys.pool", expected);
    (void)snprintf(expected, sizeof expected, "%s:1", dir_path("conf.d/20.conf"));
    origin_is(c, "log.level", expected);
    origin_is(c, "ca.issuing-1.url", "environment CERTFERRY_CA_ISSUING_1_URL");
    origin_is(c, "keys.workers", "default");
    origin_is(c, "ca.other.url", "default");
    assert_int_equal(c->files.count, 3);
    assert_string_equal(c->files.at[2], dir_path("conf.d/20.conf"));
    conf_free(c);
}

static void every_type_comes_from_the_environment(void **state)
{
    static char *const vars[] = { "CERTFERRY_PKCS12_INCLUDE_ROOT=on", "CERTFERRY_KEYS_POOL=7",
        "CERTFERRY_CA_ISSUING_1_TEMPLATES=A,\"Wi-Fi User\" B", "CERTFERRY_STORE_DIR=here",
        "CERTFERRY_LOG_FORMAT=json", "CERTFERRY_PROXY_CREDENTIAL=secret:proxy", NULL };
    struct conf *c;

    (void)state;
    dir_write("certferry.conf", CLOUD CA, 0644);
    conf_environment(vars);
    c = load();
    assert_true(c->pkcs12.include_root);
    assert_int_equal(c->keys.pool, 7);
    assert_int_equal(c->cas[0].templates.count, 3);
    assert_string_equal(c->cas[0].templates.at[1], "Wi-Fi User");
    assert_string_equal(c->store.dir, dir_path("here"));
    assert_string_equal(c->log.format, "json");
    assert_string_equal(c->proxy.credential, "secret:proxy");
    conf_free(c);
}

static void wrong_ones_are_refused_by_name(void **state)
{
    static char *const sets[][2] = { { "CERTFERRY_KEYS_POOL=many", NULL },
        { "CERTFERRY_KEYS_POOL=-1", NULL }, { "CERTFERRY_KEYS_POOL=", NULL },
        { "CERTFERRY_LOG_LEVEL=loud", NULL }, { "CERTFERRY_PKCS12_INCLUDE_ROOT=2", NULL },
        { "CERTFERRY_CLOUD_URL=ftp://x", NULL }, { "CERTFERRY_CLOUD_GROUP=a\nb", NULL } };
    struct err e = { 0 };

    (void)state;
    dir_write("certferry.conf", CLOUD CA, 0644);
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        conf_environment(sets[i]);
        T_ERR(try_load(&e), ERR_CONFIG);
        assert_int_equal(strncmp(e.msg, sets[i][0], strcspn(sets[i][0], "=")), 0);
        assert_int_equal(e.msg[strcspn(sets[i][0], "=")], ':');
    }
}

/* A required one may come from there; but it makes no section. */
static void it_may_complete_a_file(void **state)
{
    static char *const vars[] = { "CERTFERRY_CLOUD_URL=https://policy.contoso.example", NULL };
    static char *const new_section[] = { "CERTFERRY_CA_OTHER_URL=https://x.example/", NULL };
    struct err e = { 0 };
    struct conf *c;

    (void)state;
    dir_write("certferry.conf", CA, 0644);
    T_ERR(try_load(&e), ERR_CONFIG);
    conf_environment(vars);
    c = load();
    assert_string_equal(c->cloud.url, "https://policy.contoso.example");
    conf_free(c);
    dir_write("certferry.conf", CLOUD CA, 0644);
    conf_environment(new_section);
    c = load();
    assert_int_equal(c->ca_count, 1);
    conf_free(c);
}

static void count_variable(void *arg, const char *name)
{
    assert_string_equal(name, "CERTFERRY_CLOUD_ULR");
    ++*(int *)arg;
}

static void unknown_variables_are_told(void **state)
{
    static char *const vars[] = { "CERTFERRY_CLOUD_ULR=x", "CERTFERRY_KEYS_POOL=1",
        "XCERTFERRY_X=1", "CERTFERRY_CA_ISSUING_1_URL=https://x.example/", NULL };
    struct conf *c;
    int n = 0;

    (void)state;
    dir_write("certferry.conf", CLOUD CA, 0644);
    conf_environment(vars);
    c = load();
    assert_true(conf_environment_unknown(c, count_variable, &n));
    assert_int_equal(n, 1);
    conf_environment((char *const *)(uintptr_t)nothing);
    assert_false(conf_environment_unknown(c, count_variable, &n));
    conf_free(c);
}

/* ---- names ---- */

static void names_of_options(void **state)
{
    static const char *const good[][3] = { { "cloud.url", "", "cloud.url" },
        { "ca.issuing1.url", "issuing1", "ca.issuing1.url" },
        { "ca.a.b.url", "a.b", "ca \"a.b\".url" },
        { "ca \"issuing1\".url", "issuing1", "ca.issuing1.url" },
        { "scep \"wi fi\".ca", "wi fi", "scep \"wi fi\".ca" }, { "ca\"x\".type", "x", "ca.x.type" },
        { "ca.url", "", "ca.url" } };
    char name[200];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct conf_key k = key(good[i][0]);

        assert_non_null(k.option);
        assert_string_equal(k.title, good[i][1]);
        conf_key_name(k.option, k.title[0] != '\0' ? k.title : NULL, name, sizeof name);
        assert_string_equal(name, good[i][2]);
    }
    assert_null(key("cloud").option);
    assert_string_equal(key("cloud").section, "cloud");
}

static void every_name_can_be_given_again(void **state)
{
    static const char *const titles[] = { "a", "a b", "a.b", "a.url", "-" };
    char name[200];

    (void)state;
    for (size_t i = 0; i < conf_option_count; i++)
        for (size_t t = 0; t < sizeof titles / sizeof titles[0]; t++) {
            const char *title = conf_has_titles(conf_options[i].section) ? titles[t] : NULL;
            struct conf_key k;

            conf_key_name(&conf_options[i], title, name, sizeof name);
            k = key(name);
            assert_ptr_equal(k.option, &conf_options[i]);
            assert_string_equal(k.title, title != NULL ? title : "");
        }
}

static void wrong_names(void **state)
{
    static const char *const bad[][2] = { { "", "no such option" }, { ".", "no such option" },
        { "cloud.ulr", "did you mean url?" }, { "colud.url", "did you mean cloud.url?" },
        { "log.levle", "did you mean level?" }, { "ca.x.templtes", "did you mean templates?" },
        { "ca \"x.url", "not closed" }, { "ca \"x\"url", "not section.key" },
        { "log.x.level", "no such option" }, { "log \"x\".level", "section log has no name" },
        { "cloudy.url", "did you mean cloud.url?" },
        { "ca.0123456789012345678901234567890123456789012345678901234567890123456789.url",
            "63 characters" } };
    struct conf_key k;
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        T_ERR_SAYS(conf_key_parse(bad[i][0], &k, &e), ERR_INPUT, bad[i][1]);
}

/* ---- values ---- */

static void value_is(const struct conf *c, const char *name, const char *text, const char *json)
{
    struct conf_key k = key(name);
    struct buf b = BUF_INIT(1000);
    struct json_out o = { .to = &b };

    assert_true(conf_value_text(c, k.option, k.title, &b));
    assert_string_equal(buf_text(&b), text);
    buf_reset(&b);
    json_open(&o, NULL, '{');
    conf_value_json(c, k.option, k.title, &o);
    json_close(&o, '}');
    assert_string_equal(buf_text(&b), json);
    buf_free(&b);
}

static void values_as_text_and_json(void **state)
{
    struct conf_key none = key("ca.nobody.url");
    struct buf b = BUF_INIT(10);
    struct conf *c;

    (void)state;
    dir_write("certferry.conf", CLOUD CA, 0644);
    c = load();
    value_is(c, "cloud.poll_interval", "30", "{\"value\":30}");
    value_is(c, "pkcs12.include_root", "false", "{\"value\":false}");
    value_is(c, "cloud.group", "", "{\"value\":null}");
    value_is(c, "log.level", "info", "{\"value\":\"info\"}");
    value_is(c, "ca.issuing-1.templates", "ContosoUser, \"Wi-Fi User\"",
        "{\"value\":[\"ContosoUser\",\"Wi-Fi User\"]}");
    assert_false(conf_value_text(c, none.option, none.title, &b));
    conf_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENV_TEST(the_last_one_wins_and_is_named),
        ENV_TEST(every_type_comes_from_the_environment),
        ENV_TEST(wrong_ones_are_refused_by_name),
        ENV_TEST(it_may_complete_a_file),
        ENV_TEST(unknown_variables_are_told),
        cmocka_unit_test(names_of_options),
        cmocka_unit_test(every_name_can_be_given_again),
        cmocka_unit_test(wrong_names),
        DIR_TEST(values_as_text_and_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
