/*
 * scep-responder: the least that answers a SCEP client, to try the devices of this folder without the
 * service they are made for.  It knows no challenge and refuses next to nothing.
 *
 *   scep-responder DIR      (a sandbox's folder: issuing-ca, scep-sign, scep-encrypt); prints its URL
 */
#include "test/scep/envelope.h"
#include "test/scep/identity.h"
#include "test/scep/message.h"
#include <arpa/inet.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct responder {
    X509 *ca, *sign, *encrypt;
    EVP_PKEY *ca_key, *sign_key, *encrypt_key;
};

static bool load(const char *dir, const char *name, X509 **x, EVP_PKEY **key)
{
    struct str path = { 0 };
    bool ok;

    str_f(&path, "%s/%s.pem", dir, name);
    ok = cert_load(path.p, x);
    str_cut(&path, path.len - 3);
    str_puts(&path, "key");
    ok = ok && key_load(path.p, key);
    str_free(&path);
    return ok;
}

/* Certificates in a SignedData that nobody signed. */
static void degenerate(X509 *const *certs, size_t count, struct str *out)
{
    size_t at = out->len, from, body;

    der_oid(out, "1.2.840.113549.1.7.2");
    body = out->len;
    der_int(out, 1);
    der_hex(out, "3100 300b 06092a864886f70d010701");
    from = out->len;
    for (size_t i = 0; i < count; i++)
        der_cert(out, certs[i]);
    der_close(out, from, 0xa0);
    der_hex(out, "3100");
    der_close(out, body, 0x30);
    der_close(out, body, 0xa0);
    der_close(out, at, 0x30);
}

static X509 *issue(const struct responder *s, X509_REQ *req)
{
    struct identity_plan p = {
        .subject = "CN=x", .key = X509_REQ_get0_pubkey(req), .issuer_key = s->ca_key
    };
    X509 *x = identity_make(&p);

    need(X509_set_subject_name(x, X509_REQ_get_subject_name(req)) == 1
                 && X509_set_issuer_name(x, X509_get_subject_name(s->ca)) == 1
                 && X509_sign(x, s->ca_key, EVP_sha256()) > 0
             ? x
             : NULL);
    return x;
}

static void text_attribute(CMS_SignerInfo *si, const char *oid, struct str *out)
{
    ASN1_OBJECT *o = need(OBJ_txt2obj(oid, 1));
    int at = CMS_signed_get_attr_by_OBJ(si, o, -1);
    X509_ATTRIBUTE *a = at < 0 ? NULL : CMS_signed_get_attr(si, at);
    ASN1_TYPE *t = a == NULL ? NULL : X509_ATTRIBUTE_get0_type(a, 0);

    str_add(out, "", 0);
    if (t != NULL && (t->type == V_ASN1_PRINTABLESTRING || t->type == V_ASN1_OCTET_STRING))
        str_add(out, ASN1_STRING_get0_data(t->value.asn1_string),
            (size_t)ASN1_STRING_length(t->value.asn1_string));
    ASN1_OBJECT_free(o);
}

static X509 *answer_to(const struct responder *s, BIO *envelope)
{
    CMS_ContentInfo *env = d2i_CMS_bio(envelope, NULL);
    BIO *plain = need(BIO_new(BIO_s_mem()));
    X509_REQ *req = NULL;
    X509 *x = NULL;

    if (env != NULL && CMS_decrypt(env, s->encrypt_key, s->encrypt, NULL, plain, CMS_BINARY) == 1)
        req = d2i_X509_REQ_bio(plain, NULL);
    if (req != NULL && X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1)
        x = issue(s, req);
    else
        fprintf(stderr, "scep-responder: %s\n", ERR_reason_error_string(ERR_peek_last_error()));
    ERR_clear_error();
    X509_REQ_free(req);
    CMS_ContentInfo_free(env);
    BIO_free(plain);
    return x;
}

static bool operation(const struct responder *s, const struct str *der, struct str *out)
{
    const unsigned char *p = (const unsigned char *)str_text(der);
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)der->len);
    BIO *content = need(BIO_new(BIO_s_mem()));
    CMS_SignerInfo *si;
    X509 *signer = NULL, *x;
    struct str id = { 0 }, nonce = { 0 }, p7 = { 0 }, env = { 0 };
    unsigned char fresh[16];
    bool ok =
        cms != NULL
        && CMS_verify(cms, NULL, NULL, NULL, content, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1;

    if (ok) {
        si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
        CMS_SignerInfo_get0_algs(si, NULL, &signer, NULL, NULL);
        text_attribute(si, "2.16.840.1.113733.1.9.7", &id);
        text_attribute(si, "2.16.840.1.113733.1.9.5", &nonce);
        x = answer_to(s, content);
        need(RAND_bytes(fresh, sizeof fresh) == 1 ? out : NULL);
        if (x != NULL) {
            degenerate(&x, 1, &p7);
            envelope_write(&(struct envelope_plan){ .recipient = signer }, &p7, &env);
        }
        message_write(&(struct message_plan){ .signer = s->sign,
                          .key = s->sign_key,
                          .type = "3",
                          .status = x != NULL ? "0" : "2",
                          .fail = x != NULL ? NULL : "2",
                          .transaction = id.p,
                          .nonce = fresh,
                          .nonce_len = 16,
                          .recipient_nonce = &nonce,
                          .twist = x != NULL ? 0 : MSG_NO_CONTENT },
            &env, out);
        X509_free(x);
    } else {
        fprintf(stderr, "scep-responder: %s\n", ERR_reason_error_string(ERR_peek_last_error()));
    }
    ERR_clear_error();
    CMS_ContentInfo_free(cms);
    BIO_free(content);
    str_free(&id);
    str_free(&nonce);
    str_free(&p7);
    str_free(&env);
    return ok;
}

