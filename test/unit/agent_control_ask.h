#ifndef TEST_UNIT_AGENT_CONTROL_ASK_H
#define TEST_UNIT_AGENT_CONTROL_ASK_H
/* agent_control_ask.h - ask a store without a service, and look at the answer. */
#include "agent/agent.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/control/control.h"
#include "proto/json.h"
#include "test/unit/agent_store_rows.h"

static struct agent a;
static struct conf conf;
static struct json *answer; /* the last one, freed with the next */

static inline int begin(void **state)
{
    clock_start();
    log_open(LOG_HUMAN, LOG_LEVEL_SILENT);
    if (store_make(state) != 0)
        return -1;
    conf.store.dir = dir_root;
    a = (struct agent){ .conf = &conf, .store = store, .lock = -1 };
    return 0;
}

static inline int end(void **state)
{
    json_free(answer);
    answer = NULL;
    return store_remove(state);
}

/* ---- the envelope ---- */

static inline const struct json *member(const struct json *o, const char *name)
{
    const struct json *v = json_get(o, name);

    if (v == NULL)
        fail_msg("no member %s", name);
    return v;
}

static inline const char *text(const struct json *o, const char *name)
{
    const char *v = NULL;
    struct err e = { 0 };

    if (json_text(o, name, true, 4096, &v, &e) != 0)
        fail_msg("%s", e.msg);
    return v;
}

static inline int64_t number(const struct json *o, const char *name)
{
    int64_t v = 0;
    struct err e = { 0 };

    if (json_int(o, name, true, INT64_MIN, INT64_MAX, &v, &e) != 0)
        fail_msg("%s", e.msg);
    return v;
}

/* Ask, and check what every answer has: six members, in this order. */
static inline void ask(const char *request)
{
    static const char *const names[] = { "schema", "time", "ok", "data", "warnings", "error" };
    struct buf reply = BUF_INIT(1 << 20);
    struct err e = { 0 };
    const struct json *v;
    const char *name;
    size_t at = 0;
    int64_t when = 0;

    control_answer(&a, view_text(request), &reply);
    json_free(answer);
    answer = json_parse(buf_view(&reply), 1 << 20, &e);
    if (answer == NULL)
        fail_msg("%s -> %s: %s", request, buf_text(&reply), e.msg);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_true(json_next_member(answer, &at, &name, &v));
        assert_string_equal(name, names[i]);
    }
    assert_false(json_next_member(answer, &at, &name, &v));
    T_OK(json_time(answer, "time", true, &when, &e));
    assert_in_range(when, clock_now() - 2, clock_now());
    assert_true(json_is_array(json_get(answer, "warnings")));
    buf_free(&reply);
}

static inline const struct json *good(const char *request, const char *schema)
{
    bool ok = false;
    struct err e = { 0 };

    ask(request);
    T_OK(json_bool(answer, "ok", true, &ok, &e));
    if (!ok)
        fail_msg("%s: %s", request, text(json_get(answer, "error"), "message"));
    assert_string_equal(text(answer, "schema"), schema);
    assert_null(json_get(answer, "error"));
    return member(answer, "data");
}

static inline void bad(
    const char *request, enum err_class cls, enum exit_code code, const char *says)
{
    const struct json *error;
    bool ok = true;
    struct err e = { 0 };

    ask(request);
    T_OK(json_bool(answer, "ok", true, &ok, &e));
    if (ok)
        fail_msg("%s: was taken", request);
    assert_null(json_get(answer, "data"));
    error = member(answer, "error");
    if (strcmp(text(error, "code"), err_name(cls)) != 0 || number(error, "exit") != (int64_t)code
        || strstr(text(error, "message"), says) == NULL)
        fail_msg("%s: %s, exit %d: %s", request, text(error, "code"), (int)number(error, "exit"),
            text(error, "message"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
#endif
