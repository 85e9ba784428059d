/* see temper.h */
#include "test/scep/temper.h"
#include "test/scep/identity.h"
#include "test/scep/pkcs10.h"
#include <openssl/bn.h>
#include <stdlib.h>
#include <string.h>

static const struct temper tempers[] = {
    { .name = "apple",
        .message = "SCEP%20Authority",
        .agent = "profiled/1.0",
        .content_type = "application/x-pki-message",
        .ca_first = true,
        .url = URL_RAW,
        .ber = true,
        .chunk = 1024,
        .cipher = CIPHER_AES128,
        .old_cipher = CIPHER_DES3,
        .hashes = { "SHA-512", "SHA-256", "SHA-1" },
        .nonce_len = 16,
        .id = ID_SHA1_UPPER,
        .signer = "uuid",
        .challenge_tag = TAG_PRINTABLE,
        .renewal = "19",
        .exact_types = true },
    { .name = "windows",
        .suffix = "/pkiclient.exe",
        .message = "default",
        .agent = "Mozilla/4.0 (compatible; Win32; NDES client 10.0.26100.1/SCEP)",
        .content_type = "application/x-pki-message",
        .cipher = CIPHER_AES128,
        .old_cipher = CIPHER_DES3,
        .hashes = { "SHA-256", "SHA-1", "SHA-512" },
        .transport = TRANSPORT_OAEP,
        .nonce_len = 16,
        .id = ID_MD5_UPPER,
        .signer = "CN=SCEP Protocol Certificate",
        .signer_sha1 = true,
        .critical_aki = true,
        .signing_time = true,
        .challenge_tag = TAG_PRINTABLE,
        .renewal = "17" },
    { .name = "android",
        .message = "ca",
        .agent = "Java/17",
        .content_type = "application/octet-stream",
        .url = URL_BARE,
        .ber = true,
        .chunk = 1000,
        .cipher = CIPHER_AES128,
        .old_cipher = CIPHER_DES3,
        .hashes = { "SHA-512", "SHA-256", "SHA-1" },
        .style = SIGNATURE_SHA_RSA,
        .nonce_len = 16,
        .id = ID_SHA1_LOWER,
        .signing_time = true,
        .challenge_tag = TAG_PRINTABLE,
        .renewal = "19",
        .exact_types = true },
    { .name = "cisco",
        .suffix = "/pkiclient.exe",
        .message = "cisco-router",
        .agent = "Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)",
        .ca_first = true,
        .get = true,
        .url = URL_LINES,
        .http10 = true,
        .no_host = true,
        .cipher = CIPHER_DES3,
        .old_cipher = CIPHER_DES3,
        .hashes = { "SHA-1", "SHA-256", "SHA-512" },
        .nonce_len = 8,
        .id = ID_MD5_UPPER,
        .challenge_tag = TAG_PRINTABLE,
        .renewal = "19" },
    { .name = "strongswan",
        .agent = NULL,
        .url = URL_LINES,
        .no_host = true,
        .cipher = CIPHER_AES128,
        .old_cipher = CIPHER_DES3,
        .hashes = { "SHA-256", "SHA-1", "SHA-512" },
        .nonce_len = 16,
        .id = ID_SHA1_UPPER,
        .challenge_tag = TAG_PRINTABLE,
        .unsorted = true,
        .renewal = "17" },
    { .name = "mikrotik",
        .agent = "Mikrotik/6.x Fetch",
        .get = true,
        .url = URL_ESCAPED,
        .http10 = true,
        .cipher = CIPHER_AES256,
        .old_cipher = CIPHER_DES3,
        .hashes = { "SHA-256", "SHA-1", "SHA-512" },
        .nonce_len = 8,
        .id = ID_BASE64,
        .challenge_tag = TAG_UTF8,
        .renewal = "19" },
    { .name = "certmonger",
        .message = "0",
        .get = true,
        .url = URL_ESCAPED,
        .cipher = CIPHER_AES256,
        .old_cipher = CIPHER_DES3,
        .hashes = { "SHA-512", "SHA-256", "SHA-1" },
        .nonce_len = 16,
        .id = ID_DECIMAL,
        .challenge_tag = TAG_BMP,
        .renewal = "19",
        .renewal_challenge = true,
        .exact_types = true },
};

