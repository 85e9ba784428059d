/* The configuration: the table of options, defaults, files and their order. */
#include "test/t.h"
#include "agent/ca.h"
#include "agent/conf.h"
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

/* ---- the table ---- */

static void every_option_is_documented(void **state)
{
    (void)state;
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];
        bool known = false;
        size_t len = strlen(o->help);

        for (size_t s = 0; conf_section_help[s][0] != NULL; s++)
            known |= strcmp(conf_section_help[s][0], o->section) == 0;
        if (!known)
            fail_msg("%s.%s: no such section", o->section, o->key);
        if (len < 20 || o->help[len - 1] != '.')
            fail_msg("%s.%s: help \"%s\"", o->section, o->key, o->help);
        if ((o->type == CONF_CHOICE) != (o->choices != NULL))
            fail_msg("%s.%s: choices", o->section, o->key);
        for (const char *c = o->key; *c != '\0'; c++)
            assert_true((*c >= 'a' && *c <= 'z') || *c == '_');
        for (size_t j = 0; j < i; j++)
            if (strcmp(conf_options[j].section, o->section) == 0
                && strcmp(conf_options[j].key, o->key) == 0)
                fail_msg("%s.%s stands twice", o->section, o->key);
        for (size_t j = 0; j < i; j++) /* and no two write to the same place */
            if ((strcmp(conf_options[j].section, "ca") == 0) == (strcmp(o->section, "ca") == 0)
                && conf_options[j].offset == o->offset)
                fail_msg("%s.%s and %s share a member", o->section, o->key, conf_options[j].key);
    }
}

static void every_section_is_described_and_used(void **state)
{
    (void)state;
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++) {
        size_t options = 0;

        for (size_t i = 0; i < conf_option_count; i++)
            options += strcmp(conf_options[i].section, conf_section_help[s][0]) == 0;
        assert_true(options > 0);
        assert_true(strlen(conf_section_help[s][1]) > 10);
    }
}

static void defaults_are_in_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];
        char choices[200], given[80];
        char *end;
        long long v;

        if (o->type == CONF_INT) {
            assert_non_null(o->fallback);
            v = strtoll(o->fallback, &end, 10);
            if (*end != '\0' || v < o->min || v > o->max || o->min >= o->max)
                fail_msg("%s.%s: default %s", o->section, o->key, o->fallback);
        } else if (o->type == CONF_BOOL) {
            assert_true(strcmp(o->fallback, "true") == 0 || strcmp(o->fallback, "false") == 0);
        } else if (o->type == CONF_CHOICE && o->fallback != NULL) {
            (void)snprintf(choices, sizeof choices, "|%s|", o->choices);
            (void)snprintf(given, sizeof given, "|%s|", o->fallback);
            assert_non_null(strstr(choices, given));
        }
    }
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
    assert_int_equal(ca->template_count, 2);
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

/* A value for an option that is neither its default nor that of any other. */
static void value_for(const struct conf_option *o, size_t i, char *out, size_t size)
{
    const char *last = o->choices != NULL ? strrchr(o->choices, '|') + 1 : "";

    switch (o->type) {
    case CONF_INT:
        (void)snprintf(out, size, "%lld", (long long)(o->min + (int64_t)i % (o->max - o->min) + 1));
        break;
    case CONF_BOOL:
        (void)snprintf(out, size, "%s", strcmp(o->fallback, "true") == 0 ? "false" : "true");
        break;
    case CONF_LIST:
        (void)snprintf(out, size, "{\"T%zu\", \"U%zu\"}", i, i);
        break;
    case CONF_CHOICE:
        (void)snprintf(out, size, "\"%s\"", strcmp(o->key, "auth") == 0 ? "basic" : last);
        break;
    case CONF_TEXT:
    case CONF_TEXT_OR_EMPTY:
    case CONF_FILE:
        (void)snprintf(out, size, strcmp(o->key, "url") == 0 ? "\"https://h%zu/\"" : "\"v%zu\"", i);
        break;
    }
}

static void is_there(const struct conf *c, const struct conf_option *o, size_t i)
{
    const char *base = strcmp(o->section, "ca") == 0 ? (const char *)&c->cas[0] : (const char *)c;
    const char *at = base + o->offset;
    char expected[200], got[400];

    value_for(o, i, expected, sizeof expected);
    switch (o->type) {
    case CONF_INT:
        (void)snprintf(got, sizeof got, "%lld", (long long)*(const int64_t *)(const void *)at);
        break;
    case CONF_BOOL:
        (void)snprintf(got, sizeof got, "%s", *(const bool *)at ? "true" : "false");
        break;
    case CONF_LIST:
        (void)snprintf(
            got, sizeof got, "{\"%s\", \"%s\"}", c->cas[0].templates[0], c->cas[0].templates[1]);
        assert_int_equal(c->cas[0].template_count, 2);
        break;
    case CONF_FILE: /* against the folder of the file, wherever we were started */
        assert_int_equal(strncmp(*(char *const *)(const void *)at, dir_root, strlen(dir_root)), 0);
        (void)snprintf(
            got, sizeof got, "\"%s\"", *(char *const *)(const void *)at + strlen(dir_root) + 1);
        break;
    case CONF_TEXT:
    case CONF_TEXT_OR_EMPTY:
    case CONF_CHOICE:
        (void)snprintf(got, sizeof got, "\"%s\"", *(char *const *)(const void *)at);
        break;
    }
    if (strcmp(got, expected) != 0)
        fail_msg("%s.%s: %s, not %s", o->section, o->key, got, expected);
}

static void every_option_arrives_in_its_member(void **state)
{
    struct buf text = BUF_INIT(20000);
    struct conf *c;
    char value[200];

    (void)state;
    for (size_t s = 0; conf_section_help[s][0] != NULL; s++) {
        const char *name = conf_section_help[s][0];

        buf_printf(&text, "%s%s {\n", name, strcmp(name, "ca") == 0 ? " \"one\"" : "");
        for (size_t i = 0; i < conf_option_count; i++)
            if (strcmp(conf_options[i].section, name) == 0) {
                value_for(&conf_options[i], i, value, sizeof value);
                buf_printf(&text, "    %s = %s # comment\n", conf_options[i].key, value);
            }
        buf_add_text(&text, "}\n");
    }
    c = load_text(buf_text(&text));
    assert_int_equal(c->ca_count, 1);
    for (size_t i = 0; i < conf_option_count; i++)
        is_there(c, &conf_options[i], i);
    conf_free(c);
    buf_free(&text);
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
    assert_int_equal(c->cas[0].template_count, 1);
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
        cmocka_unit_test(every_option_is_documented),
        cmocka_unit_test(every_section_is_described_and_used),
        cmocka_unit_test(defaults_are_in_range),
        DIR_TEST(the_least_configuration),
        DIR_TEST(every_option_arrives_in_its_member),
        DIR_TEST(names_of_methods),
        DIR_TEST(drop_ins_in_the_order_of_their_names),
        DIR_TEST(sections_of_one_ca_are_merged),
        DIR_TEST(empty_takes_back),
        DIR_TEST(texts_as_written),
        DIR_TEST(types_are_drivers),
    };

    return cmocka_run_group_tests_name("agent_conf", tests, NULL, NULL);
}
