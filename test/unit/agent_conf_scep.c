/* SCEP in the configuration: what goes together, what does not, and what is said then. */
#include "test/t.h"
#include "agent/conf/conf.h"
#include "test/unit/agent_dir.h"

#define CAS                                                                            \
    "ca \"one\" { type = \"adcs\" url = \"https://ca01/\" anchors = \"root.pem\"\n"    \
    "    templates = {\"User\", \"Sign\", \"Encrypt\", \"RaSign\", \"RaEncrypt\"} }\n" \
    "ca \"two\" { type = \"est\" url = \"https://ca02\" anchors = \"root.pem\"\n"      \
    "    templates = {\"Two\"} }\n"
#define LISTEN "listen \"plain\" { address = \"0.0.0.0:80\" }\n"
#define PLUGIN "plugin \"otp\" { path = \"otp\" }\n"
#define FILES  "ra_certificate = \"ra.pem\" ra_key = \"ra.key\"\n"
#define SCEP \
    "scep \"devices\" { ca = \"one\" general_template = \"User\" plugin = \"otp\" " FILES "}\n"
#define CLOUD "cloud { url = \"https://policy.contoso.example/ccp\" }\n"
#define GOOD  CAS LISTEN PLUGIN SCEP

static struct conf *load(const char *text, struct err *e)
{
    dir_write("c.conf", text, 0644);
    return conf_load(dir_path("c.conf"), e);
}

static void good(const char *text)
{
    struct err e = { 0 };
    struct conf *c = load(text, &e);

    if (c == NULL)
        fail_msg("%s\n  %s", text, e.msg);
    conf_free(c);
}

/* ---- what there is without a word ---- */

static void the_least_endpoint(void **state)
{
    struct err e = { 0 };
    struct conf *c = load(GOOD, &e);
    const struct conf_scep *s;

    (void)state;
    if (c == NULL)
        fail_msg("%s", e.msg);
    assert_null(c->cloud.url); /* it serves SCEP and nothing else */
    assert_int_equal(c->scep_count, 1);
    s = &c->sceps[0];
    assert_string_equal(s->name, "devices");
    assert_int_equal(s->paths.count, 1);
    assert_string_equal(s->paths.at[0], "/certsrv/mscep/mscep.dll");
    assert_string_equal(s->challenge, "plugin");
    assert_null(s->signature_template);
    assert_null(s->encryption_template);
    assert_null(s->admin_password);
    assert_int_equal(s->ekus.count, 1); /* client authentication, and no more */
    assert_string_equal(s->ekus.at[0], "1.3.6.1.5.5.7.3.2");
    assert_int_equal(s->rsa_min_bits, 2048);
    assert_true(s->renewal);
    assert_false(s->renewal_foreign);
    assert_false(s->ndes);
    assert_ptr_equal(conf_plugin(c, "otp"), &c->plugins[0]);
    assert_null(conf_plugin(c, "OTP"));
    assert_null(conf_plugin(c, NULL));
    assert_string_equal(c->listens[0].name, "plain");
    assert_null(c->listens[0].certificate);
    assert_int_equal(c->listens[0].trusted_proxies.count, 0);
    conf_free(c);
}

static void what_goes_together(void **state)
{
    static const char *const all[] = { GOOD CLOUD,
        GOOD "listen \"tls\" { address = \"[::]:443\" certificate = \"c\" key = \"k\" }",
        GOOD "listen \"tls\" { address = \"[::]:443\" certificate = \"c\" key = \"k\"\n"
             "    certificate2 = \"d\" key2 = \"l\" }",
        GOOD "scep \"devices\" { plugin = \"\" challenge = \"none\" }",
        GOOD "scep \"devices\" { signature_template = \"Sign\" encryption_template = \"Encrypt\" }",
        GOOD "scep \"devices\" { ra_encryption_certificate = \"e\" ra_encryption_key = \"k\" }",
        GOOD "scep \"devices\" { ra_certificate = \"\" ra_key = \"\"\n"
             "    ra_signing_template = \"RaSign\" ra_encryption_template = \"RaEncrypt\" }",
        /* one plugin, two endpoints */
        GOOD "scep \"more\" { ca = \"two\" general_template = \"Two\" plugin = \"otp\"\n"
             "    paths = {\"/x\"} " FILES "}",
        GOOD "plugin \"unused\" { path = \"signed\" }" };

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        good(all[i]);
}

