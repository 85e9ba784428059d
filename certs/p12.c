/*
 * see p12.h
 *
 * PFX -> authSafe: OCTET STRING -> AuthenticatedSafe of two ContentInfo: the certificates as
 * EncryptedData, then Data with the one shrouded key bag; the order every other writer uses.
 */
#include "certs/p12.h"
#include "certs/cert.h"
#include "certs/chain.h"
#include "certs/der.h"
#include "certs/mem.h"
#include "certs/p12_bag.h"
#include "certs/p12_crypt.h"
#include "certs/text.h"
#include <string.h>

enum {
    P12_MAX = 1 << 20,
    PASSWORD_MAX = 64,
    FRIENDLY_MAX = 64,
    PROVIDER_MAX = 128,
    ITERATIONS_MAX = 1000000
};

#define OID_DATA      "1.2.840.113549.1.7.1"
#define OID_ENCRYPTED "1.2.840.113549.1.7.6"
#define OID_KEY_BAG   "1.2.840.113549.1.12.10.1.2"

/* ---- profile and password ---- */

enum p12_profile p12_profile_for(const char *name, const char *platform, bool *guessed)
{
    static const struct {
        const char *platform;
        enum p12_profile profile;
    } table[] = {
        { "windows10AndLater", P12_MODERN }, /* from 1709 on */
        { "linux", P12_MODERN },             /* OpenSSL, NSS, GnuTLS */
        { "iOS", P12_COMPAT },               /* 17 and older read nothing else */
        { "macOS", P12_COMPAT },             /* nor does the file keychain, to this day */
        { "android", P12_COMPAT },           /* nor do 13 and older */
    };

    *guessed = false;
    if (name == NULL)
        return P12_NONE;
    if (strcmp(name, "modern") == 0)
        return P12_MODERN;
    if (strcmp(name, "compat") == 0)
        return P12_COMPAT;
    if (strcmp(name, "auto") != 0)
        return P12_NONE;
    for (size_t i = 0; platform != NULL && i < sizeof table / sizeof *table; i++)
        if (strcmp(platform, table[i].platform) == 0)
            return table[i].profile;
    *guessed = true;
    return P12_COMPAT;
}

int p12_password(struct lib *l, char out[P12_PASSWORD_LEN + 1], struct err *e)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const uint8_t fair = 248; /* 4 * 62: bytes from here on would favour the first letters */
    char password[P12_PASSWORD_LEN + 1] = "";
    uint8_t bytes[2 * P12_PASSWORD_LEN];
    size_t len = 0;
    int rc = 0;

    while (len < P12_PASSWORD_LEN && (rc = lib_random(l, bytes, sizeof bytes, e)) == 0)
        for (size_t i = 0; i < sizeof bytes && len < P12_PASSWORD_LEN; i++)
            if (bytes[i] < fair)
                password[len++] = alphabet[bytes[i] % (sizeof alphabet - 1)];
    if (rc == 0)
        memcpy(out, password, sizeof password);
    mem_wipe(password, sizeof password);
    mem_wipe(bytes, sizeof bytes);
    return rc;
}

/* ---- what is asked for ---- */

/* A text that goes out as BMPString; NULL is fine. */
static int check_text(const char *what, const char *text, size_t most, struct err *e)
{
    struct view rest = view_text(text);
    size_t count = 0;

    if (text == NULL)
        return 0;
    if (text_has_control(rest))
        return err_set(e, ERR_INPUT, "PKCS#12 %s: has a control character", what);
    for (size_t step; rest.len != 0; count++) {
        uint32_t c;

        if ((step = utf8_next(rest, &c)) == 0 || c > 0xffff)
            return err_set(e, ERR_INPUT, "PKCS#12 %s: character %zu does not fit a BMPString", what,
                count + 1);
        rest = view_of(rest.p + step, rest.len - step);
    }
    if (count == 0 || count > most)
        return err_set(
            e, ERR_INPUT, "PKCS#12 %s: %zu characters, 1 to %zu are allowed", what, count, most);
    return 0;
}

static int check_password(const char *password, struct err *e)
{
    size_t len = password != NULL ? strlen(password) : 0;

    if (len == 0 || len > PASSWORD_MAX)
        return err_set(e, ERR_INPUT, "PKCS#12 password: %zu characters, 1 to %d are allowed", len,
            PASSWORD_MAX);
    for (size_t i = 0; i < len; i++)
        if (password[i] < 0x20 || password[i] > 0x7e)
            return err_set(e, ERR_INPUT, "PKCS#12 password: only printable ASCII is allowed");
    return 0;
}

static int check_key(struct view pkcs8, struct err *e)
{
    struct der key;

    if (der_expect(&pkcs8, DER_SEQUENCE, "PKCS#12 key", &key, e) != 0
        || der_end(pkcs8, "PKCS#12 key", e) != 0) {
        e->cls = ERR_INPUT;
        return -1;
    }
    return 0;
}

static int check_spec(const struct p12_spec *s, struct err *e)
{
    if (s->profile != P12_MODERN && s->profile != P12_COMPAT)
        return err_set(e, ERR_INPUT, "PKCS#12 profile %u is unknown", (unsigned)s->profile);
    if (s->iterations < 1 || s->iterations > ITERATIONS_MAX)
        return err_set(e, ERR_INPUT, "PKCS#12 iterations: %u, 1 to %d are allowed", s->iterations,
            ITERATIONS_MAX);
    if (s->chain.len == 0)
        return err_set(e, ERR_INPUT, "PKCS#12: no certificate");
    if (check_password(s->password, e) != 0 || check_key(s->pkcs8, e) != 0)
        return -1;
    if (check_text("friendly name", s->friendly_name, FRIENDLY_MAX, e) != 0)
        return -1;
    return check_text("provider name", s->provider_name, PROVIDER_MAX, e);
}

