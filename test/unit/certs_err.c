/* err.h: classes, messages that can be shown anywhere. */
#include "test/t.h"
#include "certs/text.h"

static void every_class_has_its_row(void **state)
{
    (void)state;
    assert_int_equal(err_action(ERR_NONE), ERR_DO_NOTHING);
    for (int i = ERR_NONE + 1; i < ERR_CLASS_COUNT; i++) {
        assert_int_not_equal(err_action((enum err_class)i), ERR_DO_NOTHING);
        assert_int_equal(strncmp(err_name((enum err_class)i), "ERR_", 4), 0);
        assert_true(strlen(err_text((enum err_class)i)) > 3);
    }
    assert_string_equal(err_name(ERR_NET), "ERR_NET");
    assert_string_equal(err_text(ERR_NET), "no usable answer");
    assert_int_equal(err_action(ERR_NET), ERR_DO_AGAIN);
    assert_int_equal(err_action(ERR_AUTH), ERR_DO_HOLD);
    assert_int_equal(err_action(ERR_MISMATCH), ERR_DO_FAIL);
    assert_string_equal(err_name(ERR_CRYPTO), "ERR_CRYPTO");
}

/* A number that is no class (from a store written by a later version) is given up, not retried. */
static void a_stranger_fails_closed(void **state)
{
    (void)state;
    assert_int_equal(err_action((enum err_class)(ERR_CLASS_COUNT + 3)), ERR_DO_FAIL);
    assert_string_equal(err_name((enum err_class)(ERR_CLASS_COUNT + 3)), "ERR_?");
    assert_string_equal(err_text((enum err_class)(ERR_CLASS_COUNT + 3)), "unknown error");
}

static void set_says_what_and_where(void **state)
{
    struct err e = { .number = 7 };

    (void)state;
    assert_int_equal(err_set(&e, ERR_PROTO, "%d of %s", 3, "x"), -1);
    assert_int_equal(e.cls, ERR_PROTO);
    assert_int_equal(e.number, 0);
    assert_string_equal(e.msg, "3 of x");
    assert_non_null(strstr(e.where, "certs_err.c:"));
}

static void own_message_may_be_an_argument(void **state)
{
    struct err e = { 0 };

    (void)state;
    err_set(&e, ERR_NET, "refused");
    err_set(&e, ERR_STORE, "then %s", e.msg);
    assert_string_equal(e.msg, "then refused");
}

static void wrap_keeps_class_number_place(void **state)
{
    struct err e = { 0 };
    const char *where;

    (void)state;
    err_set(&e, ERR_DENIED, "no");
    e.number = 0x80094012u;
    where = e.where;
    assert_int_equal(err_wrap(&e, "CA %s", "one"), -1);
    assert_string_equal(e.msg, "CA one: no");
    assert_int_equal(e.cls, ERR_DENIED);
    assert_int_equal(e.number, 0x80094012u);
    assert_ptr_equal(e.where, where);
}

/* Cut at any byte, the message stays UTF-8 and shows no half character. */
static void long_messages_are_cut_between_characters(void **state)
{
    char pad[sizeof((struct err *)0)->msg + 8];
    struct err e = { 0 };

    (void)state;
    for (size_t n = sizeof e.msg - 6; n < sizeof e.msg + 3; n++) {
        memset(pad, 'a', n);
        pad[n] = '\0';
        err_set(&e, ERR_INPUT, "%s\xe2\x82\xac\xf0\x9f\x98\x80!", pad);
        assert_true(strlen(e.msg) < sizeof e.msg);
        assert_true(strlen(e.msg) + 8 > sizeof e.msg);
        assert_true(utf8_valid(view_text(e.msg)));
        assert_null(strchr(e.msg, '?'));
        err_set(&e, ERR_INPUT, "%s", "tail");
        err_wrap(&e, "%s\xe2\x82\xac", pad);
        assert_true(utf8_valid(view_text(e.msg)));
        assert_true(strlen(e.msg) + 8 > sizeof e.msg);
    }
}

static void clean_replaces_what_steers_a_terminal(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        { "plain text", "plain text" },
        { "a\x1b[31mb\r\nc\td", "a?[31mb??c?d" },
        { "Gr\xc3\xbc\xc3\x9f"
          "e \xe2\x82\xac \xf0\x9f\x98\x80",
            "Gr\xc3\xbc\xc3\x9f"
            "e \xe2\x82\xac \xf0\x9f\x98\x80" },
        { "c1 \xc2\x9b!", "c1 ?!" },
        { "bidi \xe2\x80\xae!\xe2\x81\xa6", "bidi ?!?" },
        { "line \xe2\x80\xa8 sep", "line ? sep" },
        { "bad \xff\xc3(", "bad ?\?(" },
        { "overlong \xc0\xaf", "overlong ?\?" },
        { "surrogate \xed\xa0\x80", "surrogate ?\?\?" },
        { "del \x7f", "del ?" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[80];
        struct err e = { 0 };

        (void)snprintf(text, sizeof text, "%s", rows[i].in);
        err_clean(text);
        assert_string_equal(text, rows[i].out);
        err_set(&e, ERR_NET, "%s", rows[i].in);
        assert_string_equal(e.msg, rows[i].out);
    }
}

static void only_hresults_are_hresults(void **state)
{
    (void)state;
    assert_int_equal(err_hresult(NULL), 0);
    assert_int_equal(err_hresult(&(struct err){ .number = 0x80094004 }), 0x80094004);
    assert_int_equal(err_hresult(&(struct err){ .number = 503 }), 0); /* an HTTP status */
    assert_int_equal(err_hresult(&(struct err){ .number = 13 }), 0);  /* an errno */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_has_its_row),
        cmocka_unit_test(a_stranger_fails_closed),
        cmocka_unit_test(set_says_what_and_where),
        cmocka_unit_test(own_message_may_be_an_argument),
        cmocka_unit_test(wrap_keeps_class_number_place),
        cmocka_unit_test(long_messages_are_cut_between_characters),
        cmocka_unit_test(clean_replaces_what_steers_a_terminal),
        cmocka_unit_test(only_hresults_are_hresults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
