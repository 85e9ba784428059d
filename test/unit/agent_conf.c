/* The configuration: defaults, files and their order. */
#include "test/t.h"
#include "agent/ca/ca.h"
#include "agent/conf/conf.h"
#include "test/unit/agent_dir.h"

#define CLOUD "cloud { url = \"https://policy.contoso.example/ccp\" }\n"
#define CA                                                  \
    "ca \"issuing1\" {\n"                                   \
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

static struct conf *load_text(const char *text)
{
    dir_write("certferry.conf", text, 0644);
    return load();
}

/* ---- what is loaded ---- */

static void the_least_configuration(void **state)
{
    struct conf *c = load_text(CLOUD CA);
    const struct conf_ca *ca = &c->cas[0];

    (void)state;
    assert_string_equal(c->path, dir_path("certferry.conf"));
    assert_string_equal(c->cloud.url, "https://policy.contoso.example/ccp");
    assert_null(c->cloud.trust);
    assert_null(c->cloud.token_file);
    assert_null(c->cloud.group);
    assert_int_equal(c->cloud.poll_interval, 30);
    assert_int_equal(c->cloud.wait, 50);
    assert_int_equal(c->ca_count, 1);
    assert_string_equal(ca->name, "issuing1");
    assert_string_equal(ca->type, "adcs");
    assert_string_equal(ca->url, "https://ca01.contoso.example/certsrv/");
    assert_string_equal(ca->anchors, dir_path("root.pem"));
    assert_string_equal(ca->auth, "none");
    assert_string_equal(ca->subject, "request");
    assert_string_equal(ca->template_in_csr, "no");
    assert_null(ca->trust);
    assert_string_equal(ca->label, "{template}");
    assert_int_equal(ca->templates.count, 2);
    assert_true(conf_ca_offers(ca, "ContosoUser"));
    assert_true(conf_ca_offers(ca, "Wi-Fi User"));
    assert_false(conf_ca_offers(ca, "contosouser")); /* exactly, or not at all */
    assert_false(conf_ca_offers(ca, "ContosoUser "));
    assert_false(conf_ca_offers(ca, ""));
    assert_ptr_equal(conf_ca(c, "issuing1"), ca);
    assert_null(conf_ca(c, "Issuing1"));
    assert_null(conf_ca(c, ""));
    assert_string_equal(c->store.dir, "/var/lib/certferry");
    assert_null(c->store.master_key);
    assert_int_equal(c->store.grace, 86400);
    assert_false(c->pkcs12.include_root);
    assert_string_equal(c->log.level, "info");
    assert_int_equal(conf_keygen(c), KEYGEN_PRIMES);
    assert_int_equal(conf_auth(ca), IO_AUTH_NONE);
    conf_free(c);
    conf_free(NULL);
}

static void names_of_methods(void **state)
{
    static const struct {
        const char *text;
        enum keygen keygen;
    } makers[] = { { "primes", KEYGEN_PRIMES }, { "fast", KEYGEN_FAST },
        { "openssl", KEYGEN_OPENSSL } };
    static const struct {
        const char *text;
        enum io_auth auth;
    } auths[] = { { "none", IO_AUTH_NONE }, { "basic", IO_AUTH_BASIC }, { "ntlm", IO_AUTH_NTLM },
        { "negotiate", IO_AUTH_NEGOTIATE } };
    char text[1000];
    struct conf *c;

    (void)state;
    for (size_t i = 0; i < sizeof auths / sizeof auths[0]; i++) {
        (void)snprintf(text, sizeof text,
            CLOUD CA "ca \"issuing1\" { auth = \"%s\" credentials_file = \"c\" }\n"
                     "keys { generation = \"%s\" }\n",
            auths[i].text, makers[i % 3].text);
        c = load_text(text);
        assert_int_equal(conf_auth(&c->cas[0]), auths[i].auth);
        assert_int_equal(conf_keygen(c), makers[i % 3].keygen);
        conf_free(c);
    }
}

/* ---- several files and sections ---- */

static void drop_ins_in_the_order_of_their_names(void **state)
{
    struct conf *c;

    (void)state;
    assert_int_equal(mkdir(dir_path("conf.d"), 0755), 0);
    dir_write("conf.d/10-a.conf", "keys { pool = 1 workers = 1 }\nlog { level = \"debug\" }", 0644);
    dir_write("conf.d/20-b.conf", "keys { pool = 2 }\nstore { dir = \"here\" }", 0644);
    dir_write("conf.d/9-c.conf", "keys { pool = 3 }", 0644); /* '9' sorts behind '2' */
    dir_write("conf.d/.hidden.conf", "keys { pool = 4 }", 0644);
    dir_write("conf.d/99-note.txt", "not a configuration", 0644);
    dir_write("conf.d/99.conf~", "neither this", 0644);
    dir_write("conf.d/.conf", "nor this", 0644);
    c = load_text(CLOUD CA "keys { pool = 9 workers = 9 }\n");
    assert_int_equal(c->keys.pool, 3);
    assert_int_equal(c->keys.workers, 1);
    assert_string_equal(c->log.level, "debug");
    assert_string_equal(c->store.dir, dir_path("here")); /* not against conf.d */
    conf_free(c);
}

