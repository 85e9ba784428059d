/* What a plugin may not ask. */
#include "test/t.h"
#include "test/unit/agent_plugin.h"

static struct plugin *plugin;

static int begin(void **state)
{
    int rc = plugin_begin(state);

    dir_write("secret", "hunter2\n", 0600);
    section.client_id = (char *)(uintptr_t) "me";
    section.client_secret_file = strdup(dir_path("secret"));
    plugin = plugin_opened("shell");
    return rc;
}

static int end(void **state)
{
    plugin_close(plugin);
    free(section.client_secret_file);
    return plugin_end(state);
}

static struct certferry_ask a_get(void)
{
    return (struct certferry_ask){ .method = "GET", .url = "https://127.0.0.1:1/" };
}

static void on_never(void *arg, const struct result *r)
{
    (void)arg;
    (void)r;
    fail_msg("a refused question was answered");
}

static void refused(const struct certferry_ask *ask, enum err_class cls, const char *says)
{
    struct err e = { 0 };

    assert_int_equal(plugin_ask_check(plugin, ask, &e), -1); /* when it is given as a verdict */
    if (plugin_ask(plugin, ask, on_never, NULL, &e) != NULL)
        fail_msg("asked all the same, though %s", says);
    if (e.cls != cls || strstr(e.msg, says) == NULL)
        fail_msg("%s \"%s\" does not say \"%s\"", err_name(e.cls), e.msg, says);
}

static void questions_that_are_none(void **state)
{
    static char long_url[6000];
    struct certferry_ask a = { 0 };

    (void)state;
    refused(&a, ERR_INPUT, "neither");
    a = a_get();
    a.program = 1;
    refused(&a, ERR_INPUT, "both");
    a = a_get();
    a.method = "DELETE";
    refused(&a, ERR_INPUT, "neither GET nor POST");
    a = a_get();
    a.url = NULL;
    refused(&a, ERR_INPUT, "without a URL");
    a.url = "http://127.0.0.1/";
    refused(&a, ERR_INPUT, "https");
    a.url = "https://user:word@127.0.0.1/";
    refused(&a, ERR_INPUT, "");
    memset(long_url, 'x', sizeof long_url - 1);
    memcpy(long_url, "https://a/", 10);
    a.url = long_url;
    refused(&a, ERR_INPUT, "URL of more than");
    a = a_get();
    a.body = (struct certferry_bytes){ (const uint8_t *)"x", 1 };
    refused(&a, ERR_INPUT, "GET with a body");
    a.method = "POST";
    a.body.n = 2 << 20;
    refused(&a, ERR_INPUT, "a body of");
    a.body = (struct certferry_bytes){ NULL, 1 };
    refused(&a, ERR_INPUT, "a body of");
    a = (struct certferry_ask){ .program = 1 };
    refused(&a, ERR_CONFIG, "program is not set");
}

static void headers_that_are_none(void **state)
{
    static const struct certferry_header cases[] = {
        { NULL, "x" },
        { "", "x" },
        { "X Y", "x" },
        { "X:", "x" },
        { "X\r\nY", "x" },
        { "X-Y", "a\r\nAuthorization: Basic eDp5" },
        { "X-Y", "a\nb" },
        { "X-Y", "" },
        { "X-Y", NULL },
        { "Host", "elsewhere" },
        { "content-LENGTH", "0" },
        { "Transfer-Encoding", "chunked" },
        { "Connection", "Upgrade" },
        { "Proxy-Authorization", "Basic eDp5" },
    };
    struct certferry_ask a = a_get();

    (void)state;
    a.header_count = 2;
    a.header[0] = (struct certferry_header){ "Accept", "application/json" };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        a.header[1] = cases[i];
        refused(&a, ERR_INPUT, "header");
    }
    a.header_count = CERTFERRY_HEADERS_MAX + 1;
    refused(&a, ERR_INPUT, "headers");
}

static void tokens_that_are_none(void **state)
{
    struct certferry_ask a = a_get();
    struct tokens *t = plugin->tokens;

    (void)state;
    a.token_url = "http://127.0.0.1/";
    a.token_scope = "s";
    refused(&a, ERR_INPUT, "token_url");
    a.token_url = "https://127.0.0.1/";
    a.token_scope = NULL;
    refused(&a, ERR_INPUT, "scope");
    a.token_scope = "a\nb";
    refused(&a, ERR_INPUT, "scope");
    a.token_scope = "s";
    a.header_count = 1;
    a.header[0] = (struct certferry_header){ "authorization", "Bearer mine" };
    refused(&a, ERR_INPUT, "host's");
    plugin->tokens = NULL;
    a.header_count = 0;
    refused(&a, ERR_CONFIG, "client_id");
    plugin->tokens = t;
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(questions_that_are_none),
        T(headers_that_are_none),
        T(tokens_that_are_none),
    };

    return cmocka_run_group_tests_name("agent_plugin_question", tests, NULL, NULL);
}
