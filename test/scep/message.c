/* see message.h */
#include "test/scep/message.h"
#include "test/scep/pkcs10.h"
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OID_DATA     "1.2.840.113549.1.7.1"
#define OID_VERISIGN "2.16.840.1.113733.1.9."
#define OID_CTYPE    "1.2.840.113549.1.9.3"
#define OID_DIGEST   "1.2.840.113549.1.9.4"
#define OID_TIME     "1.2.840.113549.1.9.5"
#define TYPE         OID_VERISIGN "2"
#define NONCE        OID_VERISIGN "5"
#define TRANSACTION  OID_VERISIGN "7"

enum { ATTRIBUTES = 12 };

static bool has(const struct message_plan *p, enum message_twist t)
{
    return (p->twist & (unsigned)t) != 0;
}

static const EVP_MD *md_of(const struct message_plan *p)
{
    return p->md == NULL ? EVP_sha256() : p->md;
}

static const char *digest_oid(const EVP_MD *md)
{
    switch (EVP_MD_get_type(md)) {
    case NID_md5:
        return "1.2.840.113549.2.5";
    case NID_sha1:
        return "1.3.14.3.2.26";
    case NID_sha384:
        return "2.16.840.1.101.3.4.2.2";
    case NID_sha512:
        return "2.16.840.1.101.3.4.2.3";
    default:
        return "2.16.840.1.101.3.4.2.1";
    }
}

/* ---- attributes ---- */

struct attributes {
    struct str at[ATTRIBUTES];
    size_t count;
};

/* The value is what `value` holds, in full; it is emptied. */
static void add(struct attributes *a, const char *oid, struct str *value)
{
    struct str *out = &a->at[a->count++];

    der_close(value, 0, 0x31);
    der_oid(out, oid);
    str_add(out, value->p, value->len);
    der_close(out, 0, 0x30);
    str_cut(value, 0);
}

static void add_text(struct attributes *a, const char *oid, unsigned tag, const char *text)
{
    struct str value = { 0 };

    der_text(&value, tag, text);
    add(a, oid, &value);
    str_free(&value);
}

static void add_type(struct attributes *a, const struct message_plan *p)
{
    struct str value = { 0 };

    if (has(p, MSG_NO_TYPE))
        return;
    if (has(p, MSG_TYPE_INTEGER))
        der_int(&value, 19);
    else
        der_text(&value, has(p, MSG_TYPE_UTF8) ? TAG_UTF8 : TAG_PRINTABLE, p->type);
    if (has(p, MSG_TYPE_VALUES))
        der_text(&value, TAG_PRINTABLE, "20");
    add(a, TYPE, &value);
    if (has(p, MSG_TYPE_TWICE))
        add_text(a, TYPE, TAG_PRINTABLE, "17");
    str_free(&value);
}

static void add_transaction(struct attributes *a, const struct message_plan *p)
{
    struct str value = { 0 };

    if (has(p, MSG_NO_TRANSACTION))
        return;
    if (has(p, MSG_TRANSACTION_INTEGER)) {
        der_int(&value, 42);
        add(a, TRANSACTION, &value);
    } else {
        add_text(a, TRANSACTION, TAG_PRINTABLE, p->transaction);
    }
    if (has(p, MSG_TRANSACTION_TWICE))
        add_text(a, TRANSACTION, TAG_PRINTABLE, "another");
    str_free(&value);
}

static void add_nonce(struct attributes *a, const struct message_plan *p)
{
    struct str value = { 0 };

    if (has(p, MSG_NO_NONCE))
        return;
    if (has(p, MSG_NONCE_INTEGER))
        der_int(&value, 42);
    else
        der_put(&value, 4, p->nonce, p->nonce_len);
    add(a, NONCE, &value);
    str_free(&value);
}

static void add_reply(struct attributes *a, const struct message_plan *p)
{
    struct str value = { 0 };

    if (p->status != NULL)
        add_text(a, OID_VERISIGN "3", TAG_PRINTABLE, p->status);
    if (p->fail != NULL)
        add_text(a, OID_VERISIGN "4", TAG_PRINTABLE, p->fail);
    if (p->recipient_nonce != NULL) {
        der_str(&value, 4, p->recipient_nonce);
        add(a, OID_VERISIGN "6", &value);
    }
    str_free(&value);
}

static void add_standard(
    struct attributes *a, const struct message_plan *p, const struct str *content)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct str value = { 0 };
    unsigned len = 0;

    if (!has(p, MSG_NO_CONTENT_TYPE)) {
        der_oid(&value, has(p, MSG_CONTENT_TYPE_OTHER) ? "1.2.840.113549.1.7.3" : OID_DATA);
        add(a, OID_CTYPE, &value);
    }
    if (!has(p, MSG_NO_DIGEST)) {
        need(EVP_Digest(str_text(content), content->len, digest, &len, md_of(p), NULL) == 1 ? digest
                                                                                            : NULL);
        if (has(p, MSG_WRONG_DIGEST))
            digest[0] ^= 1;
        der_put(&value, 4, digest, len);
        add(a, OID_DIGEST, &value);
    }
    if (p->signing_time != 0) {
        char text[80];
        time_t t = (time_t)p->signing_time;
        struct tm tm;

        gmtime_r(&t, &tm);
        snprintf(text, sizeof text, "%02d%02d%02d%02d%02d%02dZ", tm.tm_year % 100, tm.tm_mon + 1,
            tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        add_text(a, OID_TIME, 23, text);
    }
    str_free(&value);
}

static int by_bytes(const void *left, const void *right)
{
    const struct str *a = left, *b = right;
    size_t n = a->len < b->len ? a->len : b->len;
    int d = memcmp(a->p, b->p, n);

    return d != 0 ? d : a->len < b->len ? -1 : a->len > b->len;
}

