/* JSON: what must be refused, what must be taken, members by type. */
#include "test/t.h"
#include "certs/mem.h"
#include "proto/json.h"
#include <dirent.h>
#include <stdlib.h>

static struct view v(const char *text)
{
    return view_text(text);
}

static struct json *parse(const char *text)
{
    struct err e = { 0 };
    struct json *root = json_parse(v(text), 1 << 20, &e);

    if (root == NULL)
        fail_msg("%s: %s", text, e.msg);
    return root;
}

/* ---- the corpus ---- */

static void read_file(const char *dir, const char *name, struct buf *out)
{
    char path[256], block[4096];
    size_t n;
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "rb");
    assert_non_null(f);
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        buf_add(out, block, n);
    (void)fclose(f);
    assert_false(out->bad);
}

/* json-c alone takes several of these; the test sees each one refused, with a place. */
static void corpus_refused(void **state)
{
    const char *dir = "test/data/json/refuse";
    DIR *d = opendir(dir);
    size_t count = 0;

    (void)state;
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
        struct buf text = BUF_INIT(1 << 20);
        struct err e = { 0 };

        if (strstr(entry->d_name, ".json") == NULL)
            continue;
        read_file(dir, entry->d_name, &text);
        if (json_parse(buf_view(&text), 1 << 20, &e) != NULL)
            fail_msg("%s: was taken", entry->d_name);
        if (e.cls != ERR_PROTO || strstr(e.msg, " at byte ") == NULL)
            fail_msg("%s: %s, %s", entry->d_name, err_name(e.cls), e.msg);
        buf_free(&text);
        count++;
    }
    (void)closedir(d);
    assert_true(count >= 50);
}

static void corpus_taken(void **state)
{
    const char *dir = "test/data/json/accept";
    DIR *d = opendir(dir);
    size_t count = 0;

    (void)state;
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
        struct buf text = BUF_INIT(1 << 20), once = BUF_INIT(1 << 20), twice = BUF_INIT(1 << 20);
        struct err e = { 0 };
        struct json *root, *again;

        if (strstr(entry->d_name, ".json") == NULL)
            continue;
        read_file(dir, entry->d_name, &text);
        if ((root = json_parse(buf_view(&text), 1 << 20, &e)) == NULL)
            fail_msg("%s: %s", entry->d_name, e.msg);
        json_print(root, &once);
        if ((again = json_parse(buf_view(&once), 1 << 20, &e)) == NULL)
            fail_msg("%s printed: %s", entry->d_name, e.msg);
        json_print(again, &twice);
        assert_true(view_equal(buf_view(&once), buf_view(&twice)));
        json_free(root);
        json_free(again);
        buf_free(&text);
        buf_free(&once);
        buf_free(&twice);
        count++;
    }
    (void)closedir(d);
    assert_true(count >= 20);
}

#define REFUSED(text, class, says)                                  \
    do {                                                            \
        struct err e_ = { 0 };                                      \
        if (json_parse(v(text), 100, &e_) != NULL)                  \
            fail_msg("%s: was taken", text);                        \
        if (e_.cls != (class) || strstr(e_.msg, says) == NULL)      \
            fail_msg("%s: %s, %s", text, err_name(e_.cls), e_.msg); \
    } while (0)

static void what_the_message_says(void **state)
{
    char large[200];

    (void)state;
    REFUSED("{\"ab\":1, \"ab\":2}", ERR_PROTO, "member \"ab\" a second time at byte 9");
    REFUSED("{\"a\":1, \"\\u0061\":2}", ERR_PROTO, "member \"a\" a second time at byte 8");
    REFUSED("{\"a\":\"\xff\"}", ERR_PROTO, "not UTF-8 at byte 6");
    REFUSED("{\"a\":1e19}", ERR_PROTO, "outside 64 bits at byte 5");
    REFUSED("{\"a\":1} x", ERR_PROTO, "something after the end at byte 8");
    REFUSED("{\"a\":'x'}", ERR_PROTO, "no value at byte 5");
    REFUSED("{\"a\":\"\\ud800\"}", ERR_PROTO, "first half of a surrogate pair alone at byte 6");
    memset(large, ' ', sizeof large);
    memcpy(large + sizeof large - 3, "{}", 3);
    REFUSED(large, ERR_TOO_LARGE, "199 bytes, at most 100");
}

