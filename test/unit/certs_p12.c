/*
 * p12.h: files as OpenSSL's own reader opens them, and what is refused.
 * PKCS12_parse is for tests: the product opens no file but the one it has just made (p12_check).
 */
#include "test/unit/p12_fixture.h"

/* ---- what a reader gets ---- */

static void opens_with_the_password_only(void **state)
{
    struct buf out = BUF_INIT(ROOM);

    (void)state;
    for (enum p12_profile profile = P12_MODERN; profile <= P12_COMPAT; profile++) {
        for (size_t i = 0; i < 3; i++) {
            struct p12_spec s = spec(profile, &subjects[i]);
            PKCS12 *p12 = build(&s, &out);
            STACK_OF(X509) *more = NULL;
            EVP_PKEY *key = NULL;
            X509 *leaf = NULL;

            assert_int_equal(PKCS12_verify_mac(p12, PASSWORD, -1), 1);
            assert_int_equal(PKCS12_parse(p12, PASSWORD, &key, &leaf, &more), 1);
            assert_int_equal(X509_cmp(leaf, subjects[i].leaf), 0);
            assert_int_equal(X509_check_private_key(leaf, key), 1);
            assert_int_equal(sk_X509_num(more), 1);
            assert_int_equal(X509_cmp(sk_X509_value(more, 0), sub), 0);
            EVP_PKEY_free(key);
            X509_free(leaf);
            sk_X509_pop_free(more, X509_free);
            key = NULL;
            leaf = NULL;
            assert_int_equal(
                PKCS12_parse(p12, "abcdefghijklmnopqrstuvwxyz012346", &key, &leaf, NULL), 0);
            assert_int_equal(PKCS12_verify_mac(p12, "", -1), 0);
            assert_int_equal(PKCS12_verify_mac(p12, NULL, 0), 0);
            PKCS12_free(p12);
        }
    }
    buf_free(&out);
}

/* What p12_build makes p12_check takes; and nothing else. */
static void checked_again(void **state)
{
    struct buf out = BUF_INIT(ROOM);

    (void)state;
    for (enum p12_profile profile = P12_MODERN; profile <= P12_COMPAT; profile++) {
        struct p12_spec s = spec(profile, &subjects[1]);

        buf_reset(&out);
        T_OK(p12_build(lib, &s, &out, &e));
        T_OK(p12_check(lib, buf_view(&out), PASSWORD, s.chain, &e));
        T_ERR(p12_check(lib, buf_view(&out), "another", s.chain, &e), ERR_CRYPTO);
        T_ERR_SAYS(p12_check(lib, buf_view(&out), PASSWORD, buf_view(&subjects[0].chain), &e),
            ERR_CRYPTO, "another certificate");
        T_ERR(p12_check(lib, view_of(out.p, out.len - 1), PASSWORD, s.chain, &e), ERR_CRYPTO);
        out.p[out.len / 2] ^= 1;
        T_ERR(p12_check(lib, buf_view(&out), PASSWORD, s.chain, &e), ERR_CRYPTO);
        out.p[out.len / 2] ^= 1;
        buf_add_byte(&out, 0);
        T_ERR_SAYS(p12_check(lib, buf_view(&out), PASSWORD, s.chain, &e), ERR_CRYPTO, "follows");
    }
    buf_free(&out);
}

static size_t place(const struct buf *b, const ASN1_OCTET_STRING *of)
{
    const uint8_t *p = memmem(b->p, b->len, of->data, (size_t)of->length);

    assert_non_null(p);
    return (size_t)(p - b->p);
}

static void any_byte_of_content_or_mac_changed(void **state)
{
    struct buf out = BUF_INIT(ROOM);

    (void)state;
    for (enum p12_profile profile = P12_MODERN; profile <= P12_COMPAT; profile++) {
        struct p12_spec s = spec(profile, &subjects[0]);
        const ASN1_OCTET_STRING *mac, *salt;
        size_t at[4];
        PKCS12 *p12;

        s.iterations = 10;
        p12 = build(&s, &out);
        PKCS12_get0_mac(&mac, NULL, &salt, NULL, p12);
        at[0] = place(&out, mac);
        at[1] = at[0] + (size_t)mac->length - 1;
        at[2] = place(&out, salt);
        at[3] = out.len / 2; /* in the encrypted part */
        PKCS12_free(p12);
        for (size_t i = 0; i < 4; i++) {
            const unsigned char *p = out.p;

            out.p[at[i]] ^= 1;
            p12 = d2i_PKCS12(NULL, &p, (long)out.len);
            assert_int_equal(p12 != NULL && PKCS12_verify_mac(p12, PASSWORD, -1) == 1, 0);
            PKCS12_free(p12);
            out.p[at[i]] ^= 1;
        }
    }
    buf_free(&out);
}

static void root_only_when_asked_for(void **state)
{
    struct p12_spec s = spec(P12_MODERN, &subjects[0]);
    struct buf out = BUF_INIT(ROOM);
    STACK_OF(X509) *more = NULL;
    EVP_PKEY *key;
    X509 *leaf;
    PKCS12 *p12;

    (void)state;
    s.include_root = true;
    s.iterations = 1;
    p12 = build(&s, &out);
    assert_int_equal(PKCS12_parse(p12, PASSWORD, &key, &leaf, &more), 1);
    assert_int_equal(sk_X509_num(more), 2);
    EVP_PKEY_free(key);
    X509_free(leaf);
    sk_X509_pop_free(more, X509_free);
    PKCS12_free(p12);
    buf_free(&out);
}

