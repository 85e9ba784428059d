/*
 * est_server DIR [--pop|--strict] - an EST server (RFC 7030) on a free port of 127.0.0.1, for est_server.sh.
 *
 * Debian's libest carries the protocol: TLS, HTTP, passwords, base64, PKCS#7, 202.  This file only signs.
 * DIR holds issuing.pem and issuing.key, chain.pem (what /cacerts answers), tls.pem and tls.key, clients.pem
 * (who may show a certificate) and login (user:password); `port` appears there once it listens.
 * --pop: every request must carry the tls-unique of its connection.  --strict: every request must have an
 * attribute that none of ours has.
 *
 * What happens to a request is up to its common name:
 *   wait-...   202 the first time these bytes come, issued after that
 *   fail-...   the signing fails (libest answers 500, whatever its callback says)
 *   drop-...   issued, but without the extensions that were asked for
 * Every decision is a line on standard error.
 */
#include <arpa/inet.h>
#include <est/est.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    FILE_MAX = 1 << 16,
    DAYS = 90,
    DAY_S = 86400,
    EARLIER_S = 300,
    RETRY_S = 60,
    SEEN_MAX = 64,
    SERIAL_LEN = 16
};

static X509 *issuer;
static EVP_PKEY *issuer_key;
static char login[200]; /* user:password */
static struct {
    uint8_t hash[32];
} seen[SEEN_MAX];
static size_t seen_count;

/* A test server that cannot be set up has nothing to say but that. */
static void need(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "est_server: %s\n", what);
    exit(1);
}

/* ---- files of DIR, which is the working folder ---- */

static int load(const char *name, char out[FILE_MAX])
{
    FILE *f = fopen(name, "rb");
    size_t len;

    need(f != NULL, name);
    len = fread(out, 1, FILE_MAX - 1, f);
    need(len > 0 && feof(f) && fclose(f) == 0, name);
    out[len] = '\0';
    return (int)len;
}

static X509 *load_cert(const char *name)
{
    BIO *b = BIO_new_file(name, "r");
    X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);

    need(x != NULL, name);
    BIO_free(b);
    return x;
}

static EVP_PKEY *load_key(const char *name)
{
    BIO *b = BIO_new_file(name, "r");
    EVP_PKEY *k = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);

    need(k != NULL, name);
    BIO_free(b);
    return k;
}

/* ---- signing ---- */

static X509_REQ *parse_request(const unsigned char *base64, int len)
{
    BIO *text = BIO_new_mem_buf(base64, len), *decoder = BIO_new(BIO_f_base64());
    X509_REQ *r;

    BIO_push(decoder, text);
    r = d2i_X509_REQ_bio(decoder, NULL);
    BIO_free_all(decoder);
    return r;
}

static void set_serial(X509 *x)
{
    unsigned char bytes[SERIAL_LEN];
    BIGNUM *n;

    need(RAND_bytes(bytes, sizeof bytes) == 1, "RAND_bytes");
    bytes[0] = (unsigned char)((bytes[0] & 0x3f) | 0x40);
    n = BN_bin2bn(bytes, sizeof bytes, NULL);
    (void)BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
}

static void copy_extensions(X509 *x, X509_REQ *r)
{
    STACK_OF(X509_EXTENSION) *asked = X509_REQ_get_extensions(r);

    for (int i = 0; i < sk_X509_EXTENSION_num(asked); i++)
        (void)X509_add_ext(x, sk_X509_EXTENSION_value(asked, i), -1);
    sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
}