/* ---- what does not ---- */

#define MORE(options)    "scep \"more\" { paths = {\"/more\"} " options " }\n"
#define MORE_RA(options) MORE("ca = \"one\" general_template = \"User\" plugin = \"otp\" " options)
#define ENROLLED         "scep \"devices\" { ra_certificate = \"\" ra_key = \"\" "

static const struct {
    const char *text, *says;
} bad[] = {
    { CAS LISTEN, "cloud.url: must be set, unless there is a scep section" },
    { CAS CLOUD LISTEN, "a scep section is needed, too" },
    { CAS PLUGIN SCEP, "a listen section is needed, too" },
    { LISTEN PLUGIN SCEP, "no ca section; at least one CA is needed" },
    /* listen */
    { GOOD "listen \"x\" { }", "listen \"x\".address: must be set" },
    { GOOD "listen \"plain\" { certificate = \"c\" }",
        "listen \"plain\": a certificate and its key must be set together" },
    { GOOD "listen \"plain\" { key = \"k\" }",
        "listen \"plain\": a certificate and its key must be set together" },
    { GOOD "listen \"plain\" { certificate = \"c\" key = \"k\" key2 = \"k\" }",
        "listen \"plain\": a certificate and its key must be set together" },
    { GOOD "listen \"plain\" { certificate2 = \"c\" key2 = \"k\" }",
        "listen \"plain\".certificate: must be set before a second" },
    /* its CA and templates */
    { GOOD "scep \"x\" { }", "scep \"x\".ca: must be set" },
    { GOOD "scep \"x\" { ca = \"one\" }", "scep \"x\".general_template: must be set" },
    { GOOD "scep \"devices\" { ca = \"three\" }",
        "scep \"devices\".ca: there is no ca section \"three\"" },
    { GOOD "scep \"devices\" { ca = \"One\" }",
        "scep \"devices\".ca: there is no ca section \"One\"" },
    { GOOD "scep \"devices\" { ca = \"two\" }",
        "scep \"devices\": template \"User\" is not listed in ca \"two\".templates" },
    { GOOD "scep \"devices\" { signature_template = \"Two\" }",
        "scep \"devices\": template \"Two\" is not listed in ca \"one\".templates" },
    { GOOD "scep \"devices\" { encryption_template = \"user\" }",
        "scep \"devices\": template \"user\" is not listed in ca \"one\".templates" },
    { GOOD ENROLLED "ra_signing_template = \"Two\" ra_encryption_template = \"RaEncrypt\" }",
        "scep \"devices\": template \"Two\" is not listed in ca \"one\".templates" },
    { GOOD ENROLLED "ra_signing_template = \"RaSign\" ra_encryption_template = \"Two\" }",
        "scep \"devices\": template \"Two\" is not listed in ca \"one\".templates" },
    /* who says yes */
    { GOOD MORE("ca = \"one\" general_template = \"User\" " FILES),
        "scep \"more\".plugin: must be set; " },
    { GOOD MORE_RA(FILES "challenge = \"none\""),
        "scep \"more\".challenge: \"none\" does not go with plugin = \"otp\"" },
    { GOOD MORE("ca = \"one\" general_template = \"User\" plugin = \"opt\" " FILES),
        "scep \"more\".plugin: there is no plugin section \"opt\"" },
    { GOOD "scep \"devices\" { challenge = \"\" }",
        "scep \"devices\".challenge: must not be empty" },
    { GOOD "scep \"devices\" { challenge = \"secret\" }",
        "scep \"devices\".challenge: \"secret\" is none of plugin|none" },
    /* its certificates */
    { GOOD MORE_RA(""), "scep \"more\": either ra_certificate or ra_signing_template must be set" },
    { GOOD MORE_RA(FILES "ra_signing_template = \"RaSign\" ra_encryption_template = \"RaEncrypt\""),
        "scep \"more\": either ra_certificate or ra_signing_template must be set" },
    { GOOD MORE_RA("ra_certificate = \"ra.pem\""),
        "scep \"more\".ra_key: must be set with ra_certificate" },
    { GOOD MORE_RA(FILES "ra_encryption_certificate = \"e\""),
        "scep \"more\": ra_encryption_certificate and ra_encryption_key must be set together" },
    { GOOD MORE_RA(FILES "ra_encryption_key = \"e\""),
        "scep \"more\": ra_encryption_certificate and ra_encryption_key must be set together" },
    { GOOD MORE_RA("ra_signing_template = \"RaSign\""),
        "scep \"more\".ra_encryption_template: must be set with ra_signing_template" },
    /* paths */
    { GOOD MORE_RA(FILES "paths = {\"/certsrv/mscep/mscep.dll\"}"),
        "\"/certsrv/mscep/mscep.dll\" is scep \"" },
    { GOOD MORE_RA(FILES "paths = {\"/a\", \"b\"}"),
        "scep \"more\".paths: \"b\" does not begin with /" },
    { GOOD "scep \"devices\" { paths = {\"https://x/y\"} }",
        "scep \"devices\".paths: \"https://x/y\" does not begin with /" },
    { GOOD "scep \"devices\" { paths = {} }", "scep \"devices\".paths: " },
    /* numbers */
    { GOOD "scep \"devices\" { rsa_min_bits = 512 }",
        "scep \"devices\".rsa_min_bits: 512 is not between 1024 and 8192" },
    { GOOD "scep \"devices\" { renewal_window = 101 }",
        "scep \"devices\".renewal_window: 101 is not between 0 and 100" },
    { GOOD "listen \"plain\" { body_max_kib = 8 }",
        "listen \"plain\".body_max_kib: 8 is not between 16 and 16384" },
    /* plugins, and sections without a name */
    { GOOD "plugin \"x\" { }", "plugin \"x\".path: must be set" },
    { GOOD "plugin { path = \"otp\" }", "missing title for section 'plugin'" },
    { GOOD "plugin \"\" { path = \"otp\" }", "plugin \"\": a plugin section needs a name" },
    { GOOD "scep \"\" { ca = \"one\" }", "scep \"\": a scep section needs a name" },
    { GOOD "listen \"\" { address = \"x\" }", "listen \"\": a listen section needs a name" },
};

