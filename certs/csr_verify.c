/* see csr_read.h: csr_verify */
#include "certs/csr_read.h"
#include "certs/spki.h"

enum { RSA_BITS_MAX = 8192, EXPONENT_LEN_MAX = 32 };

/* SP 800-89 5.3.3: odd, and 2^16 < e < 2^256.  spki.h: without leading zero bytes. */
static bool exponent_is_good(struct view power)
{
    return power.len >= 3 && power.len <= EXPONENT_LEN_MAX && power.p[power.len - 1] % 2 == 1;
}

static int check_rsa(const struct spki *s, unsigned least, struct err *e)
{
    if (s->bits < least || s->bits > RSA_BITS_MAX)
        return err_set(e, ERR_UNSUPPORTED, "an RSA key of %zu bits, allowed are %u to %d", s->bits,
            least, RSA_BITS_MAX);
    if ((s->modulus.p[s->modulus.len - 1] & 1) == 0)
        return err_set(e, ERR_UNSUPPORTED, "an RSA key with an even modulus");
    if (!exponent_is_good(s->exponent))
        return err_set(
            e, ERR_UNSUPPORTED, "an RSA key whose exponent is even, below 65537 or over 256 bits");
    return 0;
}

/* Bytes of a coordinate in bits, but for P-521. */
static size_t curve_bits(const struct spki *s)
{
    return s->field_len == 66 ? 521 : 8 * s->field_len;
}

int csr_verify(struct lib *l, struct csr *c, unsigned rsa_min_bits, bool sha1, struct err *e)
{
    enum digest used = DIGEST_NONE;
    struct spki s;

    if (spki_parse(c->spki, &s, e) != 0 || (!s.ec && check_rsa(&s, rsa_min_bits, e) != 0)
        || verify_signature(
               l, c->spki, c->signature_algorithm, DIGEST_NONE, c->tbs, c->signature, &used, e)
               != 0)
        return err_wrap(e, "request");
    if (used == DIGEST_SHA1 && !sha1)
        return err_set(e, ERR_UNSUPPORTED, "request: signed with SHA-1");
    c->hash = used;
    c->ec = s.ec;
    c->key_bits = s.ec ? curve_bits(&s) : s.bits;
    return 0;
}