static X509 *sign(X509_REQ *r, bool with_extensions)
{
    X509 *x = X509_new();
    X509_EXTENSION *aki;
    X509V3_CTX v3;

    (void)X509_set_version(x, X509_VERSION_3);
    set_serial(x);
    (void)X509_set_issuer_name(x, X509_get_subject_name(issuer));
    (void)X509_set_subject_name(x, X509_REQ_get_subject_name(r));
    (void)X509_set_pubkey(x, X509_REQ_get0_pubkey(r));
    (void)X509_gmtime_adj(X509_getm_notBefore(x), -EARLIER_S);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), (long)DAYS * DAY_S);
    if (with_extensions)
        copy_extensions(x, r);
    X509V3_set_ctx(&v3, issuer, x, NULL, NULL, 0);
    aki = X509V3_EXT_conf_nid(NULL, &v3, NID_authority_key_identifier, "keyid");
    need(aki != NULL && X509_add_ext(x, aki, -1) == 1 && X509_sign(x, issuer_key, EVP_sha256()) > 0,
        "X509_sign");
    X509_EXTENSION_free(aki);
    return x;
}

/* A certs-only SignedData in base64, as libest wants it from its callback; it frees `out`. */
static void answer_with(X509 *x, unsigned char **out, int *out_len)
{
    PKCS7 *p7 = PKCS7_new();
    BIO *text = BIO_new(BIO_s_mem()), *encoder = BIO_new(BIO_f_base64());
    char *p;
    long len;

    need(PKCS7_set_type(p7, NID_pkcs7_signed) == 1 && PKCS7_content_new(p7, NID_pkcs7_data) == 1
             && PKCS7_add_certificate(p7, x) == 1,
        "PKCS7");
    ASN1_TYPE_free(p7->d.sign->contents->d.other); /* nothing is signed, so there is no content */
    p7->d.sign->contents->d.other = NULL;
    BIO_push(encoder, text);
    need(i2d_PKCS7_bio(encoder, p7) == 1 && BIO_flush(encoder) == 1, "PKCS7 in base64");
    len = BIO_get_mem_data(text, &p);
    need((*out = malloc((size_t)len)) != NULL, "memory");
    memcpy(*out, p, (size_t)len);
    *out_len = (int)len;
    BIO_free_all(encoder);
    PKCS7_free(p7);
}

/* ---- callbacks of libest ---- */

/* Have these very bytes been here before?  EST's only name for a pending request is the request. */
static bool came_before(const unsigned char *request, int len)
{
    uint8_t hash[32];

    need(EVP_Digest(request, (size_t)len, hash, NULL, EVP_sha256(), NULL) == 1, "EVP_Digest");
    for (size_t i = 0; i < seen_count; i++)
        if (memcmp(seen[i].hash, hash, sizeof hash) == 0)
            return true;
    need(seen_count < SEEN_MAX, "too many waiting requests for this test");
    memcpy(seen[seen_count++].hash, hash, sizeof hash);
    return false;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static int on_enroll(unsigned char *request, int len, unsigned char **out, int *out_len, char *user,
    X509 *peer, char *label, void *arg)
{
    X509_REQ *r = parse_request(request, len);
    const char *did = "issued";
    char cn[128] = "";
    int rc = EST_ERR_NONE;
    X509 *x;

    (void)label;
    (void)arg;
    if (r == NULL)
        return EST_ERR_BAD_PKCS10;
    (void)X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(r), NID_commonName, cn, sizeof cn);
    if (begins(cn, "fail-")) {
        rc = EST_ERR_AUTH_FAIL;
        did = "failed";
    } else if (begins(cn, "wait-") && !came_before(request, len)) {
        rc = EST_ERR_CA_ENROLL_RETRY;
        did = "waits";
    } else {
        x = sign(r, !begins(cn, "drop-"));
        answer_with(x, out, out_len);
        X509_free(x);
    }
    (void)fprintf(stderr, "%s: %s, user %s, certificate %s\n", cn, did,
        user != NULL && *user != '\0' ? user : "none", peer != NULL ? "shown" : "none");
    X509_REQ_free(r);
    return rc;
}

