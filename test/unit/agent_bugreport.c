/* What leaves an installation in a bug report: what is on a list, and nothing else. */
#include "test/t.h"
#include <stdlib.h>
#include "agent/cli/bugreport.h"
#include "certs/lib.h"

static struct bugreport r;

static int begin(void **state)
{
    struct err e = { 0 };

    (void)state;
    r = (struct bugreport){ .salt = "00112233445566778899AABBCCDDEEFF", .at = 1893456000 };
    return (r.lib = lib_new(&e)) != NULL ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    bugreport_free(&r);
    lib_free(r.lib);
    return 0;
}

static const char *url(const char *text)
{
    static char out[200];

    bugreport_url(text, out, sizeof out);
    return out;
}

static void urls_lose_what_may_be_secret(void **state)
{
    (void)state;
    assert_string_equal(url("https://ca.example/certsrv/"), "https://ca.example/certsrv/");
    assert_string_equal(url("https://u:CANARY@ca.example/x"), "https://ca.example/x");
    assert_string_equal(url("https://u:CAN@ARY@ca.example/x"), "https://ca.example/x");
    assert_string_equal(url("https://ca.example/x?token=CANARY"), "https://ca.example/x");
    assert_string_equal(url("https://ca.example/x#CANARY"), "https://ca.example/x");
    assert_string_equal(url("https://ca.example?CANARY"), "https://ca.example");
    assert_string_equal(url("https://ca.example/u:CANARY@x"), "");
    assert_string_equal(url("u:CANARY@ca.example"), "");
    assert_string_equal(url(""), "");
}

static void ids_are_hashed_with_the_salt(void **state)
{
    char one[20], two[20], other[20];

    (void)state;
    bugreport_hash(&r, "0f8fad5b", one);
    bugreport_hash(&r, "0f8fad5b", two);
    bugreport_hash(&r, "0f8fad5c", other);
    assert_string_equal(one, two);
    assert_string_not_equal(one, other);
    assert_int_equal(strlen(one), 14);
    r.salt[0] = 'F';
    bugreport_hash(&r, "0f8fad5b", two);
    assert_string_not_equal(one, two);
}

static const char *copied(const char *text)
{
    static struct buf b = BUF_INIT(65536);
    struct json_out o = { .to = &b };
    struct err e = { 0 };
    struct json *j = json_parse(view_text(text), 65536, &e);

    assert_non_null(j);
    buf_reset(&b);
    bugreport_copy(&r, j, &o);
    json_free(j);
    return buf_text(&b);
}

static void what_is_not_on_the_list_is_absent(void **state)
{
    (void)state;
    assert_string_equal(
        copied(
            "{\"data\":{\"request\":{\"type\":\"scep\",\"subject\":\"CN=CANARY\",\"state\":"
            "\"held\","
            "\"reason\":\"CANARY\",\"serialNumber\":\"CANARY\",\"caReference\":\"CANARY\","
            "\"attempts\":3},"
            "\"history\":[{\"time\":\"T\",\"event\":\"submit\",\"text\":\"CANARY\"}],"
            "\"aNewMember\":\"CANARY\",\"store\":\"CANARY\",\"peers\":[{\"name\":\"ca1\",\"url\":"
            "\"https://x:CANARY@ca/?CANARY\",\"message\":\"CANARY\"}]}}"),
        "{\"data\":{\"request\":{\"type\":\"scep\",\"state\":\"held\",\"attempts\":3},"
        "\"history\":[{\"time\":\"T\",\"event\":\"submit\"}],"
        "\"peers\":[{\"name\":\"ca1\",\"url\":\"https://ca/\"}]}}");
}