/* ---- refusals ---- */

static void refusals(void **state)
{
    const struct p12_spec good = spec(P12_MODERN, &subjects[0]);
    char long65[66] = "", long129[130] = "";
    struct buf out = BUF_INIT(ROOM), small = BUF_INIT(50), junk = BUF_INIT(ROOM),
               many = BUF_INIT(ROOM);
    struct p12_spec s;

    (void)state;
    memset(long65, 'a', 65);
    memset(long129, 'a', 129);
    buf_add_text(&out, "kept");
#define WITH(member, value, says)                                  \
    do {                                                           \
        s = good;                                                  \
        s.member = (value);                                        \
        T_ERR_SAYS(p12_build(lib, &s, &out, &e), ERR_INPUT, says); \
        assert_int_equal(out.len, 4);                              \
    } while (0)
    WITH(profile, P12_NONE, "profile 0");
    WITH(profile, (enum p12_profile)3, "profile 3");
    WITH(iterations, 0, "iterations: 0");
    WITH(iterations, 1000001, "iterations: 1000001");
    WITH(password, NULL, "password: 0");
    WITH(password, "", "password: 0");
    WITH(password, long65, "password: 65");
    WITH(password, "p\xc3\xa4ss", "printable ASCII");
    WITH(password, "a\tb", "printable ASCII");
    WITH(friendly_name, "", "friendly name: 0");
    WITH(friendly_name, long65, "friendly name: 65");
    WITH(friendly_name, "a\nb", "control");
    WITH(friendly_name, "a\xf0\x9d\x84\x9e", "character 2 does not fit");
    WITH(friendly_name, "a\xff", "character 2 does not fit");
    WITH(provider_name, long129, "provider name: 129");
    WITH(provider_name, "", "provider name: 0");
    WITH(pkcs8, view_of(NULL, 0), "PKCS#12 key");
    WITH(pkcs8, view_text("x"), "PKCS#12 key");
    WITH(pkcs8, view_of("\x30\x00\x00", 3), "too many");
    WITH(chain, view_of(NULL, 0), "no certificate");
    WITH(chain, view_text("x"), "certificate 1");
    WITH(chain, view_of("\x30\x03\x02\x01\x01", 5), "certificate 1");
    issue_der(subjects[0].leaf, &junk);
    buf_add_text(&junk, "x");
    WITH(chain, buf_view(&junk), "certificate 2");
    for (int i = 0; i < 33; i++)
        issue_der(sub, &many);
    WITH(chain, buf_view(&many), "more than 32");
    s = good;
    T_ERR(p12_build(lib, &s, &small, &e), ERR_TOO_LARGE);
    assert_int_equal(small.len, 0);
    long65[64] = '\0';
    s.friendly_name = s.password = long65;
    T_OK(p12_build(lib, &s, &out, &e));
    assert_memory_equal(out.p, "kept", 4);
    buf_free(&out);
    buf_free(&small);
    buf_free(&junk);
    buf_free(&many);
}

static void profiles(void **state)
{
    static const struct {
        const char *name, *platform;
        enum p12_profile want;
        bool guessed;
    } rows[] = {
        { "modern", NULL, P12_MODERN, false },
        { "compat", "linux", P12_COMPAT, false },
        { "auto", "windows10AndLater", P12_MODERN, false },
        { "auto", "linux", P12_MODERN, false },
        { "auto", "iOS", P12_COMPAT, false },
        { "auto", "macOS", P12_COMPAT, false },
        { "auto", "android", P12_COMPAT, false },
        { "auto", "amiga", P12_COMPAT, true },
        { "auto", NULL, P12_COMPAT, true },
        { "Modern", "linux", P12_NONE, false },
        { "", "linux", P12_NONE, false },
        { NULL, "linux", P12_NONE, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool guessed = !rows[i].guessed;

        assert_int_equal(p12_profile_for(rows[i].name, rows[i].platform, &guessed), rows[i].want);
        assert_int_equal(guessed, rows[i].guessed);
    }
}

/* Every character of the alphabet turns up about as often as any other (chi squared, 61 degrees). */
static void passwords(void **state)
{
    enum { ROUNDS = 4000 };
    unsigned seen[256] = { 0 };
    char out[P12_PASSWORD_LEN + 1], last[P12_PASSWORD_LEN + 1] = "";
    double expect = ROUNDS * P12_PASSWORD_LEN / 62.0, chi = 0;
    unsigned kinds = 0;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        T_OK(p12_password(lib, out, &e));
        assert_int_equal(strlen(out), P12_PASSWORD_LEN);
        assert_string_not_equal(out, last);
        memcpy(last, out, sizeof out);
        for (size_t j = 0; j < P12_PASSWORD_LEN; j++)
            seen[(uint8_t)out[j]]++;
    }
    for (unsigned c = 0; c < 256; c++) {
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        assert_int_equal(seen[c] != 0, letter);
        if (letter)
            chi += (seen[c] - expect) * (seen[c] - expect) / expect;
        kinds += letter;
    }
    assert_int_equal(kinds, 62);
    assert_true(chi < 140); /* p < 1e-7 */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_with_the_password_only),
        cmocka_unit_test(checked_again),
        cmocka_unit_test(any_byte_of_content_or_mac_changed),
        cmocka_unit_test(root_only_when_asked_for),
        cmocka_unit_test(refusals),
        cmocka_unit_test(profiles),
        cmocka_unit_test(passwords),
    };
    int failed;

    if (start() != 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    stop();
    return failed;
}