static int on_login(EST_CTX *ctx, EST_HTTP_AUTH_HDR *h, X509 *peer, char *label, void *arg)
{
    char got[sizeof login];
    bool ok;

    (void)ctx;
    (void)peer;
    (void)label;
    (void)arg;
    if (h->mode != AUTH_BASIC || h->user == NULL || h->pwd == NULL)
        return 0;
    (void)snprintf(got, sizeof got, "%s:%s", h->user, h->pwd);
    ok = strlen(got) == strlen(login) && CRYPTO_memcmp(got, login, strlen(login)) == 0;
    OPENSSL_cleanse(got, sizeof got);
    if (!ok)
        (void)fprintf(stderr, "wrong password for user %s\n", h->user);
    return ok;
}

/* ---- the server ---- */

static int listen_somewhere(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FILE *f;

    need(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 64) == 0
             && getsockname(fd, (struct sockaddr *)&at, &len) == 0,
        "a port to listen on");
    f = fopen("port.new", "w");
    need(f != NULL && fprintf(f, "%u\n", (unsigned)ntohs(at.sin_port)) > 0 && fclose(f) == 0
             && rename("port.new", "port") == 0,
        "port");
    return fd;
}

/* What a request must have, as SEQUENCE OF OID in base64: macAddress of RFC 7030 4.5.2. */
static unsigned char *on_attributes(int *len, char *label, X509 *peer, void *arg)
{
    static const char wanted[] = "MAkGBysGAQEBARY=";

    (void)label;
    (void)peer;
    (void)arg;
    *len = (int)strlen(wanted);
    return (unsigned char *)strdup(wanted);
}

static EST_CTX *new_server(bool pop, bool strict)
{
    static char clients[FILE_MAX], chain[FILE_MAX];
    int clients_len = load("clients.pem", clients), chain_len = load("chain.pem", chain);
    EST_CTX *ctx;

    ctx = est_server_init((unsigned char *)clients, clients_len, (unsigned char *)chain, chain_len,
        EST_CERT_FORMAT_PEM, "contoso", load_cert("tls.pem"), load_key("tls.key"));
    need(ctx != NULL, "est_server_init");
    need(est_set_ca_enroll_cb(ctx, on_enroll) == EST_ERR_NONE
             && est_set_http_auth_cb(ctx, on_login) == EST_ERR_NONE
             && est_server_set_auth_mode(ctx, AUTH_BASIC) == EST_ERR_NONE
             && est_set_http_auth_required(ctx, HTTP_AUTH_NOT_REQUIRED) == EST_ERR_NONE
             && est_server_set_retry_period(ctx, RETRY_S) == EST_ERR_NONE
             && (pop ? est_server_enable_pop(ctx) : est_server_disable_pop(ctx)) == EST_ERR_NONE
             && (!strict
                 || (est_set_csr_cb(ctx, on_attributes) == EST_ERR_NONE
                     && est_server_enforce_csrattr(ctx) == EST_ERR_NONE))
             && est_server_start(ctx) == EST_ERR_NONE,
        "the server's settings");
    return ctx;
}

int main(int argc, char **argv)
{
    static char text[FILE_MAX];
    const char *option = argc == 3 ? argv[2] : "";
    bool pop = strcmp(option, "--pop") == 0, strict = strcmp(option, "--strict") == 0;
    EST_CTX *ctx;
    int fd;

    if (argc < 2 || argc > 3 || (argc == 3 && !pop && !strict) || chdir(argv[1]) != 0) {
        (void)fprintf(stderr, "usage: est_server DIR [--pop|--strict]\n");
        return 2;
    }
    (void)load("login", text);
    (void)snprintf(login, sizeof login, "%.*s", (int)strcspn(text, "\n"), text);
    issuer = load_cert("issuing.pem");
    issuer_key = load_key("issuing.key");
    ctx = new_server(pop, strict);
    fd = listen_somewhere();
    for (;;) { /* until the script ends it */
        int one = accept(fd, NULL, NULL);

        if (one < 0)
            continue;
        (void)est_server_handle_request(ctx, one);
        (void)close(one);
    }
}
