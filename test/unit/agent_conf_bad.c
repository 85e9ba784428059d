/* Configurations that are refused: each message says file, line, section, key and what is wrong. */
#include "test/t.h"
#include "agent/conf/conf.h"
#include "test/unit/agent_dir.h"

/* Four lines; what a test adds begins in line 5. */
#define GOOD                                                         \
    "cloud { url = \"https://policy.contoso.example/ccp\" }\n"       \
    "ca \"one\" { type = \"adcs\" url = \"https://ca01/certsrv/\"\n" \
    "    anchors = \"root.pem\" # comment {\n"                       \
    "    templates = {\"A\"} }\n"

static int try(const char *path, struct err *e)
{
    struct conf *c = conf_load(path, e);

    conf_free(c);
    return c != NULL ? 0 : -1;
}

static const struct {
    const char *more;
    int line;         /* 0: of the file as a whole */
    const char *says; /* exactly, after file and line */
} bad[] = {
    /* keys and sections nobody knows */
    { "log {\n  levle = \"info\"\n}", 6, "log.levle: no such option; did you mean level?" },
    { "\ncloud { pol_interval = 3 }", 6,
        "cloud.pol_interval: no such option; did you mean poll_interval?" },
    { "keys { iterations = 5 }", 5,
        "keys.iterations: no such option; did you mean pkcs12.iterations?" },
    { "ca \"two\" { tempaltes = {\"A\"} }", 5,
        "ca.tempaltes: no such option; did you mean templates?" },
    { "cluod { }", 5, "cluod: no such option; did you mean cloud?" },
    { "url = \"https://x\"", 5, "url: no such option; did you mean cloud.url?" },
    { "zzz = 1", 5, "zzz: no such option" },
    { "cloud { zzz = 1 }", 5, "cloud.zzz: no such option" },
    /* numbers */
    { "keys {\n  pool = 1\n  workers = 257\n  pool = 2\n}", 7,
        "keys.workers: 257 is not between 0 and 256" },
    { "cloud { poll_interval = 0 }", 5, "cloud.poll_interval: 0 is not between 1 and 86400" },
    { "store { min_free_mib = -1 }", 5, "store.min_free_mib: -1 is not between 0 and 1000000" },
    { "\n\nca \"one\" {\n\ntimeout = 3601 }", 9,
        "ca \"one\".timeout: 3601 is not between 1 and 3600" },
    { "store { grace = 1h }", 5, "store: invalid integer value for option 'grace'" },
    { "store { grace = 99999999999999999999 }", 5,
        "store: integer value for option 'grace' is out of range" },
    { "store { grace = }", 5, "store: unexpected token '}'" },
    /* choices and switches */
    { "log {\n level = \"loud\" }", 6, "log.level: \"loud\" is none of error|warning|info|debug" },
    { "log { format = \"\" }", 5, "log.format: must not be empty" },
    { "ca \"one\" { type = \"ejbca\" }", 5, "ca \"one\".type: \"ejbca\" is none of adcs|est" },
    { "ca \"one\" { type = \"adcs|est\" }", 5,
        "ca \"one\".type: \"adcs|est\" is none of adcs|est" },
    { "ca \"one\" { type = \"adc\" }", 5, "ca \"one\".type: \"adc\" is none of adcs|est" },
    { "pkcs12 { include_root = maybe }", 5,
        "pkcs12: invalid boolean value for option 'include_root'" },
    /* the way out */
    { "proxy {\n url = \"proxy\" }", 6, "proxy.url: \"proxy\": which port? as proxy:3128" },
    { "proxy { no_proxy = {\"a\", \"*.b\"} }", 5,
        "proxy.no_proxy: \"*.b\": no wildcards; corp.example stands for everything below it, too" },
    { "cloud { proxy = \"http://a:s3cr3t@b\" }", 5,
        "cloud.proxy: a user or password is in it; those belong in proxy.credential, or "
        "--credentials-file" },
    { "ca \"one\" { proxy = \"socks4://x:1\" }", 5,
        "ca \"one\".proxy: \"socks4://x:1\": a proxy begins with http://, https:// or socks5://" },
    { "cloud { proxy_credential = \"secret:x\" }", 0,
        "cloud.proxy: must be set with proxy_credential" },
    { "ca \"one\" { proxy_credential = \"secret:x\" }", 0,
        "ca \"one\".proxy: must be set with proxy_credential" },
    /* URLs */
    { "cloud { url = \"http://policy.contoso.example\" }", 5,
        "cloud.url: URL: it must begin with https://" },
    { "cloud { url = \"\" }", 0, "cloud.url: must be set, unless there is a scep section" },
    { "cloud { url = \"https://ada:pw@policy.contoso.example\" }", 5,
        "cloud.url: URL: a user name or password in it is not allowed" },
    { "ca \"one\" {\n url = \"https://\" }", 6, "ca \"one\".url: URL: it names no host" },
    { "ca \"one\" {\n url = \"https://a b/\" }", 6,
        "ca \"one\".url: URL: character 10 (0x20) is not allowed" },
    { "ca \"one\" { url = \"https://a/#x\" }", 5,
        "ca \"one\".url: URL: a fragment (#) is not allowed" },
    /* texts */
    { "cloud {\n group = \"a\\nb\" }", 6, "cloud.group: a control character" },
    { "cloud { group = \"a\\x1b[31m\" }", 5, "cloud.group: a control character" },
    { "cloud { group = \"a\\x7f\" }", 5, "cloud.group: a control character" },
    { "store { dir = \"\" }", 5, "store.dir: must not be empty" },
    { "ca \"one\" { anchors = \"\" }", 5, "ca \"one\".anchors: must not be empty" },
    /* lists */
    { "ca \"one\" { templates = {} }", 5,
        "ca \"one\".templates: names none; list them as {\"A\", \"B\"}" },
    { "ca \"one\" { templates = {\"A\",\n \"\"} }", 6,
        "ca \"one\".templates: an entry that is empty or has a control character" },
    { "ca \"one\" { templates = {\"A\\r\\nCertificateTemplate:B\"} }", 5,
        "ca \"one\".templates: an entry that is empty or has a control character" },
    /* sections of CAs */
    { "ca { type = \"est\" }", 5, "missing title for section 'ca'" },
    { "ca \"\" { type = \"est\" }", 5, "ca \"\": a ca section needs a name of 1 to 63 characters" },
    { "ca \"\" { }", 5, "ca \"\": a ca section needs a name of 1 to 63 characters" },
    { "ca \"two\" { }", 0, "ca \"two\".type: must be set" },
    { "ca \"two\" { type = \"est\" }", 0, "ca \"two\".url: must be set" },
    { "ca \"two\" { type = \"est\" url = \"https://x\" anchors = \"a\" }", 0,
        "ca \"two\".templates: must be set" },
    { "ca \"one\" { auth = \"basic\" }", 0,
        "ca \"one\".credentials_file: must be set with auth = \"basic\"" },
    { "ca \"one\" { auth = \"ntlm\" }", 0,
        "ca \"one\".credentials_file: must be set with auth = \"ntlm\"" },
    { "ca \"one\" { type = \"est\" auth = \"negotiate\" }", 0,
        "ca \"one\".auth: EST knows basic and client certificates only" },
    /* not our language */
    { "cloud url", 5, "missing opening brace for section 'cloud'" },
    { "log { level \"info\" }", 5, "log: missing equal sign after option 'level'" },
    { "log { level += \"info\" }", 5, "log: attempt to append to non-list option 'level'" },
    { "\n/* two\n */ // and {\n## more\n zzz = 1", 9, "zzz: no such option" },
    { "log {\n level = \"info\" # why \"\n // and '\n /* { */ zzz = 1 }", 8,
        "log.zzz: no such option" },
    { "cloud {\n group = \"a\n\n", 6, "a quote that is not closed" },
    { "cloud {\n group = 'a\\'", 6, "a quote that is not closed" },
    { "\n/* cloud\n {", 6, "a comment that is not closed" },
    { "\ncloud {\n group = \"a\"\n", 6, "a brace that is not closed" },
    { "ca \"one\" {\n templates = {\"A\"\n }", 5, "a brace that is not closed" },
    { "{{{{{{{{{", 5, "too many open braces" },
    /* the environment */
    { "cloud {\n trust = \"${HOME}/x\" }", 6,
        "${...}: the environment is not used here; write \\${" },
    { "cloud {\n trust = ${HOME} }", 6, "${...}: the environment is not used here" },
    { "}", 5, "unexpected closing brace" },
    { "include(\"other.conf\")", 5, "include: no such option; did you mean pkcs12.include_root?" },
};

