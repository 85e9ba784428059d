/* see envelope.h */
#include "test/scep/envelope.h"
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define OID_DATA "1.2.840.113549.1.7.1"

static const struct cipher_row {
    const char *oid;
    size_t key, iv;
    const EVP_CIPHER *(*make)(void); /* NULL: nothing here encrypts so */
} ciphers[] = {
    [CIPHER_AES128] = { "2.16.840.1.101.3.4.1.2", 16, 16, EVP_aes_128_cbc },
    [CIPHER_AES192] = { "2.16.840.1.101.3.4.1.22", 24, 16, EVP_aes_192_cbc },
    [CIPHER_AES256] = { "2.16.840.1.101.3.4.1.42", 32, 16, EVP_aes_256_cbc },
    [CIPHER_DES3] = { "1.2.840.113549.3.7", 24, 8, EVP_des_ede3_cbc },
    [CIPHER_DES] = { "1.3.14.3.2.7", 8, 8, NULL },
    [CIPHER_RC2] = { "1.2.840.113549.3.2", 16, 8, NULL },
    [CIPHER_RC4] = { "1.2.840.113549.3.4", 16, 0, NULL },
    [CIPHER_GCM] = { "2.16.840.1.101.3.4.1.6", 16, 12, NULL },
    [CIPHER_CAMELLIA] = { "1.2.392.200011.61.1.1.1.2", 16, 16, EVP_camellia_128_cbc },
    [CIPHER_UNKNOWN] = { "1.3.6.1.4.1.99999.1", 16, 16, NULL },
};

static void random_bytes(void *to, size_t len)
{
    need(RAND_bytes(to, (int)len) == 1 ? to : NULL);
}

static void encrypt(const struct envelope_plan *p, const struct str *plain,
    const unsigned char *key, const unsigned char *iv, struct str *out)
{
    const struct cipher_row *c = &ciphers[p->cipher];
    unsigned char *to = need(malloc(plain->len + 64));
    struct str padded = { 0 };
    EVP_CIPHER_CTX *ctx = need(EVP_CIPHER_CTX_new());
    size_t block = c->iv == 8 ? 8 : 16, pad = block - plain->len % block;
    int len = 0;

    str_add(&padded, str_text(plain), plain->len);
    for (size_t i = 0; i < pad; i++)
        str_add(&padded, &(char){ (char)pad }, 1);
    if ((p->twist & ENV_BAD_PAD) != 0)
        padded.p[padded.len - 1] = 0;
    if (c->make == NULL) {
        random_bytes(to, padded.len);
        len = (int)padded.len;
    } else {
        need(EVP_EncryptInit_ex(ctx, c->make(), NULL, key, iv) == 1 ? ctx : NULL);
        EVP_CIPHER_CTX_set_padding(ctx, 0);
        need(EVP_EncryptUpdate(ctx, to, &len, (const unsigned char *)padded.p, (int)padded.len) == 1
                 ? ctx
                 : NULL);
    }
    if ((p->twist & ENV_BAD_BLOCK) != 0)
        random_bytes(to + (size_t)len - block, block);
    if ((p->twist & ENV_CUT_CONTENT) != 0)
        len -= 3;
    str_add(out, to, (size_t)len);
    EVP_CIPHER_CTX_free(ctx);
    str_free(&padded);
    free(to);
}

/* ---- recipients ---- */

static void set_oaep(EVP_PKEY_CTX *ctx, enum transport t)
{
    const EVP_MD *md = t == TRANSPORT_OAEP ? EVP_sha1() : EVP_sha256();
    const EVP_MD *mask = t == TRANSPORT_OAEP_SHA256 ? EVP_sha256() : EVP_sha1();

    need(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1
                 && EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1
                 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mask) == 1
             ? ctx
             : NULL);
}

static void wrap_key(const struct envelope_plan *p, X509 *to, const unsigned char *key,
    size_t key_len, struct str *out)
{
    EVP_PKEY *pkey = X509_get0_pubkey(to);
    EVP_PKEY_CTX *ctx = need(EVP_PKEY_CTX_new(pkey, NULL));
    unsigned char block[1024];
    size_t len = sizeof block, size = (size_t)EVP_PKEY_get_size(pkey);
    bool oaep = p->transport >= TRANSPORT_OAEP && p->transport <= TRANSPORT_OAEP_MIXED;
    unsigned char raw[1024] = { 0, 1 }; /* block type 1 where 2 belongs */

    need(EVP_PKEY_encrypt_init(ctx) == 1 ? ctx : NULL);
    if ((p->twist & ENV_BAD_RSA) != 0) {
        random_bytes(raw + 2, size - 2);
        need(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 ? ctx : NULL);
        key = raw;
        key_len = size;
    } else if (oaep) {
        set_oaep(ctx, p->transport);
    }
    need(EVP_PKEY_encrypt(ctx, block, &len, key, key_len) == 1 ? ctx : NULL);
    if ((p->twist & ENV_ZERO_RSA) != 0)
        memset(block, 0, len);
    if ((p->twist & ENV_BIG_RSA) != 0)
        memset(block, 0xff, len);
    if ((p->twist & ENV_SHORT_RSA) != 0)
        len--;
    der_put(out, 4, block, len);
    EVP_PKEY_CTX_free(ctx);
}

