/* The screen and the page made of a status document, the document hostile where peers can make it so. */
#include "test/t.h"
#include "agent/cli/status.h"

static struct json *parsed(const char *text)
{
    struct err e = { 0 };
    struct json *j = json_parse(view_text(text), 1 << 20, &e);

    if (j == NULL)
        fail_msg("%s", e.msg);
    return j;
}

static const char running[] =
    "{\"version\":\"1.2.3\",\"health\":\"degraded\",\"pid\":812,\"uptime_s\":273600,\"causes\":[{"
    "\"part\":"
    "\"ca\",\"name\":\"issuing1\",\"message\":\"connect <script>alert(1)</script> & \\\"x\\\" "
    "'`\"}],"
    "\"peers\":[{\"name\":\"cloud\",\"type\":\"ccp\",\"state\":\"ok\",\"lastOk\":\"2030-01-01T00:"
    "00:00Z\","
    "\"answers\":7,\"clockOffset_s\":-2},{\"name\":\"issuing1\",\"type\":\"adcs\",\"state\":"
    "\"failing\","
    "\"failingSince\":\"2029-12-31T23:40:00Z\",\"nextTry\":\"2030-01-01T00:00:42Z\",\"class\":"
    "\"ERR_NET\","
    "\"message\":\"connection refused\"}],"
    "\"queue\":[{\"waitsFor\":\"ca\",\"name\":\"issuing1\",\"state\":\"retrying\",\"count\":5,"
    "\"oldest\":"
    "\"2029-12-29T21:00:00Z\"}],\"requests\":{\"retrying\":5,\"delivered\":3},\"stuck\":5,"
    "\"oldestOpen\":\"2029-12-29T21:00:00Z\",\"lastDay\":{\"delivered\":1204},"
    "\"certificates\":[{\"purpose\":\"scep_ra\",\"name\":\"ndes\",\"notAfter\":\"2030-01-09T00:00:"
    "00Z\","
    "\"daysLeft\":8}],\"outcomes\":[{\"id\":\"r1\",\"state\":\"rejected\",\"reason\":"
    "\"a\\u202eb<img src=x "
    "onerror=y>\"}],\"orphans\":2,\"store\":\"dir\",\"storeFree\":10737418240}";

enum { NOW = 1893456010 }; /* 2030-01-01T00:00:10Z */

static const char *of(void (*how)(const struct json *, int64_t, struct buf *), const char *data)
{
    static struct buf b = BUF_INIT(1 << 20);
    struct json *j = parsed(data);

    buf_reset(&b);
    how(j, NOW, &b);
    json_free(j);
    return buf_text(&b);
}

#define SAYS(t, what)                                   \
    do {                                                \
        if (strstr((t), (what)) == NULL)                \
            fail_msg("\"%s\" is not in:\n%s", what, t); \
    } while (0)

static void the_screen(void **state)
{
    const char *t = of(status_text, running);

    (void)state;
    SAYS(t, "certferry 1.2.3  running for 3 d 4 h (pid 812)   health: degraded\n");
    SAYS(t, "Cloud    cloud        ok, last answer 10 s ago, 7 answers\n");
    SAYS(t, "CA       issuing1     FAILING for 20 min (ERR_NET: connection refused), next try in "
            "32 s\n");
    SAYS(t, "Queue    0 ready, 5 retrying, 0 pending, 0 held   oldest 2 d 3 h\n");
    SAYS(t, "5 retrying, wait for ca issuing1   oldest 2 d 3 h\n");
    SAYS(t, "5 stuck: certferry requests list --stuck\n");
    SAYS(t, "24 h     1204 delivered,");
    SAYS(t, "Cert     ndes         8 d left, of the registration authority  <- soon\n");
    SAYS(t, "Clock    -2 s at cloud\n");
    SAYS(t, "Store    dir, 10.0 GiB free\n");
}

static void the_screen_without_a_service(void **state)
{
    (void)state;
    SAYS(of(status_text, "{\"version\":\"1.2.3\",\"health\":\"stopped\"}"),
        "certferry 1.2.3  no service is running; this is what its store holds\n");
}

/* Whatever a peer said, the page has the tags that we wrote and no others, and nothing that runs. */
static void the_page_is_escaped(void **state)
{
    const char *t = of(status_html, running);

    (void)state;
    SAYS(t, "connect &#60;script&#62;alert(1)&#60;/script&#62; &#38; &#34;x&#34; &#39;&#96;");
    SAYS(t, "a\xc2\xb7"
            "b&#60;img src=x onerror=y&#62;");
    SAYS(t, "default-src 'none'");
    assert_null(strstr(t, "<script"));
    assert_null(strstr(t, "<img"));
    assert_null(strstr(t, "http://"));
    assert_null(strstr(t, "https://"));
    assert_null(strstr(t, "\xe2\x80\xae"));
    SAYS(t, "</body></html>\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_screen),
        cmocka_unit_test(the_screen_without_a_service),
        cmocka_unit_test(the_page_is_escaped),
    };

    return cmocka_run_group_tests_name("agent_status", tests, NULL, NULL);
}