/* ---- the two safes and the file ---- */

/* SafeContents with all certificates; digest of the first one comes back as key id. */
static int write_cert_bags(struct lib *l, struct buf *b, const struct p12_spec *s,
    uint8_t id[P12_KEY_ID_LEN], struct err *e)
{
    size_t list = der_open(b, DER_SEQUENCE), count = 0;
    struct view rest = s->chain, der;
    struct cert c;
    int more;

    for (; (more = chain_next(&rest, &der, e)) == 1; count++) {
        if (count == CHAIN_MAX)
            return err_set(e, ERR_INPUT, "PKCS#12: more than %d certificates", CHAIN_MAX);
        if (cert_parse(der, &c, e) != 0)
            break;
        if (count == 0 && lib_sha1(l, der, id, e) != 0)
            return -1;
        if (count == 0 || s->include_root || !cert_self_issued(&c))
            p12_cert_bag(b, s, der, count == 0 ? id : NULL);
    }
    if (more != 0) {
        e->cls = ERR_INPUT;
        return err_wrap(e, "PKCS#12 certificate %zu", count + 1);
    }
    der_close(b, list);
    return buf_check(b, e);
}

/* ContentInfo { encryptedData, [0] EncryptedData { 0, { data, algorithm, [0] IMPLICIT bytes } } } */
static int write_cert_safe(struct p12_crypt *c, struct buf *out, const struct p12_spec *s,
    uint8_t id[P12_KEY_ID_LEN], struct err *e)
{
    struct buf plain = BUF_INIT(P12_MAX);
    size_t info, wrap, data, content;
    int rc = -1;

    if (write_cert_bags(c->lib, &plain, s, id, e) != 0)
        goto done;
    info = der_open(out, DER_SEQUENCE);
    der_oid_known(out, OID_ENCRYPTED);
    wrap = der_open(out, DER_CONTEXTC | 0);
    data = der_open(out, DER_SEQUENCE);
    der_uint(out, 0);
    content = der_open(out, DER_SEQUENCE);
    der_oid_known(out, OID_DATA);
    if (p12_encrypt(c, buf_view(&plain), DER_CONTEXT | 0, out, e) != 0)
        goto done;
    der_close(out, content);
    der_close(out, data);
    der_close(out, wrap);
    der_close(out, info);
    rc = 0;
done:
    buf_free(&plain);
    return rc;
}

/* ContentInfo { data, [0] OCTET STRING { SafeContents { SafeBag { key bag, [0] EncryptedPrivateKeyInfo } } } } */
static int write_key_safe(struct p12_crypt *c, struct buf *out, const struct p12_spec *s,
    const uint8_t id[P12_KEY_ID_LEN], struct err *e)
{
    size_t info = der_open(out, DER_SEQUENCE), wrap, octets, list, bag, value, key;

    der_oid_known(out, OID_DATA);
    wrap = der_open(out, DER_CONTEXTC | 0);
    octets = der_open(out, DER_OCTET_STRING);
    list = der_open(out, DER_SEQUENCE);
    bag = der_open(out, DER_SEQUENCE);
    der_oid_known(out, OID_KEY_BAG);
    value = der_open(out, DER_CONTEXTC | 0);
    key = der_open(out, DER_SEQUENCE);
    if (p12_encrypt(c, s->pkcs8, DER_OCTET_STRING, out, e) != 0)
        return -1;
    der_close(out, key);
    der_close(out, value);
    p12_attributes(out, s, id, true);
    der_close(out, bag);
    der_close(out, list);
    der_close(out, octets);
    der_close(out, wrap);
    der_close(out, info);
    return 0;
}

static int write_safes(
    struct p12_crypt *c, struct buf *out, const struct p12_spec *s, struct err *e)
{
    size_t list = der_open(out, DER_SEQUENCE);
    uint8_t id[P12_KEY_ID_LEN];

    if (write_cert_safe(c, out, s, id, e) != 0 || write_key_safe(c, out, s, id, e) != 0)
        return -1;
    der_close(out, list);
    return buf_check(out, e);
}

static int write_pfx(struct p12_crypt *c, struct view safes, struct buf *out, struct err *e)
{
    size_t pfx = der_open(out, DER_SEQUENCE), info, wrap;

    der_uint(out, 3);
    info = der_open(out, DER_SEQUENCE);
    der_oid_known(out, OID_DATA);
    wrap = der_open(out, DER_CONTEXTC | 0);
    der_tlv(out, DER_OCTET_STRING, safes);
    der_close(out, wrap);
    der_close(out, info);
    if (p12_write_mac(c, safes, out, e) != 0)
        return -1;
    der_close(out, pfx);
    return 0;
}

int p12_build(struct lib *l, const struct p12_spec *s, struct buf *out, struct err *e)
{
    struct buf safes = BUF_INIT(P12_MAX);
    size_t start = out->len;
    struct p12_crypt c;
    int rc = -1;

    if (check_spec(s, e) != 0)
        return -1;
    if (p12_crypt_init(&c, l, s, e) != 0 || write_safes(&c, &safes, s, e) != 0)
        goto done;
    rc = write_pfx(&c, buf_view(&safes), out, e);
    if (rc == 0)
        rc = buf_finish(out, start, e);
done:
    if (rc != 0)
        buf_truncate(out, start);
    p12_crypt_done(&c);
    buf_free(&safes);
    return rc;
}
