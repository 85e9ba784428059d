/* see pkcs10.h */
#include "test/scep/pkcs10.h"
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#define OID_CHALLENGE  "1.2.840.113549.1.9.7"
#define OID_EXTENSIONS "1.2.840.113549.1.9.14"
#define OID_MS_EXTS    "1.3.6.1.4.1.311.2.1.14"
#define OID_UPN        "1.3.6.1.4.1.311.20.2.3"

void text_write(const char *text, unsigned tag, struct str *out)
{
    size_t at = out->len, width = tag == TAG_BMP ? 2 : tag == TAG_UNIVERSAL ? 4 : 1;

    for (; *text != '\0'; text++) {
        str_add(out, "\0\0\0", width - 1);
        str_add(out, text, 1);
    }
    der_close(out, at, tag);
}

static const char *type_oid(const char *name, size_t len)
{
    static const char *const types[][2] = { { "CN", "2.5.4.3" }, { "O", "2.5.4.10" },
        { "OU", "2.5.4.11" }, { "C", "2.5.4.6" }, { "serialNumber", "2.5.4.5" },
        { "L", "2.5.4.7" } };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strlen(types[i][0]) == len && strncmp(types[i][0], name, len) == 0)
            return types[i][1];
    }
    return "2.5.4.13";
}

void name_write(const char *text, unsigned tag, bool nul, struct str *out)
{
    size_t at = out->len, set = at;

    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, ",+"), type = strcspn(text, "="), one = out->len;
        char *value = need(strndup(text + type + 1, len - type - 1));

        der_oid(out, type_oid(text, type));
        if (nul && strncmp(text, "CN=", 3) == 0) {
            size_t v = out->len;

            str_add(out, value, strlen(value) + 1);
            str_puts(out, ".contoso.example");
            der_close(out, v, TAG_UTF8);
        } else {
            text_write(value, tag == 0 ? TAG_UTF8 : tag, out);
        }
        der_close(out, one, 0x30);
        free(value);
        if (text[len] != '+') {
            der_close(out, set, 0x31);
            set = out->len;
        }
        text += len + (text[len] != '\0');
    }
    der_close(out, at, 0x30);
}

/* ---- extensions ---- */

static void extension(struct str *out, const char *oid, bool critical, const struct str *value)
{
    size_t at = out->len;

    der_oid(out, oid);
    if (critical)
        der_put(out, 1, "\xff", 1);
    der_str(out, 4, value);
    der_close(out, at, 0x30);
}

static void add_hex(struct str *out, const struct pkcs10_extra *e)
{
    struct str value = { 0 };

    der_hex(&value, e->hex);
    extension(out, e->oid, e->critical, &value);
    str_free(&value);
}

static void one_san(struct str *out, const char *san)
{
    static const struct {
        const char *prefix;
        unsigned tag;
    } kinds[] = { { "email:", 0x81 }, { "dns:", 0x82 }, { "uri:", 0x86 } };
    size_t at = out->len;

    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(kinds[i].prefix);

        if (strncmp(san, kinds[i].prefix, len) == 0)
            der_text(out, kinds[i].tag, san + len);
    }
    if (strncmp(san, "ip:", 3) == 0) {
        der_hex(out, san + 3);
        der_close(out, at, 0x87);
    } else if (strncmp(san, "raw:", 4) == 0) {
        der_hex(out, san + 4);
    } else if (strncmp(san, "upn:", 4) == 0) {
        size_t value;

        der_oid(out, OID_UPN);
        value = out->len;
        der_text(out, 12, san + 4);
        der_close(out, value, 0xa0);
        der_close(out, at, 0xa0);
    }
}

static void sans(struct str *out, const struct pkcs10_plan *p)
{
    struct str value = { 0 };
    char host[48];

    for (size_t i = 0; i < PKCS10_LIST && p->san[i] != NULL; i++)
        one_san(&value, p->san[i]);
    for (unsigned i = 0; i < p->many_sans; i++) {
        struct str s = { 0 };

        str_f(&s, "dns:h%u.contoso.example", i);
        copy_n(host, sizeof host, s.p);
        str_free(&s);
        one_san(&value, host);
    }
    der_close(&value, 0, 0x30);
    if (value.len > 2)
        extension(out, "2.5.29.17", false, &value);
    str_free(&value);
}