static void transport_algorithm(enum transport t, struct str *out)
{
    static const char sha256[] = "300d06096086480165030402010500";
    struct str hex = { 0 };

    switch (t) {
    case TRANSPORT_PKCS1:
        der_algorithm(out, "1.2.840.113549.1.1.1", true);
        break;
    case TRANSPORT_OAEP:
        der_hex(out, "300d 06092a864886f70d010107 3000");
        break;
    case TRANSPORT_OAEP_SHA256:
        str_f(&hex, "303c 06092a864886f70d010107 302f a00f%s a11c301a06092a864886f70d010108%s",
            sha256, sha256);
        break;
    case TRANSPORT_OAEP_MIXED:
        str_f(&hex, "301e 06092a864886f70d010107 3011 a00f%s", sha256);
        break;
    default:
        der_algorithm(out, "1.3.6.1.4.1.99999.2", true);
    }
    der_hex(out, str_text(&hex));
    str_free(&hex);
}

static void name_recipient(const struct envelope_plan *p, X509 *to, struct str *out)
{
    size_t at = out->len;
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(to);

    if ((p->twist & ENV_KEY_ID) != 0 && id != NULL) {
        der_put(out, 0x80, ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id));
        return;
    }
    der_name(out, X509_get_issuer_name(to));
    if ((p->twist & ENV_OTHER_SERIAL) != 0)
        der_int(out, 4711);
    else
        der_serial(out, to);
    der_close(out, at, 0x30);
}

static void recipient(const struct envelope_plan *p, X509 *to, const unsigned char *key,
    size_t key_len, struct str *out)
{
    size_t at = out->len;

    der_int(out, (p->twist & ENV_KEY_ID) != 0 ? 2 : 0);
    name_recipient(p, to, out);
    transport_algorithm(p->transport, out);
    wrap_key(p, to, key, key_len, out);
    der_close(out, at, 0x30);
}

/* Shapes of the other kinds of recipients, with nothing of meaning in them. */
static void kari(struct str *out)
{
    size_t at = out->len, from;

    der_int(out, 3);
    from = out->len;
    der_algorithm(out, "1.2.840.10045.2.1", false);
    der_hex(out, "0305 0004010203");
    der_close(out, from, 0xa1); /* originatorKey */
    der_close(out, from, 0xa0);
    from = out->len;
    der_oid(out, "1.3.132.1.11.1");
    der_algorithm(out, "2.16.840.1.101.3.4.1.5", false);
    der_close(out, from, 0x30);
    from = out->len;
    der_put(out, 4, "\1\2\3\4", 4);
    der_close(out, from, 0xa0); /* rKeyId */
    der_put(out, 4, "\1\2\3\4\5\6\7\10", 8);
    der_close(out, from, 0x30);
    der_close(out, from, 0x30);
    der_close(out, at, 0xa1);
}

static void kekri(struct str *out)
{
    size_t at = out->len;

    der_int(out, 4);
    der_hex(out, "3006 040401020304");
    der_algorithm(out, "2.16.840.1.101.3.4.1.5", false);
    der_put(out, 4, "\1\2\3\4\5\6\7\10", 8);
    der_close(out, at, 0xa2);
}

/* With the challenge as password, as RFC 8894 3.1 would have it for keys that only sign. */
static void pwri(struct str *out)
{
    size_t at = out->len, from;

    der_int(out, 0);
    from = out->len;
    der_oid(out, "1.2.840.113549.1.9.16.3.9");
    der_algorithm(out, "2.16.840.1.101.3.4.1.5", false);
    der_close(out, from, 0x30);
    der_put(out, 4, "\1\2\3\4\5\6\7\10", 8);
    der_close(out, at, 0xa3);
}

static void ori(struct str *out)
{
    size_t at = out->len;

    der_oid(out, "1.3.6.1.4.1.99999.3");
    der_null(out);
    der_close(out, at, 0xa4);
}

static void other_recipients(unsigned twist, struct str *out)
{
    if ((twist & ENV_KARI) != 0)
        kari(out);
    if ((twist & ENV_KEKRI) != 0)
        kekri(out);
    if ((twist & ENV_PWRI) != 0)
        pwri(out);
    if ((twist & ENV_ORI) != 0)
        ori(out);
}

