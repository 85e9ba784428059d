/*
 * see key_inner.h
 *
 * How a prime is found: a random odd number, and the WINDOW odd numbers from it on.  Those with a
 * factor among the small primes are struck out, the others are tested in order; when none of them is
 * prime there is a new random number.  BN_generate_prime_ex2 walks in the same manner, but divides by
 * all small primes again for every number it tests and makes 64 rounds.
 *
 * What an observer on the same machine may learn: how many numbers were tested.  The strike-out reads
 * and writes the same memory in the same order whatever the numbers are; it decides nothing before it
 * is over.  (BN_mod_word divides the secret start; its time may depend on it by as little as in
 * BN_generate_prime_ex2.)  The power in Miller-Rabin is BN_mod_exp_mont_consttime's.
 */
#include "certs/key_inner.h"
#include "certs/mem.h"
#include <openssl/bn.h>

enum { SMALL = 2048, SMALL_LIMIT = 18000, WINDOW = 1024, RSA_E = 65537 };

/* `left` is the remainder of the number under the finger; signed, because SSE2 compares only those. */
struct sieve {
    int16_t prime[SMALL], left[SMALL];
    uint8_t open[WINDOW]; /* 1: no small prime divides start + 2 i */
};

static void list_small_primes(int16_t prime[SMALL])
{
    bool composite[SMALL_LIMIT] = { false };
    size_t count = 0;

    for (size_t i = 3; i < SMALL_LIMIT && count < SMALL; i += 2) {
        if (composite[i])
            continue;
        prime[count++] = (int16_t)i;
        for (size_t j = i * i; j < SMALL_LIMIT; j += i)
            composite[j] = true;
    }
}

/* Remainders of `start`, two primes at one division: their product has at most 29 bits. */
static void divide(struct sieve *s, const BIGNUM *start)
{
    for (size_t i = 0; i < SMALL; i += 2) {
        BN_ULONG a = (BN_ULONG)s->prime[i], b = (BN_ULONG)s->prime[i + 1];
        BN_ULONG left = BN_mod_word(start, a * b);

        s->left[i] = (int16_t)(left % a);
        s->left[i + 1] = (int16_t)(left % b);
    }
}

/* No branch and no address in here depends on the remainders: the compiler makes vectors of it. */
static void strike_out(struct sieve *s)
{
    for (size_t k = 0; k < WINDOW; k++) {
        int16_t hit = 0;

        for (size_t i = 0; i < SMALL; i++) {
            int16_t next = (int16_t)(s->left[i] + 2);

            hit = (int16_t)(hit | -(s->left[i] == 0));
            s->left[i] = (int16_t)(next - (s->prime[i] & -(next >= s->prime[i])));
        }
        s->open[k] = (uint8_t)(1 + hit);
    }
}

/*
 * FIPS 186-5 table B.1, column of p and q: 1024 bits 5 rounds, 1536 bits 4, 2048 bits 4.  The table is
 * for random numbers; for a walk from a random number the bound is hardly weaker (Brandt and Damgard,
 * "On generation of probable primes by incremental search", 1992).
 */
int key_prime_rounds(int bits)
{
    return bits == 1024 ? 5 : bits == 1536 || bits == 2048 ? 4 : 0;
}

/* One round: 1 if `base` does not prove w composite.  w1 = w - 1 = 2^twos m. */
static int round_passes(BN_CTX *bn, const BIGNUM *w, const BIGNUM *w1, const BIGNUM *m, int twos,
    BN_MONT_CTX *mont, BIGNUM *base, BIGNUM *z)
{
    /* 2 <= base <= w - 2: a random number below w - 3, and 2. */
    if (!BN_copy(z, w1) || !BN_sub_word(z, 2) || !BN_priv_rand_range_ex(base, z, 0, bn)
        || !BN_add_word(base, 2) || !BN_mod_exp_mont_consttime(z, base, m, w, bn, mont))
        return -1;
    if (BN_is_one(z) || BN_cmp(z, w1) == 0)
        return 1;
    for (int i = 1; i < twos; i++) {
        if (!BN_mod_sqr(z, z, w, bn))
            return -1;
        if (BN_cmp(z, w1) == 0)
            return 1;
        if (BN_is_one(z))
            return 0;
    }
    return 0;
}

int key_prime_test(BN_CTX *bn, const BIGNUM *w, int rounds)
{
    BIGNUM *w1 = BN_secure_new(), *m = BN_secure_new(), *base = BN_secure_new(),
           *z = BN_secure_new();
    BN_MONT_CTX *mont = BN_MONT_CTX_new();
    int twos = 0, rc = -1;

    if (w1 == NULL || m == NULL || base == NULL || z == NULL || mont == NULL || !BN_copy(w1, w)
        || !BN_sub_word(w1, 1) || !BN_MONT_CTX_set(mont, w, bn))
        goto done;
    while (!BN_is_bit_set(w1, twos))
        twos++;
    BN_set_flags(w1, BN_FLG_CONSTTIME);
    if (!BN_rshift(m, w1, twos))
        goto done;
    BN_set_flags(m, BN_FLG_CONSTTIME);
    rc = 1;
    for (int i = 0; rc == 1 && i < rounds; i++)
        rc = round_passes(bn, w, w1, m, twos, mont, base, z);
done:
    BN_clear_free(w1);
    BN_clear_free(m);
    BN_clear_free(base);
    BN_clear_free(z);
    BN_MONT_CTX_free(mont);
    return rc;
}

/* The first prime among the open numbers of a window: 1 found, 0 none, -1 OpenSSL failed. */
static int search_window(
    BN_CTX *bn, const struct sieve *s, const BIGNUM *start, int bits, BIGNUM *prime)
{
    int rounds = key_prime_rounds(bits);

    for (size_t k = 0; k < WINDOW; k++) {
        int rc;

        if (!s->open[k])
            continue;
        if (!BN_copy(prime, start) || !BN_add_word(prime, 2 * k))
            return -1;
        if (BN_num_bits(prime) != bits)
            return 0; /* walked past the top */
        if (BN_mod_word(prime, RSA_E) == 1)
            continue; /* then RSA_E has no inverse modulo prime - 1 */
        if ((rc = key_prime_test(bn, prime, rounds)) != 0)
            return rc;
    }
    return 0;
}

int key_prime_fast(BN_CTX *bn, int bits, BIGNUM *prime, struct err *e)
{
    struct sieve *s = mem_secret_try(sizeof *s);
    BIGNUM *start = BN_secure_new();
    int found = -1;

    if (s == NULL || start == NULL) {
        err_set(e, ERR_NOMEM, "no memory for a prime search");
        goto done;
    }
    list_small_primes(s->prime);
    do {
        if (!BN_priv_rand_ex(start, bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD, 0, bn)) {
            found = -1;
            break;
        }
        divide(s, start);
        strike_out(s);
        found = search_window(bn, s, start, bits, prime);
    } while (found == 0);
    if (found < 0)
        lib_err(e, "prime search");
done:
    mem_secret_free(s, sizeof *s);
    BN_clear_free(start);
    return found == 1 ? 0 : -1;
}

int key_prime_far(const BIGNUM *p, const BIGNUM *q, int bits)
{
    BIGNUM *gap = BN_secure_new(), *least = BN_new();
    int rc = -1;

    if (gap == NULL || least == NULL || !BN_sub(gap, p, q) || !BN_set_bit(least, bits - 100))
        goto done;
    BN_set_negative(gap, 0);
    rc = BN_cmp(gap, least) > 0;
done:
    BN_clear_free(gap);
    BN_free(least);
    return rc;
}