/* Two sections of one CA are one CA, in one file or in several; what only the first sets stays. */
static void sections_of_one_ca_are_merged(void **state)
{
    struct conf *c;

    (void)state;
    assert_int_equal(mkdir(dir_path("conf.d"), 0755), 0);
    dir_write("conf.d/1.conf",
        "ca \"issuing1\" { timeout = 7 }\n"
        "ca \"est1\" { type = \"est\" url = \"https://est\" anchors = \"/etc/a.pem\" "
        "templates = \"One\" }\n",
        0644);
    c = load_text(
        CLOUD CA "ca \"issuing1\" { max_in_flight = 5 templates = {\"Other\"} timeout = 6 }\n");
    assert_int_equal(c->ca_count, 2);
    assert_string_equal(c->cas[0].url, "https://ca01.contoso.example/certsrv/");
    assert_int_equal(c->cas[0].max_in_flight, 5);
    assert_int_equal(c->cas[0].timeout, 7);
    assert_int_equal(c->cas[0].templates.count, 1);
    assert_true(conf_ca_offers(&c->cas[0], "Other"));
    assert_string_equal(c->cas[1].name, "est1");
    assert_string_equal(c->cas[1].anchors, "/etc/a.pem");
    assert_int_equal(c->cas[1].timeout, 120);
    assert_true(conf_ca_offers(&c->cas[1], "One"));
    conf_free(c);
}

/* An option that may be unset is unset by an empty text: how a drop-in takes something back. */
static void empty_takes_back(void **state)
{
    struct conf *c = load_text(CLOUD CA "cloud { group = \"a\" trust = \"b\" }\n"
                                        "cloud { group = \"\" trust = \"\" }\n");

    (void)state;
    assert_null(c->cloud.group);
    assert_null(c->cloud.trust);
    assert_non_null(c->cloud.url);
    conf_free(c);
    c = load_text(CLOUD CA "ca \"issuing1\" { label = \"\" }"); /* a server without labels */
    assert_null(c->cas[0].label);
    conf_free(c);
}

/* Quotes, escapes and comments as people write them. */
static void texts_as_written(void **state)
{
    struct conf *c = load_text(CLOUD CA "cloud {\n"
                                        "    group = \"a # b // c /* d */ \\\"e\\\" \\\\ \\${f}\"\n"
                                        "    agent_id = 'it\\'s \"quoted\" #x'# comment \"\n"
                                        "    trust = bare.pem//comment {\n"
                                        "    wait/* in between */= 0x10\n"
                                        "}##");

    (void)state;
    assert_string_equal(c->cloud.group, "a # b // c /* d */ \"e\" \\ ${f}");
    assert_string_equal(c->cloud.agent_id, "it's \"quoted\" #x");
    assert_string_equal(c->cloud.trust, dir_path("bare.pem"));
    assert_int_equal(c->cloud.wait, 16);
    conf_free(c);
}

/* What the configuration takes, the table of drivers knows, and the other way round. */
static void types_are_drivers(void **state)
{
    char kinds[100], *k, *save = NULL;
    size_t n = 0;

    (void)state;
    (void)snprintf(kinds, sizeof kinds, "%s", ca_kinds());
    for (k = strtok_r(kinds, ", ", &save); k != NULL; k = strtok_r(NULL, ", ", &save), n++) {
        char text[1000];

        (void)snprintf(text, sizeof text, CLOUD CA "ca \"issuing1\" { type = \"%s\" }", k);
        conf_free(load_text(text));
    }
    for (size_t i = 0; i < conf_option_count; i++)
        if (strcmp(conf_options[i].section, "ca") == 0 && strcmp(conf_options[i].key, "type") == 0)
            for (const char *c = conf_options[i].choices; c != NULL; n--)
                c = strchr(c, '|') != NULL ? strchr(c, '|') + 1 : NULL;
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIR_TEST(the_least_configuration),
        DIR_TEST(names_of_methods),
        DIR_TEST(drop_ins_in_the_order_of_their_names),
        DIR_TEST(sections_of_one_ca_are_merged),
        DIR_TEST(empty_takes_back),
        DIR_TEST(texts_as_written),
        DIR_TEST(types_are_drivers),
    };

    return cmocka_run_group_tests_name("agent_conf", tests, NULL, NULL);
}
