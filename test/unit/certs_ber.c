/* ber.h: the same values in DER, and what is refused. */
#include "test/t.h"
#include <strings.h>
#include "certs/ber.h"
#include "certs/mem.h"
#include "certs/text.h"

enum { ROOM = BER_MAX + 4096 };

static struct err e;

static struct buf bytes(const char *hex)
{
    struct buf b = BUF_INIT(ROOM);

    T_OK(hex_parse(view_text(hex), &b, &e));
    return b;
}

static void assert_becomes(const char *ber, const char *der)
{
    struct buf in = bytes(ber), out = BUF_INIT(ROOM), hex = BUF_INIT(ROOM);

    T_OK(ber_to_der(buf_view(&in), &out, &e));
    hex_add(&hex, buf_view(&out));
    if (strcasecmp(buf_text(&hex), der) != 0)
        fail_msg("%s: %s, not %s", ber, buf_text(&hex), der);
    buf_free(&in);
    buf_free(&out);
    buf_free(&hex);
}

static void lengths(void **state)
{
    (void)state;
    assert_becomes("0500", "0500");
    assert_becomes("02810105", "020105");
    assert_becomes("0284000000010a", "02010a");
    assert_becomes("30800000", "3000");
    assert_becomes("30800201050000", "3003020105");
    assert_becomes("3080308002010500000000", "30053003020105");
    assert_becomes("300a30800281010500000500", "300730030201050500");
    assert_becomes("8003000000", "8003000000"); /* zeros in a primitive end nothing */
}

static void pieces(void **state)
{
    (void)state;
    assert_becomes("2480040161040262630000", "0403616263");
    assert_becomes("2406040161040162", "04026162");
    assert_becomes("2480248004016100000401620000", "04026162"); /* pieces of pieces */
    assert_becomes("24800000", "0400");
    assert_becomes("a08024060401610401620000", "a00404026162");
}

/* What has a tag of its own keeps its parts; a SET keeps its order; other strings stay in pieces. */
static void nothing_else_changes(void **state)
{
    (void)state;
    assert_becomes("a0800401610401620000", "a006040161040162");
    assert_becomes("31800201020201010000", "3106020102020101");
    assert_becomes("2380030200ff0000", "2304030200ff");
    assert_becomes("0101ff", "0101ff");
    assert_becomes("010101", "010101");
}

static void refused(void **state)
{
    static const struct {
        const char *ber, *says;
    } rows[] = {
        { "", "cut" },
        { "30", "cut" },
        { "0281", "cut" },
        { "02820100", "are there" },
        { "0203aabb", "2 are there" },
        { "30030203aa", "are there" },
        { "0080", "tag 0x00" },
        { "30020000", "tag 0x00" },
        { "1f0100", "tag 0x1f" },
        { "bf8101020000", "tag 0xbf" },
        { "04800401000000", "without a length" },
        { "3080020105", "cut" },
        { "308002010500", "cut" },
        { "24800201050000", "as a piece" },
        { "2480a0030401610000", "as a piece" },
        { "05000500", "too many" },
        { "0500000000", "too many" },
        { "02830f0000", "over" },
        { "30ff00", "a length that is cut" },
        { "0289010000000000000000", "over" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf in = bytes(rows[i].ber), out = BUF_INIT(ROOM);

        buf_add_text(&out, "kept");
        T_ERR(ber_to_der(buf_view(&in), &out, &e), ERR_PROTO);
        if (strstr(e.msg, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].ber, e.msg);
        assert_int_equal(out.len, 4);
        buf_free(&in);
        buf_free(&out);
    }
}

/* n values, each inside the one before. */
static struct buf nested(size_t n, bool definite)
{
    struct buf b = BUF_INIT(ROOM);

    for (size_t i = 0; i < n; i++) {
        buf_add_byte(&b, 0x30);
        buf_add_byte(&b, definite ? (uint8_t)(2 * (n - i - 1)) : 0x80);
    }
    for (size_t i = 0; i < n && !definite; i++)
        buf_add(&b, "\0\0", 2);
    return b;
}

static void depth(void **state)
{
    (void)state;
    for (int definite = 0; definite < 2; definite++) {
        struct buf just = nested(BER_DEPTH_MAX, definite),
                   over = nested(BER_DEPTH_MAX + 1, definite);
        struct buf out = BUF_INIT(ROOM);

        T_OK(ber_to_der(buf_view(&just), &out, &e));
        assert_int_equal(out.len, 2 * BER_DEPTH_MAX);
        T_ERR_SAYS(ber_to_der(buf_view(&over), &out, &e), ERR_PROTO, "levels");
        assert_int_equal(out.len, 2 * BER_DEPTH_MAX);
        buf_free(&just);
        buf_free(&over);
        buf_free(&out);
    }
}

/* The largest message there may be, of the most and smallest pieces; a byte more is refused unseen. */
static void size(void **state)
{
    struct buf in = BUF_INIT(ROOM), out = BUF_INIT(ROOM), small = BUF_INIT(1000);

    (void)state;
    buf_add(&in, "\x24\x80", 2);
    while (in.len + 3 + 2 <= BER_MAX)
        buf_add(&in, "\x04\x01z", 3);
    buf_add(&in, "\0\0", 2);
    T_OK(ber_to_der(buf_view(&in), &out, &e));
    assert_int_equal(out.len, 4 + (in.len - 4) / 3);
    T_ERR(ber_to_der(buf_view(&in), &small, &e), ERR_TOO_LARGE);
    assert_int_equal(small.len, 0);
    buf_reset(&out);
    (void)!buf_extend(&in, BER_MAX + 1 - in.len);
    T_ERR(ber_to_der(buf_view(&in), &out, &e), ERR_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_free(&in);
    buf_free(&out);
    buf_free(&small);
}

/* The n-th allocation fails: ERR_NOMEM, and nothing is left in out; then it is there in full. */
static void memory(void **state)
{
    struct buf in = BUF_INIT(ROOM);

    (void)state;
    buf_add(&in, "\x30\x80\x24\x80", 4);
    for (size_t i = 0; i < 200; i++)
        buf_add(&in, "\x04\x81\x01z", 4);
    buf_add(&in, "\0\0\0\0", 4);
    for (unsigned long n = 1;; n++) {
        struct buf out = BUF_INIT(ROOM);
        int rc;

        e = (struct err){ 0 };
        mem_fail_after(n);
        rc = ber_to_der(buf_view(&in), &out, &e);
        mem_fail_after(0);
        assert_int_equal(out.len, rc == 0 ? 3 + 3 + 200 : 0);
        assert_int_equal(e.cls, rc == 0 ? ERR_NONE : ERR_NOMEM);
        buf_free(&out);
        if (rc == 0 && n > 1)
            break;
        assert_true(n < 20);
    }
    buf_free(&in);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths),
        cmocka_unit_test(pieces),
        cmocka_unit_test(nothing_else_changes),
        cmocka_unit_test(refused),
        cmocka_unit_test(depth),
        cmocka_unit_test(size),
        cmocka_unit_test(memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