/* The attributes one behind the other, without a tag around them. */
static void attributes(const struct message_plan *p, const struct str *content, struct str *out)
{
    struct attributes a = { .count = 0 };

    add_standard(&a, p, content);
    add_type(&a, p);
    add_nonce(&a, p);
    add_transaction(&a, p);
    add_reply(&a, p);
    qsort(a.at, a.count, sizeof a.at[0], by_bytes);
    for (size_t i = 0; i < a.count; i++) {
        size_t n = has(p, MSG_UNSORTED) ? a.count - 1 - i : i;

        str_add(out, a.at[n].p, a.at[n].len);
    }
    for (size_t i = 0; i < a.count; i++)
        str_free(&a.at[i]);
}

/* ---- the signer ---- */

static void signature_algorithm(const struct message_plan *p, struct str *out)
{
    bool ec = EVP_PKEY_get_base_id(p->key) == EVP_PKEY_EC;
    struct str both = { 0 };

    if (p->style == SIGNATURE_RSA && !ec) {
        der_algorithm(out, "1.2.840.113549.1.1.1", true);
        return;
    }
    /* What pkcs10_sign writes in front of its signature is the algorithm. */
    pkcs10_sign(p->key, md_of(p), p->style == SIGNATURE_PSS, "", 0, false, &both);
    str_add(out, both.p, 2 + (size_t)(unsigned char)both.p[1]);
    str_free(&both);
}

static void name_signer(const struct message_plan *p, struct str *out)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(p->signer);
    size_t at = out->len;

    if (has(p, MSG_KEY_ID) && id != NULL) {
        der_put(out, 0x80, ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id));
        return;
    }
    der_name(out, X509_get_issuer_name(p->signer));
    if (has(p, MSG_OTHER_SERIAL))
        der_int(out, 4711);
    else
        der_serial(out, p->signer);
    der_close(out, at, 0x30);
}

static void sign_over(const struct message_plan *p, const struct str *bytes, struct str *out)
{
    struct str sig = { 0 };

    sign_raw(has(p, MSG_OTHER_KEY) ? p->other_key : p->key, md_of(p), p->style == SIGNATURE_PSS,
        str_text(bytes), bytes->len, &sig);
    if (has(p, MSG_BAD_SIGNATURE))
        sig.p[sig.len / 2] ^= 1;
    der_str(out, 4, &sig);
    str_free(&sig);
}

static void signer(const struct message_plan *p, const struct str *content, struct str *out)
{
    size_t at = out->len;
    struct str attrs = { 0 }, set = { 0 };

    der_int(out, has(p, MSG_KEY_ID) ? 3 : 1);
    name_signer(p, out);
    der_algorithm(out, digest_oid(md_of(p)), true);
    attributes(p, content, &attrs);
    if (has(p, MSG_NO_ATTRIBUTES)) {
        signature_algorithm(p, out);
        sign_over(p, content, out);
    } else {
        der_str(out, 0xa0, &attrs);
        signature_algorithm(p, out);
        der_str(&set, 0x31, &attrs);
        sign_over(p, &set, out);
    }
    str_free(&attrs);
    str_free(&set);
    der_close(out, at, 0x30);
}

/* ---- the whole ---- */

static void close_as(const struct message_plan *p, struct str *out, size_t at, unsigned tag)
{
    if (p->ber)
        der_close_open(out, at, tag);
    else
        der_close(out, at, tag);
}

static void content_info(const struct message_plan *p, const struct str *content, struct str *out)
{
    size_t at = out->len, from;

    der_oid(out, has(p, MSG_CONTENT_OID) ? "1.2.840.113549.1.7.3" : OID_DATA);
    from = out->len;
    if (!has(p, MSG_NO_CONTENT)) {
        der_octets(out, str_text(content), content->len, p->ber ? p->chunk : 0);
        close_as(p, out, from, 0xa0);
    }
    close_as(p, out, at, 0x30);
}

void message_write(const struct message_plan *p, const struct str *content, struct str *out)
{
    static const struct str nothing = { 0 };
    const struct str *c = has(p, MSG_NO_CONTENT) ? &nothing : content;
    size_t at = out->len, whole, body;

    der_oid(out, has(p, MSG_DATA) ? OID_DATA : "1.2.840.113549.1.7.2");
    whole = body = out->len;
    der_int(out, has(p, MSG_CONTENT_OID) || has(p, MSG_KEY_ID) ? 3 : 1);
    whole = out->len;
    if (!has(p, MSG_NO_DIGESTS))
        der_algorithm(out, digest_oid(md_of(p)), true);
    der_close(out, whole, 0x31);
    content_info(p, content, out);
    whole = out->len;
    if (!has(p, MSG_NO_CERTIFICATE)) {
        if (has(p, MSG_TWO_CERTIFICATES))
            der_cert(out, p->other_certificate);
        der_cert(out, p->signer);
        der_close(out, whole, 0xa0);
    }
    whole = out->len;
    if (!has(p, MSG_NO_SIGNER))
        signer(p, c, out);
    if (has(p, MSG_TWO_SIGNERS))
        signer(p, c, out);
    der_close(out, whole, 0x31);
    close_as(p, out, body, 0x30);
    close_as(p, out, body, 0xa0);
    close_as(p, out, at, 0x30);
    if (has(p, MSG_TRAILING))
        str_add(out, "\x05\0", 2);
    if (has(p, MSG_CUT))
        str_cut(out, out->len - 20);
}

void nested_write(unsigned depth, struct str *out)
{
    for (unsigned i = 0; i < depth; i++)
        str_add(out, "\x30\x80", 2);
    for (unsigned i = 0; i < depth; i++)
        str_add(out, "\0\0", 2);
}
