/*
 * Memory runs out: every row is run again and again while the first, the second ... allocation fails,
 * OpenSSL's own included, until a run needs fewer.  Each run either succeeds in full, or fails with
 * ERR_NOMEM and outputs untouched; the run after it succeeds.  The sanitizers see to leaks and crashes.
 *
 * A new row: a function that does one thing, appends what it makes to `out`, frees everything else, and
 * returns 0 or -1; and its line in the table.  Inputs that need memory are made in set_up.
 */
#include "test/t.h"
#include "certs/der.h"
#include "certs/key.h"
#include "certs/lib.h"
#include "certs/mem.h"
#include "certs/name.h"
#include "certs/seal.h"
#include "certs/text.h"

static struct lib *l, *l2;
static struct key *rsa, *ec, *ed;
static struct buf sealed = BUF_INIT(10000), name_der = BUF_INIT(1000), pem = BUF_INIT(10000);
static uint8_t bytes[700];
static const uint8_t wrap[SEAL_KEY_LEN] = { 7 };

/* ---- rows ---- */

static int base64(struct buf *out, struct err *e)
{
    size_t from = out->len;

    base64_add(out, view_of(bytes, sizeof bytes));
    base64_add_lines(out, view_of(bytes, sizeof bytes), 64);
    return buf_finish(out, from, e);
}

static int base64_back(struct buf *out, struct err *e)
{
    struct view rest = buf_view(&pem);
    int found = pem_next(&rest, "CERTIFICATE", out, e);

    assert_int_not_equal(found, 0);
    assert_true((rest.len == pem.len) == (found < 0));
    return found < 0 ? -1 : 0;
}

static int hexadecimal(struct buf *out, struct err *e)
{
    size_t from = out->len;

    hex_add(out, view_of(bytes, sizeof bytes));
    return buf_finish(out, from, e);
}

static int pem_write(struct buf *out, struct err *e)
{
    size_t from = out->len;

    pem_add(out, "CERTIFICATE", view_of(bytes, sizeof bytes));
    return buf_finish(out, from, e);
}

static int der(struct buf *out, struct err *e)
{
    size_t from = out->len, a = der_open(out, DER_SEQUENCE), b;

    der_oid_known(out, "1.3.6.1.4.1.311.25.2");
    b = der_open(out, DER_SET);
    der_uint_bytes(out, view_of(bytes, sizeof bytes));
    der_bmp(out, "J\xc3\xbcrgen and a text long enough to grow once more, and then some");
    der_close(out, b);
    der_tlv(out, DER_OCTET_STRING, view_of(bytes, sizeof bytes));
    der_close(out, a);
    return buf_finish(out, from, e);
}

static const struct name_var vars[] = { { "User", "Ada, the first" } };

static int name(struct buf *out, struct err *e)
{
    struct name n = { 0 };
    int rc =
        name_parse(&n, "CN={{User}},OU=\"R&D, Berlin\",O=Contoso+C=DE+1.2.3=x,DC=x", vars, 1, e);

    if (rc != 0)
        assert_int_equal(n.count, 0);
    else
        rc = name_write(&n, out, e);
    name_free(&n);
    return rc;
}

static int name_expansion(struct buf *out, struct err *e)
{
    return name_expand(
        "a text that makes the buffer grow {{User}} and {{User}} and {{User}}", vars, 1, out, e);
}

/* Nothing to report with: it must only stay sane, and never call different names equal. */
static int name_reading(struct buf *out, struct err *e)
{
    struct buf text = BUF_INIT(1000);
    struct view other = view_of("\x30\x00", 2);

    (void)out, (void)e;
    name_text(buf_view(&name_der), &text);
    assert_true(
        text.bad || view_equal(buf_view(&text), view_text("CN=Ada, O=Contoso")) || text.len != 0);
    assert_false(name_equal(buf_view(&name_der), other));
    (void)name_equal(buf_view(&name_der), buf_view(&name_der));
    buf_free(&text);
    return 0;
}

