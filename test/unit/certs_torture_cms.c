/*
 * Memory runs out while CMS messages are read and written: the rows and the rules are those of
 * certs_torture.c.  What is good must not be called bad for want of memory, nor bad ones good.
 */
#include "test/unit/signed_fixture.h"
#include "certs/cms.h"
#include "certs/envelope.h"
#include "certs/mem.h"
#include "certs/signed.h"

static struct party rsa, ec;
static struct buf by_rsa = BUF_INIT(ROOM), by_ec = BUF_INIT(ROOM), by_pss = BUF_INIT(ROOM);
static struct buf pkcs1 = BUF_INIT(ROOM), oaep = BUF_INIT(ROOM), pieces = BUF_INIT(ROOM);

/* ---- rows ---- */

static int verify(const struct buf *b, struct err *why)
{
    struct signed_data s;
    struct view signer;

    if (signed_parse(buf_view(b), &s, why) != 0 || signed_signer(&s, &signer, why) != 0)
        return -1;
    return signed_verify(lib, &s, signer, why);
}

static int verify_rsa(struct buf *out, struct err *why)
{
    (void)out;
    return verify(&by_rsa, why);
}

static int verify_pss(struct buf *out, struct err *why)
{
    (void)out;
    return verify(&by_pss, why);
}

static int verify_ec(struct buf *out, struct err *why)
{
    (void)out;
    return verify(&by_ec, why);
}

static int write_signed(const struct party *p, struct buf *out, struct err *why)
{
    static const uint8_t value[] = "\x13\x02"
                                   "19";
    const struct signed_attr_out attr = { "2.16.840.1.113733.1.9.2", view_of(value, 4) };
    const struct signed_out s = { .content = view_text("hello"),
        .has_content = true,
        .digest = DIGEST_SHA256,
        .key = p->key,
        .certificate = buf_view(&p->der),
        .include_certificate = true,
        .attrs = &attr,
        .attr_count = 1 };
    size_t start = out->len;
    struct signed_data back;

    if (signed_write(lib, &s, out, why) != 0)
        return -1;
    mem_fail_after(0); /* made in full? */
    T_OK(signed_parse(view_of(out->p + start, out->len - start), &back, &e));
    T_OK(signed_verify(lib, &back, buf_view(&p->der), &e));
    return 0;
}

static int write_rsa(struct buf *out, struct err *why)
{
    return write_signed(&rsa, out, why);
}

static int write_ec(struct buf *out, struct err *why)
{
    return write_signed(&ec, out, why);
}

static int certs_only(struct buf *out, struct err *why)
{
    return signed_certs_only(buf_view(&rsa.der), view_of(NULL, 0), out, why);
}

static int open_envelope(const struct buf *b, struct buf *out, struct err *why)
{
    struct envelope v = { 0 };
    size_t start = out->len;
    int rc = envelope_parse(buf_view(b), &v, why);

    if (rc == 0)
        rc = envelope_open(lib, &v, rsa.key, out, why);
    if (rc == 0)
        assert_memory_equal(out->p + start, "hello", 5);
    envelope_free(&v);
    return rc;
}

static int open_pkcs1(struct buf *out, struct err *why)
{
    return open_envelope(&pkcs1, out, why);
}

static int open_oaep(struct buf *out, struct err *why)
{
    return open_envelope(&oaep, out, why);
}

static int open_pieces(struct buf *out, struct err *why)
{
    return open_envelope(&pieces, out, why);
}

static int seal_aes128(struct buf *out, struct err *why)
{
    return cms_envelope(
        lib, buf_view(&rsa.der), CMS_AES128_CBC, CMS_RSA_PKCS1, view_text("hello"), out, why);
}

/* ---- the table and the sweep ---- */