static void every_message(void **state)
{
    char text[2000], expected[400];
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(text, sizeof text, GOOD "%s", bad[i].more);
        dir_write("c.conf", text, 0644);
        T_ERR(try(dir_path("c.conf"), &e), ERR_CONFIG);
        if (bad[i].line != 0)
            (void)snprintf(expected, sizeof expected, "%s:%d: %s", dir_path("c.conf"), bad[i].line,
                bad[i].says);
        else
            (void)snprintf(expected, sizeof expected, "%s: %s", dir_path("c.conf"), bad[i].says);
        if (strcmp(e.msg, expected) != 0)
            fail_msg("%s\n  gave     %s\n  expected %s", bad[i].more, e.msg, expected);
    }
}

static void what_must_be_set(void **state)
{
    struct err e;

    (void)state;
    dir_write("c.conf", "", 0644);
    T_ERR_SAYS(try(dir_path("c.conf"), &e), ERR_CONFIG, "c.conf: cloud.url: must be set");
    dir_write("c.conf", "cloud { url = \"https://x\" }", 0644);
    T_ERR_SAYS(try(dir_path("c.conf"), &e), ERR_CONFIG,
        "c.conf: no ca section; at least one CA is needed");
    dir_write("c.conf", GOOD, 0644);
    assert_int_equal(try(dir_path("c.conf"), &e), 0);
}