/* ---- HTTP ---- */

static void reply(int fd, const char *type, const struct str *body)
{
    struct str out = { 0 };

    str_f(&out,
        "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
        type == NULL ? "400 Bad Request" : "200 OK", type == NULL ? "text/plain" : type, body->len);
    str_add(&out, str_text(body), body->len);
    for (size_t at = 0; at < out.len;) {
        ssize_t n = send(fd, out.p + at, out.len - at, MSG_NOSIGNAL);

        if (n <= 0)
            break;
        at += (size_t)n;
    }
    str_free(&out);
}

/* Escapes and line ends away, then base64. */
static void message_of(const char *query, struct str *out)
{
    const char *p = strstr(query, "message=");
    struct str text = { 0 };

    for (p = p == NULL ? "" : p + 8; *p != '\0' && *p != '&' && *p != ' '; p++) {
        char two[3] = { p[1], p[1] == '\0' ? '\0' : p[2], '\0' }, c = *p;

        if (c == '%') {
            c = (char)strtoul(two, NULL, 16);
            p += 2;
        }
        str_add(&text, &(char){ c == '-' ? '+' : c == '_' ? '/' : c }, 1);
    }
    if (!b64_read(str_text(&text), text.len, out))
        str_cut(out, 0);
    str_free(&text);
}

static void serve(const struct responder *s, int fd, struct str *request)
{
    char *head_end = strstr(request->p, "\r\n\r\n"), *line_end = strstr(request->p, "\r\n");
    struct str body = { 0 }, out = { 0 };

    *line_end = '\0';
    if (strstr(request->p, "GetCACaps") != NULL) {
        str_puts(
            &out, "AES\nPOSTPKIOperation\nRenewal\nSHA-512\nSHA-256\nSHA-1\nDES3\nSCEPStandard\n");
        reply(fd, "text/plain", &out);
    } else if (strstr(request->p, "GetCACert") != NULL) {
        degenerate((X509 *const[]){ s->sign, s->encrypt, s->ca }, 3, &out);
        reply(fd, "application/x-x509-ca-ra-cert", &out);
    } else {
        if (strncmp(request->p, "POST", 4) == 0)
            str_add(&body, head_end + 4, request->len - (size_t)(head_end + 4 - request->p));
        else
            message_of(request->p, &body);
        reply(fd, operation(s, &body, &out) ? "application/x-pki-message" : NULL, &out);
    }
    str_free(&body);
    str_free(&out);
}

static bool whole(const struct str *s)
{
    const char *end = s->len == 0 ? NULL : strstr(s->p, "\r\n\r\n");
    const char *length = end == NULL ? NULL : strcasestr(s->p, "\r\nContent-Length:");

    return end != NULL
           && (length == NULL || length > end
               || s->len - (size_t)(end + 4 - s->p) >= strtoul(length + 17, NULL, 10));
}

int main(int argc, char **argv)
{
    struct responder s;
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (argc != 2 || !load(argv[1], "issuing-ca", &s.ca, &s.ca_key)
        || !load(argv[1], "scep-sign", &s.sign, &s.sign_key)
        || !load(argv[1], "scep-encrypt", &s.encrypt, &s.encrypt_key) || fd < 0
        || bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, 16) != 0
        || getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        fprintf(stderr, "usage: scep-responder DIR\n");
        return 1;
    }
    printf("http://127.0.0.1:%u/certsrv/mscep/mscep.dll\n", ntohs(at.sin_port));
    fflush(stdout);
    for (int c; (c = accept(fd, NULL, NULL)) >= 0; close(c)) {
        struct str request = { 0 };
        char block[8192];
        ssize_t n;

        if (fork() > 0) /* a child for each: it may die of what it gets */
            continue;
        while (!whole(&request) && (n = recv(c, block, sizeof block, 0)) > 0)
            str_add(&request, block, (size_t)n);
        if (whole(&request))
            serve(&s, c, &request);
        _exit(0);
    }
    return 0;
}