static const struct row {
    const char *name;
    int (*run)(struct buf *out, struct err *why);
} rows[] = {
    { "signed_verify RSA", verify_rsa },
    { "signed_verify RSA-PSS", verify_pss },
    { "signed_verify P-256", verify_ec },
    { "signed_write RSA", write_rsa },
    { "signed_write P-256", write_ec },
    { "signed_certs_only", certs_only },
    { "envelope_open PKCS#1", open_pkcs1 },
    { "envelope_open OAEP", open_oaep },
    { "envelope_open of pieces", open_pieces },
    { "cms_envelope AES-128", seal_aes128 },
};

static bool run_once(const struct row *row, unsigned long n)
{
    static const char before[] = "before";
    struct buf out = BUF_SECRET(ROOM);
    struct err why = { 0 };
    bool over;
    int rc;

    buf_add_text(&out, before);
    mem_fail_after(n);
    rc = row->run(&out, &why);
    over = mem_count() < n || n == 0;
    mem_fail_after(0);
    if (rc != 0) {
        if (over || rc != -1)
            fail_msg("%s: fails although memory is there: %s", row->name, why.msg);
        if (why.cls != ERR_NOMEM)
            fail_msg("%s, allocation %lu: %s (%s: %s)", row->name, n, err_name(why.cls), why.where,
                why.msg);
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
    for (; !run_once(row, n); n++)
        run_once(row, 0);
    assert_true(n > 1);
}

/* Every 32nd operation OpenSSL makes the key's blinding anew, and spoils it when memory runs out there. */
static void signs_rightly_after_that(void **state)
{
    enum { BEFORE = 32 };
    struct buf out = BUF_INIT(ROOM);
    bool over = false;

    (void)state;
    for (unsigned long n = 1; !over; n++) {
        struct key *k = key_parse(lib, buf_view(&rsa.pkcs8), &e);
        struct party p = rsa;
        struct err why = { 0 };
        uint8_t digest[32] = { 0 };

        assert_non_null(k);
        for (int i = 0; i < BEFORE; i++) {
            buf_reset(&out);
            T_OK(key_sign_digest(lib, k, lib->sha256, view_of(digest, 32), &out, &e));
        }
        buf_reset(&out);
        mem_fail_after(n);
        if (key_sign_digest(lib, k, lib->sha256, view_of(digest, 32), &out, &why) != 0)
            assert_int_equal(why.cls, ERR_NOMEM);
        over = mem_count() < n;
        mem_fail_after(0);
        buf_reset(&out);
        p.key = k;
        T_OK(write_signed(&p, &out, &e)); /* verifies what it wrote */
        key_free(k);
    }
    buf_free(&out);
}

static int set_up(void **state)
{
    (void)state;
    if ((lib = lib_new(&e)) == NULL)
        return -1;
    party_init(&rsa, "rsa2048", "CN=RA/O=Contoso");
    party_init(&ec, "P-256", "CN=RA/O=Contoso");
    sign_message(&rsa, view_text("hello"), &(struct sign){ 0 }, &by_rsa);
    sign_message(&rsa, view_text("hello"), &(struct sign){ .pss = true }, &by_pss);
    sign_message(&ec, view_text("hello"), &(struct sign){ 0 }, &by_ec);
    seal_message(&rsa, view_text("hello"), &(struct seal){ 0 }, &pkcs1);
    seal_message(&rsa, view_text("hello"), &(struct seal){ .oaep = EVP_sha256() }, &oaep);
    seal_message(&rsa, view_text("hello"), &(struct seal){ .flags = CMS_STREAM }, &pieces);
    as_der(&pieces);
    return 0;
}

static int tear_down(void **state)
{
    struct buf *const bufs[] = { &by_rsa, &by_ec, &by_pss, &pkcs1, &oaep, &pieces };

    (void)state;
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        buf_free(bufs[i]);
    party_free(&rsa);
    party_free(&ec);
    lib_free(lib);
    return 0;
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof rows[0] };
    struct CMUnitTest tests[ROWS + 1] = { [ROWS] = cmocka_unit_test(signs_rightly_after_that) };

    mem_torture_openssl();
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = sweep, .initial_state = (void *)(uintptr_t)&rows[i]
        };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