static void key_usage(struct str *out, unsigned bits)
{
    unsigned char b[3] = { 0, 0, 0 };
    struct str value = { 0 };
    unsigned last = 0;

    for (unsigned i = 0; i < 9; i++) {
        if ((bits >> i & 1) != 0) {
            b[1 + i / 8] |= (unsigned char)(0x80 >> i % 8);
            last = i;
        }
    }
    b[0] = (unsigned char)(7 - last % 8);
    der_put(&value, 3, b, last < 8 ? 2 : 3);
    extension(out, "2.5.29.15", true, &value);
    str_free(&value);
}

static void ekus(struct str *out, const struct pkcs10_plan *p)
{
    struct str value = { 0 };

    for (size_t i = 0; i < PKCS10_LIST && p->eku[i] != NULL; i++)
        der_oid(&value, p->eku[i]);
    der_close(&value, 0, 0x30);
    if (value.len > 2)
        extension(out, "2.5.29.37", false, &value);
    str_free(&value);
}

static void extensions(struct str *out, const struct pkcs10_plan *p)
{
    size_t at = out->len;

    if (p->key_usage != 0)
        key_usage(out, p->key_usage);
    if ((p->twist & P10_EXTENSION_TWICE) != 0)
        key_usage(out, p->key_usage);
    ekus(out, p);
    sans(out, p);
    if (p->ca_true)
        extension(out, "2.5.29.19", true, &(struct str){ .p = "\x30\x03\x01\x01\xff", .len = 5 });
    for (size_t i = 0; i < 3 && p->extension[i].oid != NULL; i++)
        add_hex(out, &p->extension[i]);
    der_close(out, at, 0x30);
}

/* ---- attributes ---- */

struct attributes {
    struct str at[12];
    size_t count;
};

static struct str *attribute(struct attributes *a, const char *oid)
{
    struct str *out = &a->at[a->count++];

    der_oid(out, oid);
    return out;
}

/* The values are everything behind the OID. */
static void attribute_end(struct str *out)
{
    size_t oid = 2 + (size_t)(unsigned char)out->p[1];

    der_close(out, oid, 0x31);
    der_close(out, 0, 0x30);
}

static void challenge(struct attributes *a, const struct pkcs10_plan *p)
{
    struct str *out = attribute(a, OID_CHALLENGE);
    unsigned tag = p->challenge_tag == 0 ? TAG_PRINTABLE : p->challenge_tag;
    size_t at = out->len;

    if ((p->twist & P10_CHALLENGE_EMPTY) != 0) {
        der_put(out, tag, "", 0);
    } else if ((p->twist & P10_CHALLENGE_NUL) != 0) {
        str_add(out, p->challenge, strlen(p->challenge) + 1);
        str_puts(out, "x");
        der_close(out, at, TAG_UTF8);
    } else {
        text_write(p->challenge, tag, out);
    }
    if ((p->twist & P10_CHALLENGE_VALUES) != 0)
        text_write("another", tag, out);
    attribute_end(out);
}

static void extension_request(struct attributes *a, const struct pkcs10_plan *p, const char *oid)
{
    struct str *out = attribute(a, oid);

    extensions(out, p);
    attribute_end(out);
}

static void padding(struct attributes *a, size_t len)
{
    struct str *out = attribute(a, "1.3.6.1.4.1.311.13.2.3");
    size_t at = out->len;

    for (size_t i = 0; i < len; i++)
        str_add(out, "x", 1);
    der_close(out, at, TAG_IA5);
    attribute_end(out);
}

static int by_bytes(const void *left, const void *right)
{
    const struct str *a = left, *b = right;
    size_t n = a->len < b->len ? a->len : b->len;
    int d = memcmp(a->p, b->p, n);

    return d != 0 ? d : a->len < b->len ? -1 : a->len > b->len;
}

static void attributes(struct str *out, const struct pkcs10_plan *p)
{
    struct attributes a = { .count = 0 };
    size_t at = out->len;
    bool ms = (p->twist & P10_EXTENSIONS_MS) != 0;

    extension_request(&a, p, ms ? OID_MS_EXTS : OID_EXTENSIONS);
    if ((p->twist & P10_EXTENSIONS_TWICE) != 0)
        extension_request(&a, p, OID_EXTENSIONS);
    if ((p->twist & P10_EXTENSIONS_BOTH) != 0)
        extension_request(&a, p, OID_MS_EXTS);
    if (p->challenge != NULL)
        challenge(&a, p);
    if ((p->twist & P10_CHALLENGE_TWICE) != 0)
        challenge(&a, p);
    for (size_t i = 0; i < 3 && p->attribute[i].oid != NULL; i++) {
        struct str *one = attribute(&a, p->attribute[i].oid);

        der_hex(one, p->attribute[i].hex);
        attribute_end(one);
    }
    if (p->padding > 0)
        padding(&a, p->padding);
    qsort(a.at, a.count, sizeof a.at[0], by_bytes);
    for (size_t i = 0; i < a.count; i++) {
        size_t n = (p->twist & P10_UNSORTED) != 0 ? a.count - 1 - i : i;

        str_add(out, a.at[n].p, a.at[n].len);
    }
    for (size_t i = 0; i < a.count; i++)
        str_free(&a.at[i]);
    der_close(out, at, 0xa0);
}

