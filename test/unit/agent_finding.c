/* finding.h: which grade, which fix, and nothing of a stranger's that a terminal would act on. */
#include "test/t.h"
#include "agent/probe/finding.h"

static void the_worse_one_counts(void **state)
{
    struct finding f;

    (void)state;
    finding_set(&f, GRADE_PASS, ERR_NONE, "%d certificates", 4);
    finding_worse(&f, GRADE_PASS, ERR_NONE, NULL, "as ever");
    assert_int_equal(f.grade, GRADE_PASS);
    assert_string_equal(f.fact, "4 certificates; as ever");
    finding_worse(&f, GRADE_WARN, ERR_NONE, "renew", "ends soon");
    finding_worse(&f, GRADE_FAIL, ERR_EXPIRED, "renew at once", "ended");
    finding_worse(&f, GRADE_WARN, ERR_NONE, "look", "odd");
    finding_worse(&f, GRADE_FAIL, ERR_TRUST, "trust", "unknown");
    assert_int_equal(f.grade, GRADE_FAIL);
    assert_int_equal(f.cls, ERR_EXPIRED);
    assert_string_equal(f.fix, "renew at once");
    assert_string_equal(f.fact, "4 certificates; as ever; ends soon; ended; odd; unknown");
    finding_set(&f, GRADE_PASS, ERR_NONE, "new");
    assert_string_equal(f.fix, "");
}

static void facts_are_cut_and_cleaned(void **state)
{
    char text[3000];
    struct finding f;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    finding_set(&f, GRADE_WARN, ERR_NONE, "a\033[31m\n%s", "\xff");
    assert_string_equal(f.fact, "a?[31m??");
    for (int i = 0; i < 5; i++)
        finding_worse(&f, GRADE_WARN, ERR_NONE, text, "%s", text);
    assert_int_equal(strlen(f.fact), sizeof f.fact - 1);
    assert_int_equal(strlen(f.fix), sizeof f.fix - 1);
}

static void as_json(void **state)
{
    struct buf b = BUF_INIT(2000);
    struct json_out o = { .to = &b };
    struct finding f;

    (void)state;
    finding_set(&f, GRADE_FAIL, ERR_NET, "nobody is there");
    finding_fix(&f, "start it");
    json_open(&o, NULL, '{');
    finding_json(&f, &o);
    json_close(&o, '}');
    assert_string_equal(buf_text(&b), "{\"grade\":\"FAIL\",\"fact\":\"nobody is "
                                      "there\",\"code\":\"ERR_NET\",\"fix\":\"start it\"}");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worse_one_counts),
        cmocka_unit_test(facts_are_cut_and_cleaned),
        cmocka_unit_test(as_json),
    };

    return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