static int random_and_digest(struct buf *out, struct err *e)
{
    uint8_t d[32];
    int rc = lib_random(l, d, sizeof d, e) != 0 || lib_sha256(l, view_of(bytes, 700), d, e) != 0;

    if (rc == 0)
        buf_add(out, d, sizeof d);
    return rc == 0 ? buf_finish(out, 6, e) : -1;
}

static int derive(struct buf *out, struct err *e)
{
    uint8_t key[SEAL_KEY_LEN] = { 0 };
    static const uint8_t zero[SEAL_KEY_LEN];

    (void)out;
    if (seal_derive(l, wrap, "request", key, e) == 0)
        return 0;
    assert_memory_equal(key, zero, sizeof key);
    return -1;
}

static int seal(struct buf *out, struct err *e)
{
    return seal_put(l, wrap, view_text("place"), view_of(bytes, sizeof bytes), out, e);
}

static int unseal(struct buf *out, struct err *e)
{
    return seal_get(l, wrap, view_text("place"), buf_view(&sealed), out, e);
}

static int parse(const struct key *of, struct err *e)
{
    struct key *k = key_parse(l, key_pkcs8(of), e);

    if (k == NULL)
        return -1;
    assert_true(view_equal(key_spki(k), key_spki(of)));
    key_free(k);
    return 0;
}

static int parse_rsa(struct buf *out, struct err *e)
{
    (void)out;
    return parse(rsa, e);
}

static int parse_ec(struct buf *out, struct err *e)
{
    (void)out;
    return parse(ec, e);
}

static int parse_ed25519(struct buf *out, struct err *e)
{
    (void)out;
    return parse(ed, e);
}

static int sign_rsa(struct buf *out, struct err *e)
{
    return key_sign(l, rsa, HASH_SHA256, view_text("x"), out, e);
}

static int sign_ec(struct buf *out, struct err *e)
{
    return key_sign(l, ec, HASH_SHA256, view_text("x"), out, e);
}

static int sign_ed25519(struct buf *out, struct err *e)
{
    return key_sign(l, ed, HASH_NONE, view_text("x"), out, e);
}

/* A key that could not move is still good where it was. */
static int move(struct buf *out, struct err *e)
{
    static bool away;
    int rc = key_move_lib(ec, away ? l : l2, e);

    (void)out;
    if (rc == 0)
        away = !away;
    return rc;
}

static int make(enum key_type t, enum keygen how, struct err *e)
{
    struct key *k = key_new(l, t, how, e);

    key_free(k);
    return k != NULL ? 0 : -1;
}

static int make_p256(struct buf *out, struct err *e)
{
    (void)out;
    return make(KEY_P256, KEYGEN_PRIMES, e);
}

static int make_ed25519(struct buf *out, struct err *e)
{
    (void)out;
    return make(KEY_ED25519, KEYGEN_PRIMES, e);
}

static int make_rsa(struct buf *out, struct err *e)
{
    (void)out;
    return make(KEY_RSA2048, KEYGEN_FAST, e);
}

void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

/* OpenSSL 3.0 loses parts of a context it could not finish: its leaks are not looked at in this row. */
static int make_lib(struct buf *out, struct err *e)
{
    struct lib *made;

    (void)out;
    if (__lsan_disable != NULL)
        __lsan_disable();
    made = lib_new(e);
    lib_free(made);
    if (__lsan_enable != NULL)
        __lsan_enable();
    return made != NULL ? 0 : -1;
}

/* ---- the table and the sweep ---- */

