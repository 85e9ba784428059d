/* Every code there is has a text; and the tables of the command line hold together. */
#include "test/t.h"
#include "agent/base/log.h"
#include "agent/cli/cli.h"
#include "agent/cli/cmd_manual.h"
#include "agent/cli/explain.h"
#include "agent/cli/explain_text.h"
#include "agent/doctor/doctor.h"
#include "agent/requests/audit.h"

struct seen {
    size_t of[EXPLAIN_KIND_COUNT];
    const char *code; /* asked for */
    size_t found;
};

static bool is_command(const char *noun, size_t len)
{
    for (const struct command *k = cli_commands; k->noun != NULL; k++)
        if (strlen(k->noun) == len && strncmp(k->noun, noun, len) == 0)
            return true;
    return false;
}

/* What is advised can be typed. */
static void commands_exist(const char *text)
{
    static const char name[] = "certferry ";

    for (const char *at = text; (at = strstr(at, name)) != NULL;) {
        at += sizeof name - 1;
        if (!is_command(at, strcspn(at, " ,.;:")))
            fail_msg("\"%s\": no such command", at);
    }
}

static void look(void *arg, const struct explanation *x)
{
    struct seen *s = arg;

    s->of[x->kind]++;
    assert_true(x->code[0] != '\0');
    assert_true(x->title != NULL && x->title[0] != '\0');
    if (x->means == NULL || x->means[0] == '\0' || x->todo == NULL || x->todo[0] == '\0')
        fail_msg("%s has no text", x->code);
    if (x->kind == EXPLAIN_DOCTOR && strcmp(x->means, "A row of doctor.") == 0)
        fail_msg("%s: its group has no text", x->code);
    commands_exist(x->todo);
    commands_exist(x->means);
    if (s->code != NULL)
        s->found += explain_is(x, s->code);
}

static void every_code_has_a_text(void **state)
{
    struct seen s = { 0 };
    size_t rows = 0, exits = 0;

    (void)state;
    explain_each(look, &s);
    while (doctor_codes[rows].code != NULL)
        rows++;
#define X(id, number, text) exits++;
    EXIT_CODES(X)
#undef X
    assert_int_equal(s.of[EXPLAIN_ERROR], ERR_CLASS_COUNT + 1); /* and PERMISSION, SERVICE */
    assert_int_equal(s.of[EXPLAIN_EVENT], LOG_EVENT_COUNT);
    assert_int_equal(s.of[EXPLAIN_AUDIT], AUDIT_EVENT_COUNT);
    assert_int_equal(s.of[EXPLAIN_DOCTOR], rows);
    assert_int_equal(s.of[EXPLAIN_EXIT], exits);
    assert_true(s.of[EXPLAIN_WARNING] > 0);
}

static void a_code_is_found_by_each_of_its_names(void **state)
{
    static const struct {
        const char *code;
        size_t found;
    } rows[] = { { "NET", 1 }, { "net", 1 }, { "ERR_NET", 1 }, { "err_net", 1 }, { "SCEP-01", 1 },
        { "scep-01", 1 }, { "PkcsOrphan", 1 }, { "1055", 1 }, { "event-1055", 1 }, { "EXIT-6", 1 },
        { "exit-6", 1 }, { "6", 2 }, { "EVENT-6", 1 }, { "130", 1 }, { "OVERRIDDEN", 1 },
        { "config.changed", 1 }, { "SCEP", 0 }, { "", 0 }, { "EXIT-", 0 }, { "EVENT-", 0 },
        { "99", 0 }, { "ERR_", 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen s = { .code = rows[i].code };

        explain_each(look, &s);
        if (s.found != rows[i].found)
            fail_msg("\"%s\": %zu, not %zu", rows[i].code, s.found, rows[i].found);
    }
}

/* ---- the tables of the command line ---- */

static void options_stand_once(void **state)
{
    size_t n = 0;

    (void)state;
    for (; cli_options[n].name != NULL; n++) {
        assert_int_equal(strncmp(cli_options[n].name, "--", 2), 0);
        if (cli_option_at(cli_options[n].name) != n)
            fail_msg("%s stands twice", cli_options[n].name);
        assert_true(cli_options[n].help[strlen(cli_options[n].help) - 1] == '.');
    }
    assert_true(n <= CLI_OPTIONS_MAX);
}

static void commands_take_options_that_exist(void **state)
{
    char one[64];

    (void)state;
    for (const struct command *k = cli_commands; k->noun != NULL; k++) {
        assert_non_null(k->run);
        if (k->help[0] == '\0')
            fail_msg("%s has no help", k->noun);
        for (const char *at = k->options; *at != '\0'; at += strcspn(at, " "), at += *at == ' ') {
            (void)snprintf(one, sizeof one, "%.*s", (int)strcspn(at, " "), at);
            if (cli_options[cli_option_at(one)].name == NULL)
                fail_msg("%s: no option %s", k->noun, one);
        }
    }
}

/* Every option that is not for all is some command's. */
static void no_option_is_left_over(void **state)
{
    (void)state;
    for (size_t i = CLI_OPTIONS_OF_ALL; cli_options[i].name != NULL; i++) {
        bool taken = false;

        for (const struct command *k = cli_commands; k->noun != NULL; k++)
            taken = taken || cli_takes(k, cli_options[i].name);
        if (!taken)
            fail_msg("no command takes %s", cli_options[i].name);
    }
}

/* Verbs of a noun stand together: help, manual pages and completion go through the table once. */
static void nouns_stand_together(void **state)
{
    (void)state;
    for (const struct command *k = cli_commands; k->noun != NULL; k++)
        for (const struct command *before = cli_commands; before < k; before++) {
            bool same = strcmp(k->noun, before->noun) == 0;

            assert_true(!same || strcmp((k - 1)->noun, k->noun) == 0);
            assert_true(!same || k->verb != NULL); /* the noun alone comes first */
            assert_true(!same || before->verb == NULL || strcmp(k->verb, before->verb) != 0);
        }
}

static void nouns_have_a_page(void **state)
{
    (void)state;
    for (const struct command *k = cli_commands; k->noun != NULL; k++)
        if (k->verb != NULL && !manual_has_text(k->noun))
            fail_msg("cmd_manual_page.c has no text for %s", k->noun);
        else
            commands_exist(manual_examples(k->noun));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_text),
        cmocka_unit_test(a_code_is_found_by_each_of_its_names),
        cmocka_unit_test(options_stand_once),
        cmocka_unit_test(commands_take_options_that_exist),
        cmocka_unit_test(no_option_is_left_over),
        cmocka_unit_test(nouns_stand_together),
        cmocka_unit_test(nouns_have_a_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
