/* What we showed to prove who we are, in an answer that repeats it. */
#include "test/t.h"
#include "agent/io/io_scrub.h"

static const char *scrubbed(const char *text, const char *credential, const char *header)
{
    static struct buf body = BUF_INIT(1000);

    buf_free(&body);
    buf_add_text(&body, text);
    if (credential != NULL)
        io_scrub_credential(&body, view_text(credential), IO_SCRUB_REFUSAL);
    if (header != NULL)
        io_scrub_header(&body, header, IO_SCRUB_REFUSAL);
    return buf_text(&body);
}

static void credentials(void **state)
{
    (void)state;
    assert_string_equal(scrubbed("he sent user:passwd1 twice, user:passwd1", "user:passwd1", NULL),
        "he sent ************ twice, ************");
    assert_string_equal(scrubbed("passwd1", "user:passwd1", NULL), "*******");
    assert_string_equal(
        scrubbed("Basic dXNlcjpwYXNzd2Qx.", "user:passwd1", NULL), "Basic ****************.");
    assert_string_equal(scrubbed("Bearer abcdef", "abcdef", NULL), "Bearer ******");
    assert_string_equal(scrubbed("user: unknown", "user:passwd1", NULL), "user: unknown");
    assert_string_equal(
        scrubbed("abc", "u:abc", NULL), "abc"); /* too short to be told from any text */
    assert_string_equal(scrubbed("", "user:passwd1", NULL), "");
    assert_string_equal(scrubbed("text", "", NULL), "text");
}

static void headers(void **state)
{
    (void)state;
    assert_string_equal(scrubbed("saw: Bearer eyJ.x.y", NULL, "Authorization: Bearer eyJ.x.y"),
        "saw: Bearer *******");
    assert_string_equal(
        scrubbed("saw eyJ.x.y", NULL, "authorization:  Bearer  eyJ.x.y"), "saw *******");
    assert_string_equal(scrubbed("text/plain", NULL, "Accept: text/plain"), "text/plain");
    assert_string_equal(scrubbed("Bearer", NULL, "Authorization: Bearer"), "Bearer");
    assert_string_equal(scrubbed("x", NULL, "Authorization:"), "x");
    assert_string_equal(scrubbed("abc-def", NULL, "X-Api-Key: abc-def"), "*******");
    assert_string_equal(scrubbed("abc-def", NULL, "x-auth-token:abc-def"), "*******");
    assert_string_equal(scrubbed("0123-id", NULL, "client-request-id: 0123-id"), "0123-id");
    assert_string_equal(scrubbed("x-api-key", NULL, "x-api-key"), "x-api-key");
    (void)scrubbed("", NULL, NULL);
}

/* What stands in an answer that is none of a refusal may be anything: only long ones are told from it. */
static void answers(void **state)
{
    struct buf body = BUF_INIT(1000);

    (void)state;
    buf_add_text(&body, "MIIBpassword1 a-token-of-20-bytes!!");
    io_scrub_credential(&body, view_text("user:password1"), IO_SCRUB_ANSWER);
    io_scrub_header(&body, "Authorization: Bearer a-token-of-20-bytes!", IO_SCRUB_ANSWER);
    assert_string_equal(buf_text(&body), "MIIBpassword1 ********************!");
    buf_free(&body);
}

static const char *scrubbed_form(const char *text, const char *form)
{
    static struct buf body = BUF_INIT(1000);

    buf_free(&body);
    buf_add_text(&body, text);
    if (form != NULL)
        io_scrub_form(&body, view_text(form));
    return buf_text(&body);
}

static void forms(void **state)
{
    static const char form[] = "grant_type=client_credentials&client_id=client-id-1&client_secret="
                               "hunter2%2Fand%7Emore&scope=ccp.enroll";

    (void)state;
    assert_string_equal(scrubbed_form("client-id-1: hunter2/and~more is wrong", form),
        "client-id-1: **************** is wrong");
    assert_string_equal(scrubbed_form("hunter2%2Fand%7Emore", form), "********************");
    assert_string_equal(
        scrubbed_form("ccp.enroll client_credentials", form), "ccp.enroll client_credentials");
    assert_string_equal(scrubbed_form("no abcdef-123", "device_code=abcdef-123"), "no **********");
    assert_string_equal(scrubbed_form("a.b.c-assertion",
                            "client_assertion_type=x&client_assertion=a.b.c-assertion"),
        "***************");
    assert_string_equal(scrubbed_form("text", "&&=&client_secret&client_secret=&x=%"), "text");
    assert_string_equal(scrubbed_form("%4 %4%4 is short", "client_secret=%4"), "%4 %4%4 is short");
    (void)scrubbed_form("", NULL);
}

/* A server that answers in JSON writes a quote, a backslash, and often a slash, with a backslash. */
static void as_json_writes_it(void **state)
{
    (void)state;
    assert_string_equal(scrubbed("\"said: ab/cd/ef\"", "ab/cd/ef", NULL), "\"said: ********\"");
    assert_string_equal(
        scrubbed("\"said: ab\\/cd\\/ef\"", "ab/cd/ef", NULL), "\"said: **********\"");
    assert_string_equal(scrubbed("\"ab\\\"cd\\\\ef/\"", "ab\"cd\\ef/", NULL), "\"***********\"");
    (void)scrubbed("", NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials),
        cmocka_unit_test(headers),
        cmocka_unit_test(answers),
        cmocka_unit_test(forms),
        cmocka_unit_test(as_json_writes_it),
    };

    return cmocka_run_group_tests_name("agent_io_scrub", tests, NULL, NULL);
}
