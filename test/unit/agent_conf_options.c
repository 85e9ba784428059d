/* The table of options: what it says of each, and that each arrives where it belongs. */
#include "test/t.h"
#include "agent/conf/conf.h"
#include "test/unit/agent_dir.h"

/* The titled sections, whose options are members of a struct of their own. */
static const char *const titled[] = { "ca", "listen", "scep", "plugin" };

static bool is_titled(const char *section)
{
    for (size_t i = 0; i < sizeof titled / sizeof titled[0]; i++)
        if (strcmp(titled[i], section) == 0)
            return true;
    return false;
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
            assert_true(
                (*c >= 'a' && *c <= 'z') || *c == '_' || (c > o->key && *c >= '0' && *c <= '9'));
        for (size_t j = 0; j < i; j++)
            if (strcmp(conf_options[j].section, o->section) == 0
                && strcmp(conf_options[j].key, o->key) == 0)
                fail_msg("%s.%s stands twice", o->section, o->key);
        for (size_t j = 0; j < i; j++) /* and no two write to the same place */
            if ((strcmp(conf_options[j].section, o->section) == 0
                    || (!is_titled(conf_options[j].section) && !is_titled(o->section)))
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

/* ---- every option, one at a time, in a configuration that has all sections ---- */

#define ALL                                                                           \
    "cloud { url = \"https://policy.contoso.example/ccp\" }\n"                        \
    "ca \"one\" { type = \"adcs\" url = \"https://ca01.contoso.example/\"\n"          \
    "    anchors = \"root.pem\" templates = {\"Any\"} }\n"                            \
    "ca \"other\" { type = \"est\" url = \"https://ca02.contoso.example\"\n"          \
    "    anchors = \"root.pem\" templates = {\"General\"} }\n"                        \
    "listen \"one\" { address = \"127.0.0.1:80\" }\n"                                 \
    "plugin \"one\" { path = \"otp\" }\n"                                             \
    "scep \"one\" { ca = \"other\" plugin = \"one\" general_template = \"General\"\n" \
    "    ra_certificate = \"ra.pem\" ra_key = \"ra.key\" resend = 60 }\n"

/* What must stand beside an option: in the same section. */
static const struct {
    const char *section, *key, *beside;
} company[] = {
    { "cloud", "client_key", "client_certificate = \"c\"" },
    { "cloud", "proxy_credential", "proxy = \"http://p:1\"" },
    { "ca", "proxy_credential", "proxy = \"http://p:1\"" },
    { "ca", "auth", "credentials_file = \"c\"" },
    { "ca", "client_key", "client_certificate = \"c\"" },
    { "listen", "certificate", "key = \"k\"" },
    { "listen", "key", "certificate = \"c\"" },
    { "listen", "certificate2", "key2 = \"k\" certificate = \"c\" key = \"k\"" },
    { "listen", "key2", "certificate2 = \"c\" certificate = \"c\" key = \"k\"" },
    { "scep", "challenge", "plugin = \"\"" },
    { "scep", "ra_encryption_certificate", "ra_encryption_key = \"k\"" },
    { "scep", "ra_encryption_key", "ra_encryption_certificate = \"c\"" },
    { "scep", "ra_signing_template",
        "ra_certificate = \"\" ra_key = \"\" ra_encryption_template = \"General\"" },
};

static const char *beside(const struct conf_option *o)
{
    for (size_t i = 0; i < sizeof company / sizeof company[0]; i++)
        if (strcmp(company[i].section, o->section) == 0 && strcmp(company[i].key, o->key) == 0)
            return company[i].beside;
    return "";
}

/* A value for an option that is neither its default nor that of any other. */
static void value_for(const struct conf_option *o, size_t i, char *out, size_t size)
{
    const char *last = o->choices != NULL ? strrchr(o->choices, '|') + 1 : "";

    switch (o->type) {
    case CONF_INT:
        (void)snprintf(out, size, "%lld", (long long)(o->min + (int64_t)i % (o->max - o->min) + 1));
        if (o->fallback != NULL && strcmp(out, o->fallback) == 0)
            (void)snprintf(out, size, "%lld", (long long)o->min);
        break;
    case CONF_BOOL:
        (void)snprintf(out, size, "%s", strcmp(o->fallback, "true") == 0 ? "false" : "true");
        break;
    case CONF_LIST:
        last = strcmp(o->key, "no_proxy") == 0 ? "" : "/"; /* no path is a host */
        (void)snprintf(out, size, "{\"%sT%zu\", \"%sU%zu\"}", last, i, last, i);
        break;
    case CONF_CHOICE:
        (void)snprintf(out, size, "\"%s\"", strcmp(o->key, "auth") == 0 ? "basic" : last);
        break;
    case CONF_TEXT:
    case CONF_TEXT_OR_EMPTY:
    case CONF_FILE:
    case CONF_SECRET:
        (void)snprintf(out, size, strcmp(o->key, "url") == 0 ? "\"https://h%zu/\"" : "\"v%zu\"", i);
        break;
    case CONF_PROXY:
        (void)snprintf(out, size, "\"http://h%zu:3128\"", i);
        break;
    }
}

/* What names a section or a template finds one: whatever the value is, there is one of that name. */
static void add_named(struct buf *text, const char *value)
{
    buf_printf(text, "ca \"other\" { templates = {\"General\", %s} }\n", value);
    buf_printf(text,
        "ca %s { type = \"est\" url = \"https://ca03\" anchors = \"a\" templates = {\"General\"} "
        "}\n",
        value);
    buf_printf(text, "plugin %s { path = \"otp\" }\n", value);
}

static const char *member(const struct conf *c, const struct conf_option *o)
{
    const char *at = (const char *)c;

    if (strcmp(o->section, "ca") == 0)
        at = (const char *)&c->cas[0];
    else if (strcmp(o->section, "listen") == 0)
        at = (const char *)&c->listens[0];
    else if (strcmp(o->section, "scep") == 0)
        at = (const char *)&c->sceps[0];
    else if (strcmp(o->section, "plugin") == 0)
        at = (const char *)&c->plugins[0];
    return at + o->offset;
}

static void is_there(const struct conf *c, const struct conf_option *o, const char *expected)
{
    const char *at = member(c, o);
    const struct conf_list *list = (const void *)at;
    char got[400];

    switch (o->type) {
    case CONF_INT:
        (void)snprintf(got, sizeof got, "%lld", (long long)*(const int64_t *)(const void *)at);
        break;
    case CONF_BOOL:
        (void)snprintf(got, sizeof got, "%s", *(const bool *)at ? "true" : "false");
        break;
    case CONF_LIST:
        assert_int_equal(list->count, 2);
        (void)snprintf(got, sizeof got, "{\"%s\", \"%s\"}", list->at[0], list->at[1]);
        break;
    case CONF_FILE:
    case CONF_SECRET: /* against the folder of the file, wherever we were started */
        assert_int_equal(strncmp(*(char *const *)(const void *)at, dir_root, strlen(dir_root)), 0);
        (void)snprintf(
            got, sizeof got, "\"%s\"", *(char *const *)(const void *)at + strlen(dir_root) + 1);
        break;
    case CONF_TEXT:
    case CONF_TEXT_OR_EMPTY:
    case CONF_PROXY:
    case CONF_CHOICE:
        (void)snprintf(got, sizeof got, "\"%s\"", *(char *const *)(const void *)at);
        break;
    }
    if (strcmp(got, expected) != 0)
        fail_msg("%s.%s: %s, not %s", o->section, o->key, got, expected);
}

/* Not all at once: some exclude each other, and one that is set says more when the rest is not. */
static void every_option_arrives_in_its_member(void **state)
{
    struct buf text = BUF_INIT(20000);
    char value[200];
    struct err e = { 0 };

    (void)state;
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *o = &conf_options[i];
        struct conf *c;

        value_for(o, i, value, sizeof value);
        buf_reset(&text);
        buf_add_text(&text, ALL);
        if (strcmp(o->section, "scep") == 0 && o->type == CONF_TEXT)
            add_named(&text, value);
        buf_printf(&text, "%s%s {\n    %s = %s # comment\n    %s\n}\n", o->section,
            is_titled(o->section) ? " \"one\"" : "", o->key, value, beside(o));
        dir_write("certferry.conf", buf_text(&text), 0644);
        if ((c = conf_load(dir_path("certferry.conf"), &e)) == NULL)
            fail_msg("%s.%s: %s", o->section, o->key, e.msg);
        is_there(c, o, value);
        conf_free(c);
    }
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_documented),
        cmocka_unit_test(every_section_is_described_and_used),
        cmocka_unit_test(defaults_are_in_range),
        DIR_TEST(every_option_arrives_in_its_member),
    };

    return cmocka_run_group_tests_name("agent_conf_options", tests, NULL, NULL);
}