static void every_message(void **state)
{
    char begin[400];
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct conf *c = load(bad[i].text, &e);

        if (c != NULL) {
            conf_free(c);
            fail_msg("accepted, instead of \"%s\":\n%s", bad[i].says, bad[i].text);
        }
        assert_int_equal(e.cls, ERR_CONFIG);
        (void)snprintf(begin, sizeof begin, "%s:", dir_path("c.conf"));
        if (strncmp(e.msg, begin, strlen(begin)) != 0 || strstr(e.msg, bad[i].says) == NULL)
            fail_msg("%s\n  gave     %s\n  expected %s", bad[i].text, e.msg, bad[i].says);
    }
}

/* ---- how many ---- */

static void add_section(struct buf *text, const char *kind, int i)
{
    buf_printf(text, "%s \"s%d\" { ", kind, i);
    if (strcmp(kind, "listen") == 0)
        buf_printf(text, "address = \"127.0.0.1:%d\"", i);
    else if (strcmp(kind, "plugin") == 0)
        buf_add_text(text, "path = \"otp\"");
    else
        buf_printf(text,
            "paths = {\"/%d\"} ca = \"one\" general_template = \"User\" plugin = \"otp\" " FILES,
            i);
    buf_add_text(text, " }\n");
}

static void as_many_as_there_may_be(void **state)
{
    static const char *const kinds[] = { "listen", "scep", "plugin" };
    struct buf text = BUF_INIT(200000);
    char says[80];
    struct err e;

    (void)state;
    for (size_t k = 0; k < 3; k++) {
        struct conf *c;

        buf_reset(&text);
        buf_add_text(&text, GOOD);
        for (int i = 1; i < CONF_SECTIONS_MAX; i++)
            add_section(&text, kinds[k], i);
        good(buf_text(&text));
        add_section(&text, kinds[k], CONF_SECTIONS_MAX);
        c = load(buf_text(&text), &e);
        (void)snprintf(says, sizeof says, "more than %d %s sections", CONF_SECTIONS_MAX, kinds[k]);
        if (c != NULL)
            fail_msg("%zu, %zu, %zu", c->listen_count, c->scep_count, c->plugin_count);
        assert_int_equal(e.cls, ERR_CONFIG);
        assert_non_null(strstr(e.msg, says));
    }
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIR_TEST(the_least_endpoint),
        DIR_TEST(what_goes_together),
        DIR_TEST(every_message),
        DIR_TEST(as_many_as_there_may_be),
    };

    return cmocka_run_group_tests_name("agent_conf_scep", tests, NULL, NULL);
}