/* A hostile object must not cost the square of its size: half a million members, two of them equal. */
static void many_members(void **state)
{
    struct buf text = BUF_INIT(16 << 20);
    struct err e = { 0 };

    (void)state;
    buf_add_byte(&text, '{');
    for (int i = 0; i < 500000; i++)
        buf_printf(&text, "\"%d\":0,", i);
    buf_add_text(&text, "\"77777\":1}");
    assert_false(text.bad);
    assert_null(json_parse(buf_view(&text), 16 << 20, &e));
    assert_int_equal(e.cls, ERR_PROTO);
    assert_non_null(strstr(e.msg, "member \"77777\" a second time"));
    buf_free(&text);
}

/* ---- members ---- */

static void members(void **state)
{
    struct json *root = parse("{\"s\":\"text\",\"i\":-5,\"b\":true,\"n\":null,\"o\":{\"x\":1},"
                              "\"a\":[1,\"two\",null],\"d\":\"AQID\",\"f\":1.0}");
    const char *text = "was";
    int64_t n = 77;
    bool yes = false;
    struct buf bytes = BUF_INIT(16);
    struct err e = { 0 };

    (void)state;
    T_OK(json_text(root, "s", true, 4, &text, &e));
    assert_string_equal(text, "text");
    T_ERR_SAYS(json_text(root, "s", true, 3, &text, &e), ERR_PROTO, "s: 4 bytes, at most 3");
    T_ERR_SAYS(json_text(root, "i", false, 9, &text, &e), ERR_PROTO, "i: not a string");
    T_ERR_SAYS(json_text(root, "none", true, 9, &text, &e), ERR_PROTO, "none: missing");
    T_ERR_SAYS(json_text(root, "n", true, 9, &text, &e), ERR_PROTO, "n: missing");
    text = "was";
    T_OK(json_text(root, "n", false, 9, &text, &e));
    assert_string_equal(text, "was");

    T_OK(json_int(root, "i", true, -5, 5, &n, &e));
    assert_int_equal(n, -5);
    T_ERR_SAYS(json_int(root, "i", true, -4, 5, &n, &e), ERR_PROTO, "i: -5, must be -4 to 5");
    T_ERR_SAYS(json_int(root, "f", true, 0, 5, &n, &e), ERR_PROTO, "f: not an integer");
    T_ERR_SAYS(json_int(root, "none", true, 0, 5, &n, &e), ERR_PROTO, "none: missing");
    n = 77;
    T_OK(json_int(root, "none", false, 0, 5, &n, &e));
    assert_int_equal(n, 77);

    T_OK(json_bool(root, "b", true, &yes, &e));
    assert_true(yes);
    T_ERR_SAYS(json_bool(root, "s", false, &yes, &e), ERR_PROTO, "s: not true or false");
    T_ERR_SAYS(json_bool(root, "none", true, &yes, &e), ERR_PROTO, "none: missing");

    T_OK(json_base64(root, "d", true, &bytes, &e));
    assert_true(view_equal(buf_view(&bytes), view_of("\1\2\3", 3)));
    T_ERR_SAYS(json_base64(root, "i", true, &bytes, &e), ERR_PROTO, "i: not a string");
    T_ERR_SAYS(json_base64(root, "none", true, &bytes, &e), ERR_PROTO, "none: missing");
    assert_int_equal(bytes.len, 3);
    buf_free(&bytes);
    json_free(root);
}

