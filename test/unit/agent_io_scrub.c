/* What we showed to prove who we are, in an answer that repeats it. */
#include "test/t.h"
#include "agent/io_scrub.h"

static const char *scrubbed(const char *text, const char *credential, const char *header)
{
    static struct buf body = BUF_INIT(1000);

    buf_free(&body);
    buf_add_text(&body, text);
    if (credential != NULL)
        io_scrub_credential(&body, view_text(credential));
    if (header != NULL)
        io_scrub_header(&body, header);
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
    (void)scrubbed("", NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials),
        cmocka_unit_test(headers),
    };

    return cmocka_run_group_tests_name("agent_io_scrub", tests, NULL, NULL);
}