static void recipients(
    const struct envelope_plan *p, const unsigned char *key, size_t key_len, struct str *out)
{
    size_t at = out->len;
    bool other = (p->twist & (ENV_KARI | ENV_PWRI | ENV_KEKRI | ENV_ORI)) != 0;

    if (other)
        other_recipients(p->twist, out);
    else if ((p->twist & ENV_NO_RECIPIENT) == 0)
        recipient(p, p->recipient, key, key_len, out);
    if ((p->twist & ENV_TWO_RECIPIENTS) != 0)
        recipient(p, other ? p->recipient : p->second, key, key_len, out);
    if (p->ber)
        der_close_open(out, at, 0x31);
    else
        der_close(out, at, 0x31);
}

/* ---- content ---- */

static void close_as(const struct envelope_plan *p, struct str *out, size_t at, unsigned tag)
{
    if (p->ber)
        der_close_open(out, at, tag);
    else
        der_close(out, at, tag);
}

static void content_algorithm(
    const struct envelope_plan *p, const unsigned char *iv, struct str *out)
{
    size_t at = out->len, iv_len = ciphers[p->cipher].iv;
    char huge[16384] = { 0 };

    der_oid(out, ciphers[p->cipher].oid);
    if ((p->twist & ENV_HUGE_IV) != 0)
        der_put(out, 4, huge, sizeof huge);
    else if ((p->twist & ENV_LONG_IV) != 0)
        der_put(out, 4, huge, iv_len + 16);
    else if (p->cipher == CIPHER_RC2)
        der_hex(out, "300d 02013a 04080102030405060708");
    else if (p->cipher == CIPHER_GCM)
        der_hex(out, "3011 040c000102030405060708090a0b 020110");
    else if ((p->twist & ENV_NO_IV) == 0 && iv_len > 0)
        der_put(out, 4, iv, iv_len);
    else
        der_null(out);
    der_close(out, at, 0x30);
}

static void encrypted_content(const struct envelope_plan *p, const struct str *content,
    const unsigned char *key, const unsigned char *iv, struct str *out)
{
    size_t at = out->len, from;
    struct str bytes = { 0 };

    der_oid(out, (p->twist & ENV_INNER_TYPE) != 0 ? "1.2.840.113549.1.7.2" : OID_DATA);
    content_algorithm(p, iv, out);
    encrypt(p, content, key, iv, &bytes);
    if ((p->twist & ENV_EMPTY_CONTENT) != 0)
        str_cut(&bytes, 0);
    from = out->len;
    if ((p->twist & ENV_NO_CONTENT) == 0 && p->ber && p->chunk > 0) {
        for (size_t i = 0; i < bytes.len; i += p->chunk)
            der_put(out, 4, bytes.p + i, bytes.len - i < p->chunk ? bytes.len - i : p->chunk);
        der_close_open(out, from, 0xa0);
    } else if ((p->twist & ENV_NO_CONTENT) == 0) {
        der_put(out, 0x80, str_text(&bytes), bytes.len);
    }
    str_free(&bytes);
    close_as(p, out, at, 0x30);
}

void envelope_write(const struct envelope_plan *p, const struct str *content, struct str *out)
{
    size_t at = out->len, wrapped, inner;
    unsigned char key[48], other[48], iv[32];
    size_t key_len = ciphers[p->cipher].key;
    unsigned version = (p->twist & (ENV_KEY_ID | ENV_UNPROTECTED)) != 0 ? 2 : 0;

    random_bytes(key, sizeof key);
    random_bytes(other, sizeof other);
    random_bytes(iv, sizeof iv);
    der_oid(out, (p->twist & ENV_AUTH) != 0             ? "1.2.840.113549.1.9.16.1.23"
                 : (p->twist & ENV_ENCRYPTED_DATA) != 0 ? "1.2.840.113549.1.7.6"
                                                        : "1.2.840.113549.1.7.3");
    wrapped = inner = out->len;
    der_int(out, (p->twist & ENV_BAD_VERSION) != 0 ? 9 : version);
    if ((p->twist & ENV_ORIGINATOR) != 0)
        der_hex(out, "a002a000");
    if ((p->twist & ENV_ENCRYPTED_DATA) == 0)
        recipients(p, (p->twist & ENV_WRONG_KEY) != 0 ? other : key,
            (p->twist & ENV_SHORT_KEY) != 0 ? key_len - 5 : key_len, out);
    encrypted_content(p, content, key, iv, out);
    if ((p->twist & ENV_AUTH) != 0)
        der_put(out, 4, iv, 16);
    if ((p->twist & ENV_UNPROTECTED) != 0)
        der_hex(out, "a111 300f 06092a864886f70d010902 3102 0500");
    close_as(p, out, inner, 0x30);
    close_as(p, out, wrapped, 0xa0);
    close_as(p, out, at, 0x30);
    if ((p->twist & ENV_TRAILING) != 0)
        str_add(out, "\x05\0", 2);
    if ((p->twist & ENV_CUT) != 0)
        str_cut(out, out->len - 30);
}