const struct temper *temper_find(const char *name)
{
    for (size_t i = 0; i < sizeof tempers / sizeof tempers[0]; i++) {
        if (strcmp(tempers[i].name, name) == 0)
            return &tempers[i];
    }
    return NULL;
}

void temper_names(struct str *out)
{
    for (size_t i = 0; i < sizeof tempers / sizeof tempers[0]; i++)
        str_f(out, "%s%s", i > 0 ? "|" : "", tempers[i].name);
}

static void escape(char c, enum url_style style, struct str *out)
{
    static const struct {
        char c;
        const char *escaped, *lines, *raw, *bare, *safe;
    } rows[] = { { '+', "%2B", "%2B", "+", "+", "-" }, { '/', "%2F", "/", "/", "/", "_" },
        { '=', "%3D", "=", "%3D", "=", "%3D" } };

    for (size_t i = 0; i < 3; i++) {
        if (rows[i].c == c) {
            str_puts(out, style == URL_ESCAPED ? rows[i].escaped
                          : style == URL_LINES ? rows[i].lines
                          : style == URL_RAW   ? rows[i].raw
                          : style == URL_BARE  ? rows[i].bare
                                               : rows[i].safe);
            return;
        }
    }
    str_add(out, &c, 1);
}

void url_base64(enum url_style style, const struct str *bytes, struct str *out)
{
    struct str b64 = { 0 };

    str_b64(&b64, str_text(bytes), bytes->len);
    for (size_t i = 0; i < b64.len; i++) {
        escape(b64.p[i], style, out);
        if (style == URL_LINES && (i % 64 == 63 || i + 1 == b64.len))
            str_puts(out, "%0A");
    }
    str_free(&b64);
}

static void headers(const struct temper *t, const struct target *to, struct str *out)
{
    if (!t->no_host)
        str_f(out, "Host: %s:%u\r\n", to->host, to->port);
    if (t->agent != NULL)
        str_f(out, "User-Agent: %s\r\n", t->agent);
    if (!t->http10)
        str_puts(out, "Connection: close\r\n");
}

void temper_get(const struct temper *t, const struct target *to, const char *query, struct str *out)
{
    str_f(out, "GET %s%s?%s HTTP/1.%d\r\n", to->path, t->suffix == NULL ? "" : t->suffix, query,
        t->http10 ? 0 : 1);
    headers(t, to, out);
    str_puts(out, "\r\n");
}

void temper_post(
    const struct temper *t, const struct target *to, const struct str *message, struct str *out)
{
    str_f(out, "POST %s%s?operation=PKIOperation HTTP/1.%d\r\n", to->path,
        t->suffix == NULL ? "" : t->suffix, t->http10 ? 0 : 1);
    headers(t, to, out);
    if (t->content_type != NULL)
        str_f(out, "Content-Type: %s\r\n", t->content_type);
    str_f(out, "Content-Length: %zu\r\n\r\n", message->len);
    str_add(out, str_text(message), message->len);
}

void temper_operation(const struct temper *t, const struct target *to, bool post,
    const struct str *message, struct str *out)
{
    struct str query = { 0 };

    if (post) {
        temper_post(t, to, message, out);
        return;
    }
    str_puts(&query, "operation=PKIOperation&message=");
    url_base64(t->url, message, &query);
    temper_get(t, to, query.p, out);
    str_free(&query);
}

void temper_transaction(const struct temper *t, EVP_PKEY *key, struct str *out)
{
    struct str spki = { 0 };
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    BIGNUM *n;
    char *decimal;

    der_spki(&spki, key);
    need(EVP_Digest(spki.p, spki.len, digest, &len, EVP_sha256(), NULL) == 1 ? out : NULL);
    switch (t->id) {
    case ID_SHA1_UPPER:
    case ID_SHA1_LOWER:
        hex_digest("SHA1", spki.p, spki.len, t->id == ID_SHA1_UPPER, out);
        break;
    case ID_MD5_UPPER:
        hex_digest("MD5", spki.p, spki.len, true, out);
        break;
    case ID_BASE64:
        str_b64(out, digest, len);
        break;
    case ID_DECIMAL:
        n = need(BN_bin2bn(digest, (int)len, NULL));
        decimal = need(BN_bn2dec(n));
        str_puts(out, decimal);
        OPENSSL_free(decimal);
        BN_free(n);
        break;
    }
    str_free(&spki);
}
