/* Why a server refuses: by number, by name, and what is said about it. */
#include "test/t.h"
#include "proto/oauth_error.h"

static struct err e;

static void reasons(void **state)
{
    static const struct {
        const char *body;
        enum oauth_reason reason;
        uint32_t aadsts;
        const char *code, *said;
    } rows[] = {
        { "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000222: The provided "
          "client "
          "secret keys are expired. Visit the portal.\\r\\nTrace ID: 1\"}",
            OAUTH_SECRET_EXPIRED, 7000222, "invalid_client",
            "AADSTS7000222: The provided client secret keys are expired." },
        { "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: no\"}",
            OAUTH_SECRET_WRONG, 7000215, "invalid_client", "AADSTS7000215: no" },
        { "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS700027: x\"}",
            OAUTH_CERTIFICATE, 700027, "invalid_client", "AADSTS700027: x" },
        { "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS700024: x\"}", OAUTH_CLOCK,
            700024, "invalid_client", "AADSTS700024: x" },
        { "{\"error\":\"unauthorized_client\",\"error_description\":\"AADSTS700016: x\"}",
            OAUTH_CLIENT, 700016, "unauthorized_client", "AADSTS700016: x" },
        { "{\"error\":\"invalid_grant\",\"error_codes\":[65001]}", OAUTH_CONSENT, 65001,
            "invalid_grant", "" },
        { "{\"error\":\"invalid_grant\",\"error_description\":\"\",\"error_codes\":[50105,1]}",
            OAUTH_ROLE, 50105, "invalid_grant", "" },
        { "{\"error\":\"invalid_grant\",\"error_codes\":[]}", OAUTH_GRANT, 0, "invalid_grant", "" },
        { "{\"error\":\"invalid_grant\",\"error_codes\":[\"x\"]}", OAUTH_GRANT, 0, "invalid_grant",
            "" },
        { "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS99999999999: x\"}",
            OAUTH_GRANT, 0, "invalid_grant", "AADSTS99999999999: x" },
        { "{\"error\":\"invalid_request\",\"error_description\":\"AADSTS90002: x\"}", OAUTH_TENANT,
            90002, "invalid_request", "AADSTS90002: x" },
        { "{\"error\":\"invalid_resource\",\"error_description\":\"AADSTS650052: x\"}",
            OAUTH_LICENCE, 650052, "invalid_resource", "AADSTS650052: x" },
        { "{\"error\":\"interaction_required\",\"error_description\":\"AADSTS50076: x\"}",
            OAUTH_FACTOR, 50076, "interaction_required", "AADSTS50076: x" },
        { "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS50034: x\"}", OAUTH_ACCOUNT,
            50034, "invalid_grant", "AADSTS50034: x" },
        { "{\"error\":\"unsupported_grant_type\"}", OAUTH_FLOW, 0, "unsupported_grant_type", "" },
        { "{\"error\":\"invalid_client\",\"error_description\":\"client authentication failed\"}",
            OAUTH_CLIENT, 0, "invalid_client", "client authentication failed" },
        { "{\"error\":\"something\\u001b[1m new\"}", OAUTH_REFUSED, 0, "something?[1m new", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oauth_error o;

        assert_int_equal(oauth_error_parse(view_text(rows[i].body), &o, &e), 1);
        if (o.reason != rows[i].reason)
            fail_msg("%s: %s", rows[i].body, oauth_reason_name(o.reason));
        assert_int_equal(o.aadsts, rows[i].aadsts);
        assert_string_equal(o.code, rows[i].code);
        assert_string_equal(o.said, rows[i].said);
        assert_int_equal(oauth_error_set(&o, 400, &e), -1);
        assert_int_equal(e.number, rows[i].aadsts != 0 ? rows[i].aadsts : 400);
        assert_int_equal(strncmp(e.msg, rows[i].code, strlen(rows[i].code)), 0);
    }
}

static void none(void **state)
{
    static const char *const bodies[] = { "", "{}", "[]", "{\"error\":17}", "{\"error\":null}",
        "{\"error\":{\"code\":\"ConflictError\"}}", "{\"error\":\"x\"", "<html>" };
    struct oauth_error o;

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        o.reason = OAUTH_REFUSED;
        assert_false(oauth_error_read(view_text(bodies[i]), &o));
        assert_int_equal(o.reason, OAUTH_NO_REASON);
        assert_string_equal(o.code, "");
    }
    assert_int_equal(oauth_error_parse(view_text("{\"a\":1}"), &o, &e), 0);
    T_ERR(oauth_error_parse(view_text("{"), &o, &e), ERR_PROTO);
}

/* Every reason has what a person needs; no two have the same name; none promises a class that is no failure. */
static void table(void **state)
{
    (void)state;
    for (int r = OAUTH_NO_REASON + 1; r < OAUTH_REASON_COUNT; r++) {
        struct oauth_error o = { .reason = (enum oauth_reason)r, .code = "x" };

        assert_true(strlen(oauth_reason_name(o.reason)) > 3);
        assert_true(strlen(oauth_reason_fact(o.reason)) > 10);
        assert_true(strlen(oauth_reason_fix(o.reason)) >= 4);
        assert_int_equal(oauth_error_set(&o, 400, &e), -1);
        assert_int_not_equal(e.cls, ERR_NONE);
        for (int other = OAUTH_NO_REASON; other < r; other++)
            assert_string_not_equal(
                oauth_reason_name(o.reason), oauth_reason_name((enum oauth_reason)other));
    }
    assert_string_equal(oauth_reason_name((enum oauth_reason) - 1), "none");
    assert_string_equal(oauth_reason_name(OAUTH_REASON_COUNT), "none");
    assert_int_equal(oauth_reason_of(50076), OAUTH_FACTOR);
    assert_int_equal(oauth_reason_of(7000222), OAUTH_SECRET_EXPIRED);
    assert_int_equal(oauth_reason_of(400), OAUTH_NO_REASON);
    assert_int_equal(oauth_reason_of(0), OAUTH_NO_REASON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons),
        cmocka_unit_test(none),
        cmocka_unit_test(table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