/* step: every step-th allocation fails; 1 but for what allocates thousands of times in milliseconds each. */
static const struct row {
    const char *name;
    int (*run)(struct buf *out, struct err *e);
    unsigned long step;
} rows[] = {
    { "base64_add", base64, 1 },
    { "pem_next", base64_back, 1 },
    { "hex_add", hexadecimal, 1 },
    { "pem_add", pem_write, 1 },
    { "der writer", der, 1 },
    { "name_parse, name_write", name, 1 },
    { "name_expand", name_expansion, 1 },
    { "name_text, name_equal", name_reading, 1 },
    { "lib_new", make_lib, 5 },
    { "lib_random, lib_sha256", random_and_digest, 1 },
    { "seal_derive", derive, 1 },
    { "seal_put", seal, 1 },
    { "seal_get", unseal, 1 },
    { "key_parse RSA", parse_rsa, 1 },
    { "key_parse P-256", parse_ec, 1 },
    { "key_parse Ed25519", parse_ed25519, 1 },
    { "key_sign RSA", sign_rsa, 1 },
    { "key_sign P-256", sign_ec, 1 },
    { "key_sign Ed25519", sign_ed25519, 1 },
    { "key_move_lib", move, 1 },
    { "key_new P-256", make_p256, 1 },
    { "key_new Ed25519", make_ed25519, 1 },
    { "key_new RSA-2048", make_rsa, 13 },
};

/* One run with the n-th allocation failing; true once a run needs fewer than n. */
static bool run_once(const struct row *row, unsigned long n)
{
    static const char before[] = "before";
    struct buf out = BUF_SECRET(1 << 16);
    struct err e = { 0 };
    bool over;
    int rc;

    buf_add_text(&out, before);
    mem_fail_after(n);
    rc = row->run(&out, &e);
    over = mem_count() < n || n == 0;
    mem_fail_after(0);
    if (rc != 0) {
        if (over || rc != -1)
            fail_msg("%s: fails although memory is there: %s", row->name, e.msg);
        if (e.cls != ERR_NOMEM)
            fail_msg(
                "%s, allocation %lu: %s (%s: %s)", row->name, n, err_name(e.cls), e.where, e.msg);
        assert_int_equal(out.len, sizeof before - 1);
    }
    assert_memory_equal(out.p, before, sizeof before - 1);
    buf_free(&out);
    return over;
}

static void sweep(void **state)
{
    const struct row *row = *state;
    unsigned long n = 1;

    run_once(row, 0); /* what OpenSSL sets up once for a process is not the point */
    while (!run_once(row, n)) {
        run_once(row, 0);
        n += row->step;
    }
    assert_true(n > 1);
}

static int set_up(void **state)
{
    struct err e = { 0 };
    struct name n = { 0 };

    (void)state;
    memset(bytes, 0xc3, sizeof bytes);
    pem_add(&pem, "CERTIFICATE", view_of(bytes, sizeof bytes));
    if ((l = lib_new(&e)) == NULL || (l2 = lib_new(&e)) == NULL
        || (rsa = key_new(l, KEY_RSA2048, KEYGEN_FAST, &e)) == NULL
        || (ec = key_new(l, KEY_P256, KEYGEN_FAST, &e)) == NULL
        || (ed = key_new(l, KEY_ED25519, KEYGEN_FAST, &e)) == NULL
        || seal_put(l, wrap, view_text("place"), view_of(bytes, sizeof bytes), &sealed, &e) != 0
        || name_parse(&n, "CN=Ada,O=Contoso", NULL, 0, &e) != 0
        || name_write(&n, &name_der, &e) != 0)
        return -1;
    name_free(&n);
    return buf_check(&pem, &e);
}

static int tear_down(void **state)
{
    (void)state;
    key_free(rsa);
    key_free(ec);
    key_free(ed);
    buf_free(&sealed);
    buf_free(&name_der);
    buf_free(&pem);
    lib_free(l);
    lib_free(l2);
    return 0;
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof rows[0] };
    struct CMUnitTest tests[ROWS];

    mem_torture_openssl();
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = sweep, .initial_state = (void *)(uintptr_t)&rows[i]
        };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