/* ---- the whole ---- */

void sign_raw(
    EVP_PKEY *key, const EVP_MD *md, bool pss, const void *bytes, size_t len, struct str *out)
{
    EVP_MD_CTX *ctx = need(EVP_MD_CTX_new());
    EVP_PKEY_CTX *pkey = NULL;
    unsigned char *sig = NULL;
    size_t sig_len = 0;
    bool ok = EVP_DigestSignInit(ctx, &pkey, md, NULL, key) == 1
              && (!pss
                  || (EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING) == 1
                      && EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, RSA_PSS_SALTLEN_DIGEST) == 1))
              && EVP_DigestSign(ctx, NULL, &sig_len, bytes, len) == 1;

    sig = need(malloc(sig_len == 0 ? 1 : sig_len));
    need(ok && EVP_DigestSign(ctx, sig, &sig_len, bytes, len) == 1 ? sig : NULL);
    str_add(out, sig, sig_len);
    free(sig);
    EVP_MD_CTX_free(ctx);
}

static const char *signature_oid(EVP_PKEY *key, const EVP_MD *md)
{
    bool ec = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC;

    switch (EVP_MD_get_type(md)) {
    case NID_md5:
        return "1.2.840.113549.1.1.4";
    case NID_sha1:
        return ec ? "1.2.840.10045.4.1" : "1.2.840.113549.1.1.5";
    case NID_sha384:
        return ec ? "1.2.840.10045.4.3.3" : "1.2.840.113549.1.1.12";
    case NID_sha512:
        return ec ? "1.2.840.10045.4.3.4" : "1.2.840.113549.1.1.13";
    default:
        return ec ? "1.2.840.10045.4.3.2" : "1.2.840.113549.1.1.11";
    }
}

void pkcs10_sign(EVP_PKEY *key, const EVP_MD *md, bool pss, const void *bytes, size_t len,
    bool spoil, struct str *out)
{
    struct str sig = { 0 };
    size_t at;

    sign_raw(key, md, pss, bytes, len, &sig);
    if (spoil)
        sig.p[sig.len / 2] ^= 1;
    if (pss) /* id-RSASSA-PSS, SHA-256, MGF1 with SHA-256, salt 32 */
        der_hex(out, "3041 06092a864886f70d01010a 3034 a00f300d06096086480165030402010500"
                     "a11c301a06092a864886f70d010108300d06096086480165030402010500 a203020120");
    else
        der_algorithm(out, signature_oid(key, md), EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA);
    at = out->len;
    str_add(out, "\0", 1);
    str_add(out, sig.p, sig.len);
    der_close(out, at, 3);
    str_free(&sig);
}

void pkcs10_write(const struct pkcs10_plan *p, struct str *out)
{
    size_t at = out->len;
    struct str info = { 0 };
    const EVP_MD *md = p->md == NULL ? EVP_sha256() : p->md;
    EVP_PKEY *signer = (p->twist & P10_OTHER_KEY) != 0 ? p->other : p->key;

    der_int(&info, (p->twist & P10_VERSION_2) != 0 ? 2 : 0);
    name_write(p->subject, p->name_tag, (p->twist & P10_SUBJECT_NUL) != 0, &info);
    der_spki(&info, p->key);
    if ((p->twist & P10_NO_ATTRIBUTES) == 0)
        attributes(&info, p);
    der_close(&info, 0, 0x30);
    str_add(out, info.p, info.len);
    pkcs10_sign(signer, md, p->pss, info.p, info.len, (p->twist & P10_BAD_SIGNATURE) != 0, out);
    str_free(&info);
    der_close(out, at, 0x30);
    if ((p->twist & P10_TRAILING) != 0)
        str_add(out, "\x05\0", 2);
    if ((p->twist & P10_CUT) != 0)
        str_cut(out, out->len - 40);
}
