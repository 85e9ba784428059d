/*
 * see key_inner.h
 *
 * The eight numbers of an RSA key (RFC 8017 A.1.2) lie one behind the other in one secret buf, each with
 * a fixed width: what the two sources (our own primes, EVP_PKEY_generate) fill in and what PKCS#8 and
 * EVP_PKEY_fromdata are made from.
 */
#include "certs/der.h"
#include "certs/key_inner.h"
#include "certs/mem.h"
#include <string.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { N, E, D, P, Q, DP, DQ, QI, COUNT };

enum { RSA_E = 65537, E_LEN = 3 };

static const char *const param_names[COUNT] = {
    [N] = OSSL_PKEY_PARAM_RSA_N,
    [E] = OSSL_PKEY_PARAM_RSA_E,
    [D] = OSSL_PKEY_PARAM_RSA_D,
    [P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
    [Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
    [DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
    [DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
    [QI] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

struct numbers {
    struct buf mem; /* secret */
    uint8_t *p[COUNT];
    size_t len[COUNT];
};

static int numbers_init(struct numbers *x, size_t modulus_len, struct err *e)
{
    size_t at = 0;

    x->mem = (struct buf)BUF_SECRET(KEY_PKCS8_MAX);
    if (buf_extend(&x->mem, 2 * modulus_len + E_LEN + 5 * (modulus_len / 2)) == NULL)
        return buf_check(&x->mem, e);
    for (int i = 0; i < COUNT; i++) {
        x->p[i] = x->mem.p + at;
        x->len[i] = i == E ? E_LEN : i == N || i == D ? modulus_len : modulus_len / 2;
        at += x->len[i];
    }
    return 0;
}

/* As OSSL_PARAM; valid as long as x.  The bytes are in the machine's order, see key_turn. */
static void as_params(struct numbers *x, OSSL_PARAM params[COUNT + 1])
{
    for (int i = 0; i < COUNT; i++)
        params[i] = OSSL_PARAM_construct_BN(param_names[i], x->p[i], x->len[i]);
    params[COUNT] = OSSL_PARAM_construct_end();
}

static void turn_all(struct numbers *x)
{
    for (int i = 0; i < COUNT; i++)
        key_turn(x->p[i], x->len[i]);
}

/* ---- where the numbers come from ---- */

static int from_openssl(struct lib *l, struct numbers *x, struct err *e)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(l->ctx, NULL, "RSA", 8 * x->len[N]);
    OSSL_PARAM params[COUNT + 1];
    int rc = -1;

    as_params(x, params);
    if (pkey == NULL || EVP_PKEY_get_params(pkey, params) != 1) {
        lib_err(e, "RSA key generation");
        goto done;
    }
    turn_all(x);
    rc = 0;
done:
    EVP_PKEY_free(pkey);
    return rc;
}

struct work {
    BN_CTX *bn; /* of its own: freeing it wipes everything OpenSSL left in it */
    BIGNUM *e, *p, *q, *p1, *q1, *gcd, *phi, *lcm, *number[COUNT];
};

static void work_done(struct work *w)
{
    BIGNUM *all[] = { w->e, w->p, w->q, w->p1, w->q1, w->gcd, w->phi, w->lcm };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        BN_clear_free(all[i]);
    for (int i = 0; i < COUNT; i++)
        BN_clear_free(w->number[i]);
    BN_CTX_free(w->bn);
}

/* Everything secret is flagged before its first use: the flag picks OpenSSL's slower, even code. */
static bool work_init(struct work *w, struct lib *l)
{
    BIGNUM **all[] = { &w->e, &w->p, &w->q, &w->p1, &w->q1, &w->gcd, &w->phi, &w->lcm };
    bool good = (w->bn = BN_CTX_secure_new_ex(l->ctx)) != NULL;

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if ((*all[i] = BN_secure_new()) != NULL)
            BN_set_flags(*all[i], BN_FLG_CONSTTIME);
        else
            good = false;
    for (int i = 0; i < COUNT; i++)
        if ((w->number[i] = BN_secure_new()) != NULL)
            BN_set_flags(w->number[i], BN_FLG_CONSTTIME);
        else
            good = false;
    return good && BN_set_word(w->e, RSA_E) == 1;
}

static int find_prime(struct work *w, enum keygen how, int bits, BIGNUM *prime, struct err *e)
{
    if (how == KEYGEN_FAST)
        return key_prime_fast(w->bn, bits, prime, e);
    do
        if (!BN_generate_prime_ex2(prime, bits, 0, NULL, NULL, NULL, w->bn))
            return lib_err(e, "BN_generate_prime_ex2");
    while (BN_mod_word(prime, RSA_E) == 1);
    return 0;
}

/*
 * Two primes far enough apart, the larger one first: RFC 8017 does not ask for an order, but some
 * importers reckon with p > q.
 */
static int find_primes(struct work *w, enum keygen how, int bits, struct err *e)
{
    int far;

    if (find_prime(w, how, bits, w->p, e) != 0)
        return -1;
    do {
        if (find_prime(w, how, bits, w->q, e) != 0)
            return -1;
        if ((far = key_prime_far(w->p, w->q, bits)) < 0)
            return lib_err(e, "comparing primes");
    } while (far == 0);
    if (BN_cmp(w->p, w->q) < 0)
        BN_swap(w->p, w->q);
    return 0;
}

/* RFC 8017 3.2, with d the least one, modulo lcm(p-1, q-1) (FIPS 186-5 A.1.1 3). */
static bool derive(struct work *w)
{
    BIGNUM **x = w->number;

    return BN_copy(x[E], w->e) && BN_copy(x[P], w->p) && BN_copy(x[Q], w->q)
           && BN_mul(x[N], w->p, w->q, w->bn) && BN_copy(w->p1, w->p) && BN_sub_word(w->p1, 1)
           && BN_copy(w->q1, w->q) && BN_sub_word(w->q1, 1) && BN_gcd(w->gcd, w->p1, w->q1, w->bn)
           && BN_mul(w->phi, w->p1, w->q1, w->bn) && BN_div(w->lcm, NULL, w->phi, w->gcd, w->bn)
           && BN_mod_inverse(x[D], w->e, w->lcm, w->bn) != NULL && BN_mod(x[DP], x[D], w->p1, w->bn)
           && BN_mod(x[DQ], x[D], w->q1, w->bn) && BN_mod_inverse(x[QI], w->q, w->p, w->bn) != NULL;
}

/* FIPS 186-5 A.1.1 3: 2^(nlen/2) < d; a smaller one is a case for the lottery, not a key. */
static bool d_is_large(const struct work *w, int prime_bits)
{
    return BN_num_bits(w->number[D]) > prime_bits;
}

static int from_primes(struct lib *l, enum keygen how, struct numbers *x, struct err *e)
{
    int bits = (int)(4 * x->len[N]), rc = -1;
    struct work w = { 0 };

    if (!work_init(&w, l)) {
        lib_err(e, "RSA key generation");
        goto done;
    }
    do {
        if (find_primes(&w, how, bits, e) != 0)
            goto done;
        if (!derive(&w)) {
            lib_err(e, "RSA key from primes");
            goto done;
        }
    } while (!d_is_large(&w, bits));
    for (int i = 0; i < COUNT; i++)
        if (BN_bn2binpad(w.number[i], x->p[i], (int)x->len[i]) < 0) {
            lib_err(e, "RSA key from primes");
            goto done;
        }
    rc = 0;
done:
    work_done(&w);
    return rc;
}

/* ---- PKCS#8 and EVP_PKEY ---- */

static void write_pkcs8(struct buf *out, const struct key_kind *kind, const struct numbers *x)
{
    struct key_frame frame = key_open_pkcs8(out, kind);
    size_t mark = der_open(out, DER_SEQUENCE);

    der_uint(out, 0); /* two-prime */
    for (int i = 0; i < COUNT; i++)
        der_uint_bytes(out, view_of(x->p[i], x->len[i]));
    der_close(out, mark);
    key_close_pkcs8(out, frame);
}

/* From 3.1 on EVP_PKEY_generate no longer has what made it slow (key.h). */
static bool openssl_is_quick(void)
{
    return OpenSSL_version_num() >= 0x30100000ul;
}

int key_rsa_make(struct lib *l, enum key_type t, enum keygen how, struct buf *pkcs8, struct err *e)
{
    const struct key_kind *kind = key_kind(t);
    size_t start = pkcs8->len;
    struct numbers x = { 0 };
    int rc = numbers_init(&x, kind->len, e);

    if (rc == 0 && (how == KEYGEN_OPENSSL || (how == KEYGEN_PRIMES && openssl_is_quick())))
        rc = from_openssl(l, &x, e);
    else if (rc == 0)
        rc = from_primes(l, how, &x, e);
    if (rc == 0) {
        write_pkcs8(pkcs8, kind, &x);
        rc = buf_finish(pkcs8, start, e);
    }
    buf_free(&x.mem);
    return rc;
}

static void write_spki(struct buf *out, const struct key_kind *kind, struct view n, struct view e)
{
    size_t outer = der_open(out, DER_SEQUENCE), bits, inner;

    key_write_algorithm(out, kind);
    bits = der_open(out, DER_BIT_STRING);
    buf_add_byte(out, 0); /* no unused bits */
    inner = der_open(out, DER_SEQUENCE);
    der_uint_bytes(out, n);
    der_uint_bytes(out, e);
    der_close(out, inner);
    der_close(out, bits);
    der_close(out, outer);
}

/* RSAPrivateKey, version 0, exactly eight numbers, none longer than its place. */
static int read_numbers(struct view inside, struct view number[COUNT], struct err *e)
{
    struct der seq, tlv;

    if (der_expect(&inside, DER_SEQUENCE, "RSAPrivateKey", &seq, e) != 0
        || der_end(inside, "RSAPrivateKey", e) != 0
        || der_expect(&seq.content, DER_INTEGER, "RSAPrivateKey version", &tlv, e) != 0)
        return -1;
    if (tlv.content.len != 1 || tlv.content.p[0] != 0)
        return err_set(e, ERR_UNSUPPORTED, "RSAPrivateKey: not version 0");
    for (int i = 0; i < COUNT; i++)
        if (der_expect(&seq.content, DER_INTEGER, "RSAPrivateKey", &tlv, e) != 0
            || der_unsigned(tlv, "RSAPrivateKey", &number[i], e) != 0)
            return -1;
    return der_end(seq.content, "RSAPrivateKey", e);
}

static enum key_type type_of(struct view n)
{
    for (int t = KEY_NONE + 1; t < KEY_TYPE_COUNT; t++) {
        const struct key_kind *kind = key_kind((enum key_type)t);

        if (kind->family == KEY_FAMILY_RSA && kind->len == n.len && n.p[0] >= 0x80)
            return (enum key_type)t;
    }
    return KEY_NONE;
}

int key_rsa_load(struct lib *l, struct view inside, enum key_type *t, EVP_PKEY **pkey,
    struct buf *spki, struct err *e)
{
    struct view number[COUNT];
    struct numbers x = { 0 };
    OSSL_PARAM params[COUNT + 1];
    EVP_PKEY *made = NULL;
    size_t start = spki->len;
    enum key_type type;
    int rc = -1;

    if (read_numbers(inside, number, e) != 0)
        return -1;
    if ((type = type_of(number[N])) == KEY_NONE)
        return err_set(e, ERR_UNSUPPORTED, "RSA modulus of %zu bytes", number[N].len);
    if (numbers_init(&x, number[N].len, e) != 0)
        goto done;
    for (int i = 0; i < COUNT; i++) {
        if (number[i].len > x.len[i]) {
            err_set(e, ERR_PROTO, "RSAPrivateKey: number %d has %zu bytes", i + 1, number[i].len);
            goto done;
        }
        if (number[i].len != 0)
            memcpy(x.p[i] + x.len[i] - number[i].len, number[i].p, number[i].len);
    }
    turn_all(&x);
    as_params(&x, params);
    if ((made = key_fromdata(l, "RSA", params, e)) == NULL)
        goto done;
    write_spki(spki, key_kind(type), number[N], number[E]);
    if (buf_finish(spki, start, e) != 0)
        goto done;
    *t = type;
    *pkey = made;
    made = NULL;
    rc = 0;
done:
    EVP_PKEY_free(made);
    buf_free(&x.mem);
    return rc;
}