/* Every option there is, set to something that must not be seen; what is seen is on the list of this test, too. */
static void settings(void **state)
{
    static const char *const seen[] = { "ca.templates", "ca.label", "listen.address",
        "listen.trusted_proxies", "scep.paths", "scep.ca", "scep.signature_template",
        "scep.encryption_template", "scep.general_template", "scep.plugin",
        "scep.ra_signing_template", "scep.ra_encryption_template", "scep.ekus", "scep.key_usage",
        "scep.extensions", "scep.attributes", "plugin.path", "proxy.no_proxy", "metrics.listen" };
    char canary[] = "CANARY", *list[] = { canary };
    size_t shown = 0, expected = 0;

    (void)state;
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];
        struct buf b = BUF_INIT(1 << 20);
        struct conf c = { 0 };
        struct conf_ca ca = { .name = list[0] + 6 };
        struct conf_listen li = { .name = list[0] + 6 };
        struct conf_scep sc = { .name = list[0] + 6 };
        struct conf_plugin pl = { .name = list[0] + 6 };
        char *base = strcmp(o->section, "ca") == 0       ? (char *)&ca
                     : strcmp(o->section, "listen") == 0 ? (char *)&li
                     : strcmp(o->section, "scep") == 0   ? (char *)&sc
                     : strcmp(o->section, "plugin") == 0 ? (char *)&pl
                                                         : (char *)&c;
        bool may = o->type == CONF_CHOICE;
        char name[80];

        c.cas = &ca;
        c.listens = &li;
        c.sceps = &sc;
        c.plugins = &pl;
        c.ca_count = c.listen_count = c.scep_count = c.plugin_count = 1;
        if (o->type == CONF_LIST)
            *(struct conf_list *)(void *)(base + o->offset) =
                (struct conf_list){ .at = list, .count = 1 };
        else if (o->type != CONF_INT && o->type != CONF_BOOL)
            *(char **)(void *)(base + o->offset) = canary;
        (void)snprintf(name, sizeof name, "%s.%s", o->section, o->key);
        for (size_t n = 0; n < sizeof seen / sizeof seen[0]; n++)
            may = may || strcmp(seen[n], name) == 0;
        bugreport_conf(&c, &b);
        if ((strstr(buf_text(&b), "CANARY") != NULL) != may)
            fail_msg("%s: %s", name, may ? "not shown" : "its value is shown");
        shown += strstr(buf_text(&b), "CANARY") != NULL;
        expected += may;
        buf_free(&b);
    }
    assert_int_equal(shown, expected);
}

static void a_secret_is_a_reference(void **state)
{
    struct buf b = BUF_INIT(1 << 20);
    char ref[] = "secret:proxy", file[] = "/etc/CANARY";
    struct conf c = { .proxy.credential = ref, .cloud.token_file = file };

    (void)state;
    bugreport_conf(&c, &b);
    assert_non_null(strstr(buf_text(&b), "\"key\":\"credential\",\"reference\":\"secret:proxy\""));
    assert_non_null(strstr(buf_text(&b), "\"key\":\"token_file\",\"reference\":\"a file\""));
    assert_null(strstr(buf_text(&b), "CANARY"));
    buf_free(&b);
}

static void the_manifest(void **state)
{
    struct buf b = BUF_INIT(65536);
    struct err e = { 0 };

    (void)state;
    buf_add_text(bugreport_file(&r, "a.json", "because"), "abc");
    T_OK(bugreport_manifest(&r, &b, &e));
    assert_string_equal(buf_text(&b),
        "{\"schema\":\"certferry.bugreport/1\",\"time\":\"2030-01-01T00:00:00Z\",\"files\":[{"
        "\"file\":\"a.json\",\"bytes\":3,\"sha256\":"
        "\"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD\",\"why\":\"because\"}]"
        "}"
        "\n");
    buf_free(&b);
}

/* A file that was too large spoils the report; it is not cut in silence. */
static void too_large(void **state)
{
    struct buf out = BUF_INIT(BUGREPORT_MAX);
    struct buf *f = bugreport_file(&r, "a", "b");
    struct err e = { 0 };

    (void)state;
    for (int i = 0; i < 70; i++)
        buf_add(f, f /* anything */, sizeof *f);
    T_OK(bugreport_pack(&r, &out, &e));
    assert_true(out.len > 100 && out.p[0] == 0x1f && out.p[1] == 0x8b);
    while (!f->bad)
        buf_add_text(f, "0123456789abcdef0123456789abcdef");
    T_ERR(bugreport_pack(&r, &out, &e), ERR_TOO_LARGE);
    buf_free(&out);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(urls_lose_what_may_be_secret),
        TEST(ids_are_hashed_with_the_salt),
        TEST(what_is_not_on_the_list_is_absent),
        TEST(settings),
        TEST(a_secret_is_a_reference),
        TEST(the_manifest),
        TEST(too_large),
    };

    return cmocka_run_group_tests_name("agent_bugreport", tests, NULL, NULL);
}
