/* csr.h: the challengePassword attribute, beside the others and alone. */
#include "test/t.h"
#include "certs/csr.h"
#include "certs/csr_read.h"
#include "certs/mem.h"

static struct err e;
static struct lib *lib;
static struct key *key;

static struct template template_with(const char *challenge)
{
    struct template t = { .key = KEY_P256, .hash = HASH_SHA256, .challenge = challenge };

    T_OK(name_parse(&t.subject, "CN=device", NULL, 0, &e));
    return t;
}

/* What csr_read.h, which is for others' requests, says of ours. */
static void read_back(struct template *t, struct buf *out, struct csr *c)
{
    *c = (struct csr){ 0 };
    T_OK(csr_build(lib, t, key, out, &e));
    T_OK(csr_parse(buf_view(out), c, &e));
    T_OK(csr_verify(lib, c, 2048, false, &e));
}

static void a_challenge_comes_back(void **state)
{
    static const char *const texts[] = { "9A41C07E55D2F318", "a b'()+,-./:=?", "p@ss_w*rd!",
        "\xc3\xbc", "x" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct template t = template_with(texts[i]);
        struct buf out = BUF_SECRET(8192);
        struct csr c;

        read_back(&t, &out, &c);
        assert_true(c.has_challenge);
        assert_true(view_equal(buf_view(&c.challenge), view_text(texts[i])));
        csr_free(&c);
        buf_free(&out);
        template_free(&t);
    }
}

static bool holds(const struct buf *b, const char *bytes, size_t len)
{
    return memmem(b->p, b->len, bytes, len) != NULL;
}

/* NDES reads PrintableString and nothing else; what it cannot hold goes as UTF-8. */
static void printable_where_it_can_be(void **state)
{
    struct template printable = template_with("AB12"), not = template_with("A_12");
    struct buf out = BUF_SECRET(8192);
    struct csr c;

    (void)state;
    read_back(&printable, &out, &c);
    assert_true(holds(&out,
        "\x13\x04"
        "AB12",
        6));
    csr_free(&c);
    buf_free(&out);
    read_back(&not, &out, &c);
    assert_true(holds(&out,
        "\x0c\x04"
        "A_12",
        6));
    csr_free(&c);
    buf_free(&out);
    template_free(&printable);
    template_free(&not );
}

/* Three attributes, in the order of a DER SET: csr_parse takes any, so the bytes are looked at. */
static void attributes_stand_in_order(void **state)
{
    struct template t = template_with("short");
    struct buf out = BUF_SECRET(8192);
    const uint8_t *challenge, *request, *pair;
    struct csr c;

    (void)state;
    t.name = xstrdup("User");
    t.in_csr_pair = true;
    t.key_usage = KU_DIGITAL_SIGNATURE;
    read_back(&t, &out, &c);
    assert_true(c.has_challenge && c.key_usage.len != 0 && c.attribute_count == 1);
    challenge = memmem(out.p, out.len, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07", 9);
    request = memmem(out.p, out.len, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e", 9);
    pair = memmem(out.p, out.len, "\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x01", 10);
    assert_non_null(challenge);
    assert_non_null(request);
    assert_non_null(pair);
    assert_true(
        challenge < request && request < pair); /* the shorter one first: 0x14, 0x1c, 0x40 */
    csr_free(&c);
    buf_free(&out);
    template_free(&t);
}

static void without_one_there_is_none(void **state)
{
    struct template t = template_with(NULL);
    struct buf out = BUF_INIT(8192);
    struct csr c;

    (void)state;
    read_back(&t, &out, &c);
    assert_false(c.has_challenge);
    csr_free(&c);
    buf_free(&out);
    template_free(&t);
}

static void what_is_no_challenge(void **state)
{
    static const char *const texts[] = { "", "a\nb", "\x7f", "\xff\xfe" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct template t = template_with(texts[i]);
        struct buf out = BUF_SECRET(8192);

        T_ERR(csr_build(lib, &t, key, &out, &e), ERR_INPUT);
        assert_int_equal(out.len, 0);
        buf_free(&out);
        template_free(&t);
    }
}

static void memory_runs_out(void **state)
{
    struct template t = template_with("9A41C07E55D2F318");
    struct buf out = BUF_SECRET(8192);
    unsigned long n = 0;
    int rc;

    (void)state;
    do {
        buf_free(&out);
        mem_fail_after(++n);
        rc = csr_build(lib, &t, key, &out, &e);
        mem_fail_after(0);
        if (rc != 0)
            assert_int_equal(e.cls, ERR_NOMEM);
    } while (rc != 0);
    assert_true(n > 5);
    buf_free(&out);
    template_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_challenge_comes_back),
        cmocka_unit_test(printable_where_it_can_be),
        cmocka_unit_test(attributes_stand_in_order),
        cmocka_unit_test(without_one_there_is_none),
        cmocka_unit_test(what_is_no_challenge),
        cmocka_unit_test(memory_runs_out),
    };
    int failed;

    mem_torture_openssl();
    if ((lib = lib_new(&e)) == NULL || (key = key_new(lib, KEY_P256, KEYGEN_PRIMES, &e)) == NULL)
        return 1;
    failed = cmocka_run_group_tests_name("csr_challenge", tests, NULL, NULL);
    key_free(key);
    lib_free(lib);
    return failed;
}