/* A mistake in a drop-in is shown there, and the whole is refused. */
static void drop_ins_are_held_to_the_same(void **state)
{
    char says[DIR_PATH_LEN + 100];
    struct err e;

    (void)state;
    dir_write("c.conf", GOOD, 0644);
    assert_int_equal(mkdir(dir_path("conf.d"), 0755), 0);
    dir_write("conf.d/1.conf", "log { level = \"info\" }", 0644);
    assert_int_equal(try(dir_path("c.conf"), &e), 0);
    dir_write("conf.d/2.conf", "\n\nlog {\nlevel = \"loud\" }", 0644);
    (void)snprintf(says, sizeof says, "%s:4: log.level: ", dir_path("conf.d/2.conf"));
    T_ERR_SAYS(try(dir_path("c.conf"), &e), ERR_CONFIG, says);
    dir_write("conf.d/2.conf", "\nlgo { }", 0644);
    (void)snprintf(says, sizeof says, "%s:2: lgo: no such option", dir_path("conf.d/2.conf"));
    T_ERR_SAYS(try(dir_path("c.conf"), &e), ERR_CONFIG, says);
    assert_int_equal(unlink(dir_path("conf.d/2.conf")), 0);
    assert_int_equal(symlink("nowhere", dir_path("conf.d/3.conf")), 0);
    T_ERR_SAYS(try(dir_path("c.conf"), &e), ERR_CONFIG, "conf.d/3.conf: No such file");
    assert_int_equal(unlink(dir_path("conf.d/3.conf")), 0);
    assert_int_equal(mkdir(dir_path("conf.d/4.conf"), 0755), 0);
    T_ERR_SAYS(try(dir_path("c.conf"), &e), ERR_CONFIG, "conf.d/4.conf: not a file");
}

static void files_that_are_none(void **state)
{
    uint8_t junk[4000];
    struct err e;

    (void)state;
    T_ERR_SAYS(try(dir_path("none.conf"), &e), ERR_CONFIG, "none.conf: No such file");
    T_ERR_SAYS(try(dir_root, &e), ERR_CONFIG, "not a file");
    dir_write("c.conf", GOOD, 0644);
    dir_write("conf.d", "a file where a folder should be", 0644);
    T_ERR_SAYS(try(dir_path("c.conf"), &e), ERR_CONFIG, "conf.d: Not a directory");
    assert_int_equal(unlink(dir_path("conf.d")), 0);
    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = (uint8_t)(i * i * 31 + i / 7);
    for (size_t len = 1; len < sizeof junk; len += 97) {
        dir_put("c.conf", junk, len, 0644);
        T_ERR(try(dir_path("c.conf"), &e), ERR_CONFIG);
        for (const char *c = e.msg; *c != '\0'; c++)
            assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
    }
}

static void limits(void **state)
{
    struct buf text = BUF_INIT(1 << 20);
    struct err e;

    (void)state;
    for (int n = 0; n < 2; n++) { /* so many CAs, and one more */
        buf_reset(&text);
        buf_add_text(&text, GOOD);
        for (int i = 1; i < CONF_CA_MAX + n; i++)
            buf_printf(&text,
                "ca \"ca%d\" { type=\"adcs\" url=\"https://c/\" anchors=\"a\" templates=\"A\" }\n",
                i);
        dir_put("c.conf", text.p, text.len, 0644);
        if (n == 0)
            assert_int_equal(try(dir_path("c.conf"), &e), 0);
        else
            T_ERR_SAYS(try(dir_path("c.conf"), &e), ERR_CONFIG, "more than 64 ca sections");
    }
    for (int n = 0; n < 2; n++) { /* so many templates, and one more */
        buf_reset(&text);
        buf_add_text(&text, GOOD "ca \"one\" { templates = {");
        for (int i = 0; i < CONF_LIST_MAX + n; i++)
            buf_printf(&text, "%s\"T%d\"", i > 0 ? ", " : "", i);
        buf_add_text(&text, "} }");
        dir_put("c.conf", text.p, text.len, 0644);
        if (n == 0)
            assert_int_equal(try(dir_path("c.conf"), &e), 0);
        else
            T_ERR_SAYS(try(dir_path("c.conf"), &e), ERR_CONFIG, "templates: too many entries");
    }
    for (int n = 0; n < 2; n++) { /* requests keep 63 characters of a CA's name */
        buf_reset(&text);
        buf_printf(&text,
            GOOD "ca \"%0*d\" { type=\"adcs\" url=\"https://c/\" anchors=\"a\" "
                 "templates=\"A\" }",
            CONF_NAME_MAX + n, 1);
        dir_put("c.conf", text.p, text.len, 0644);
        if (n == 0)
            assert_int_equal(try(dir_path("c.conf"), &e), 0);
        else
            T_ERR_SAYS(try(dir_path("c.conf"), &e), ERR_CONFIG, "1 to 63 characters");
    }
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIR_TEST(every_message),
        DIR_TEST(what_must_be_set),
        DIR_TEST(drop_ins_are_held_to_the_same),
        DIR_TEST(files_that_are_none),
        DIR_TEST(limits),
    };

    return cmocka_run_group_tests_name("agent_conf_bad", tests, NULL, NULL);
}
