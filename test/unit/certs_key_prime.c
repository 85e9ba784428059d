/* key_inner.h, the part of key_prime.c: against OpenSSL's own test, and numbers made to deceive. */
#include "test/t.h"
#include "certs/key_inner.h"
#include "certs/mem.h"
#include <openssl/bn.h>

static struct err e;
static struct lib *l;

static int make_lib(void **state)
{
    (void)state;
    return (l = lib_new(&e)) != NULL ? 0 : -1;
}

static int free_lib(void **state)
{
    (void)state;
    lib_free(l);
    return 0;
}

/* FIPS 186-5 table B.1, M-R tests only, error probability by the key's strength. */
static void rounds_of_table_b1(void **state)
{
    (void)state;
    assert_int_equal(key_prime_rounds(1024), 5);
    assert_int_equal(key_prime_rounds(1536), 4);
    assert_int_equal(key_prime_rounds(2048), 4);
    assert_int_equal(key_prime_rounds(512), 0);
}

static bool is_prime_by_division(unsigned n)
{
    for (unsigned i = 3; i * i <= n; i += 2)
        if (n % i == 0)
            return false;
    return true;
}

static void small_numbers(void **state)
{
    BIGNUM *w = BN_new();

    (void)state;
    for (unsigned n = 5; n < 6000; n += 2) {
        BN_set_word(w, n);
        assert_int_equal(key_prime_test(l->bn, w, 40), is_prime_by_division(n));
    }
    BN_free(w);
}

static void openssl_agrees(void **state)
{
    BIGNUM *w = BN_new();
    int primes = 0;

    (void)state;
    for (int i = 0; i < 4000; i++) {
        int ours, theirs;

        assert_int_equal(BN_rand(w, 64 + i % 100, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD), 1);
        ours = key_prime_test(l->bn, w, 40);
        theirs = BN_check_prime(w, l->bn, NULL);
        assert_int_equal(ours, theirs);
        primes += ours;
    }
    assert_true(primes > 30);
    BN_free(w);
}

/*
 * Composites for which as many bases lie as can: a quarter of them for (x+1)(2x+1) with both prime and
 * x = 2 modulo 4, and Carmichael numbers (6k+1)(12k+1)(18k+1), which fool Fermat's test altogether.
 */
static void liars_are_found_out(void **state)
{
    BIGNUM *a = BN_new(), *b = BN_new(), *c = BN_new(), *w = BN_new();
    int semi = 0, carmichael = 0;

    (void)state;
    for (unsigned long k = 1; k < 60000 && (semi < 60 || carmichael < 25); k++) {
        BN_set_word(a, 4 * k + 3);
        BN_set_word(b, 8 * k + 5);
        if (BN_check_prime(a, l->bn, NULL) == 1 && BN_check_prime(b, l->bn, NULL) == 1) {
            BN_mul(w, a, b, l->bn);
            assert_int_equal(key_prime_test(l->bn, w, 40), 0);
            semi++;
        }
        BN_set_word(a, 6 * k + 1);
        BN_set_word(b, 12 * k + 1);
        BN_set_word(c, 18 * k + 1);
        if (BN_check_prime(a, l->bn, NULL) == 1 && BN_check_prime(b, l->bn, NULL) == 1
            && BN_check_prime(c, l->bn, NULL) == 1) {
            BN_mul(w, a, b, l->bn);
            BN_mul(w, w, c, l->bn);
            assert_int_equal(key_prime_test(l->bn, w, 40), 0);
            carmichael++;
        }
    }
    assert_true(semi >= 60 && carmichael >= 25);
    BN_free(a);
    BN_free(b);
    BN_free(c);
    BN_free(w);
}

/* The same with one round each: a base in four may lie, and if none ever did the bases were not random. */
static void bases_are_random(void **state)
{
    BIGNUM *w = BN_new();
    int lies = 0;

    (void)state;
    BN_set_word(w, 4 * 4 + 3); /* 19 * 37 */
    BN_mul_word(w, 8 * 4 + 5);
    for (int i = 0; i < 2000; i++)
        lies += key_prime_test(l->bn, w, 1);
    assert_true(lies > 100 && lies < 800);
    BN_free(w);
}

static void fast_primes_are_prime(void **state)
{
    static const struct {
        int bits, count;
    } sizes[] = { { 1024, 60 }, { 1536, 8 }, { 2048, 3 } };
    BIGNUM *p = BN_secure_new();

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (int n = 0; n < sizes[i].count; n++) {
            T_OK(key_prime_fast(l->bn, sizes[i].bits, p, &e));
            assert_int_equal(BN_num_bits(p), sizes[i].bits);
            assert_true(BN_is_bit_set(p, sizes[i].bits - 2));
            assert_int_not_equal(BN_mod_word(p, 65537), 1);
            assert_int_equal(BN_check_prime(p, l->bn, NULL), 1);
        }
    BN_clear_free(p);
}

/*
 * Without the strike-out a prime of 1024 bits costs 355 tests on average, with it 41.  What a test costs
 * is counted in allocations, which are the same every time.
 */
static void the_strike_out_saves_most_tests(void **state)
{
    BIGNUM *p = BN_secure_new(), *composite = BN_new();
    unsigned long one, all;

    (void)state;
    T_OK(key_prime_fast(l->bn, 1024, p, &e));
    BN_copy(composite, p);
    BN_mul_word(composite, 3);
    BN_rshift1(composite, composite);
    BN_set_bit(composite, 0);
    mem_fail_after(0);
    assert_int_equal(key_prime_test(l->bn, composite, 1), 0);
    one = mem_count();
    mem_fail_after(0);
    for (int i = 0; i < 40; i++)
        T_OK(key_prime_fast(l->bn, 1024, p, &e));
    all = mem_count();
    assert_true(one > 3 && all / one > 10 * 40 && all / one < 120 * 40);
    BN_clear_free(p);
    BN_free(composite);
}

static void far_enough_is_exact(void **state)
{
    BIGNUM *p = BN_new(), *q = BN_new();

    (void)state;
    BN_set_bit(q, 1023);
    BN_copy(p, q);
    assert_int_equal(key_prime_far(p, q, 1024), 0);
    BN_set_bit(p, 1024 - 100); /* apart by exactly the bound: not above it */
    assert_int_equal(key_prime_far(p, q, 1024), 0);
    assert_int_equal(key_prime_far(q, p, 1024), 0);
    BN_add_word(p, 1);
    assert_int_equal(key_prime_far(p, q, 1024), 1);
    assert_int_equal(key_prime_far(q, p, 1024), 1);
    BN_free(p);
    BN_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_of_table_b1),
        cmocka_unit_test(small_numbers),
        cmocka_unit_test(openssl_agrees),
        cmocka_unit_test(liars_are_found_out),
        cmocka_unit_test(bases_are_random),
        cmocka_unit_test(fast_primes_are_prime),
        cmocka_unit_test(the_strike_out_saves_most_tests),
        cmocka_unit_test(far_enough_is_exact),
    };

    mem_torture_openssl(); /* counts */
    return cmocka_run_group_tests(tests, make_lib, free_lib);
}