static void base64_member(void **state)
{
    static const char *const bad[] = { "{\"d\":\"AQI\"}", "{\"d\":\"AQ ID\"}", "{\"d\":\"AQI=A\"}",
        "{\"d\":\"AQID\\n\"}" };
    struct err e = { 0 };
    struct buf small = BUF_INIT(2);
    struct json *root;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf out = BUF_INIT(16);

        root = parse(bad[i]);
        T_ERR_SAYS(json_base64(root, "d", true, &out, &e), ERR_PROTO, "d: base64");
        assert_int_equal(out.len, 0);
        json_free(root);
        buf_free(&out);
    }
    root = parse("{\"d\":\"AQID\"}");
    T_ERR(json_base64(root, "d", true, &small, &e), ERR_TOO_LARGE);
    assert_int_equal(small.len, 0);
    buf_free(&small);
    json_free(root);
}

static void walking(void **state)
{
    struct json *root = parse("{\"one\":1,\"two\":[\"a\",null,{\"x\":\"y\"}],\"three\":null}");
    const struct json *list = json_get(root, "two"), *value;
    const char *name;
    char order[32] = "";
    size_t at = 0;

    (void)state;
    assert_true(json_is_object(root));
    assert_false(json_is_array(root));
    assert_true(json_is_array(list));
    assert_int_equal(json_count(list), 3);
    assert_int_equal(json_count(root), 0);
    assert_int_equal(json_count(NULL), 0);
    assert_string_equal(json_string(json_at(list, 0)), "a");
    assert_null(json_at(list, 1));
    assert_null(json_at(list, 3));
    assert_null(json_string(json_at(list, 2)));
    assert_string_equal(json_string(json_get(json_at(list, 2), "x")), "y");
    assert_null(json_get(root, "three"));
    assert_null(json_get(list, "x"));
    assert_null(json_get(NULL, "x"));
    while (json_next_member(root, &at, &name, &value)) {
        (void)snprintf(order + strlen(order), sizeof order - strlen(order), "%s%s ", name,
            value == NULL ? "!" : "");
    }
    assert_string_equal(order, "one two three! ");
    at = 0;
    assert_false(json_next_member(list, &at, &name, &value));
    assert_false(json_next_member(NULL, &at, &name, &value));
    json_free(root);
    json_free(NULL);
}

static void time_member(void **state)
{
    struct json *root = parse("{\"t\":\"2026-11-20T08:00:00Z\",\"bad\":\"tomorrow\",\"n\":5}");
    struct err e = { 0 };
    int64_t at = 0;

    (void)state;
    T_OK(json_time(root, "t", true, &at, &e));
    assert_int_equal(at, 1795161600);
    T_ERR_SAYS(
        json_time(root, "bad", true, &at, &e), ERR_PROTO, "\"tomorrow\" is not an RFC 3339 time");
    T_ERR_SAYS(json_time(root, "n", false, &at, &e), ERR_PROTO, "n: not a string");
    T_ERR_SAYS(json_time(root, "none", true, &at, &e), ERR_PROTO, "none: missing");
    T_OK(json_time(root, "none", false, &at, &e));
    assert_int_equal(at, 1795161600);
    json_free(root);
}

/* The scanner's own allocations; json-c's are not torn (it crashes when one fails). */
static void out_of_memory(void **state)
{
    const char *text = "{\"\\u0061\":1,\"b\":{\"c\":2,\"d\":3}}";
    bool whole = false;

    (void)state;
    for (unsigned long n = 1; !whole; n++) {
        struct err e = { 0 };
        struct json *root;

        mem_fail_after(n);
        root = json_parse(v(text), 100, &e);
        mem_fail_after(0);
        if (root == NULL)
            assert_int_equal(e.cls, ERR_NOMEM);
        whole = root != NULL;
        json_free(root);
        assert_true(n < 50);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corpus_refused),
        cmocka_unit_test(corpus_taken),
        cmocka_unit_test(what_the_message_says),
        cmocka_unit_test(many_members),
        cmocka_unit_test(members),
        cmocka_unit_test(base64_member),
        cmocka_unit_test(walking),
        cmocka_unit_test(time_member),
        cmocka_unit_test(out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
