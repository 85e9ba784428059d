/* see io_listen_tls.h */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include "agent/base/fs.h"
#include "agent/io/io_listen_tls.h"
#include "certs/mem.h"

enum {
    FILE_MAX = 1 << 20,
    CHAIN_MAX = 16,
    TICKET_KEYS_MAX = 256,
    TICKET_LIFE_S = 12 * 3600,
    TICKET_KEY_LIFE_MS = 24 * 3600 * 1000,
};

/* The CBC suites are for Windows before 10, which has no GCM for RSA certificates. */
#define SUITES                                                                              \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-"     \
    "POLY1305:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-"  \
    "POLY1305:ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:" \
    "ECDHE-RSA-AES128-SHA256:@SECLEVEL=2"
#define SUITES_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS    "X25519:P-256:P-384:P-521"
#define SIGNATURES                                                                         \
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:" \
    "RSA+SHA256:RSA+SHA384:RSA+SHA512"

struct io_tls {
    struct lib *lib;
    SSL_CTX *ctx;
    int64_t expires_at;
    uint64_t keys_until_ms;
};

struct io_tls_stream {
    SSL *ssl;
    BIO *in, *out; /* belong to ssl */
};

/* A key with a passphrase is not asked for one at a terminal that a service does not have. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
    (void)writing;
    (void)arg;
    if (size > 0)
        out[0] = '\0';
    return -1;
}

static BIO *open_file(const char *path, bool secret, struct buf *text, struct err *e)
{
    BIO *bio;

    if (secret ? fs_read_secret(path, text, e) != 0
               : fs_readable(path, false, e) != 0 || fs_read(path, text, e) != 0)
        return NULL;
    if ((bio = BIO_new_mem_buf(buf_text(text), (int)text->len)) == NULL)
        (void)lib_err(e, "BIO_new_mem_buf");
    return bio;
}

static EVP_PKEY *read_key(struct lib *l, const char *path, struct err *e)
{
    struct buf text = BUF_SECRET(FILE_MAX);
    BIO *bio = open_file(path, true, &text, e);
    EVP_PKEY *key = NULL;

    if (bio == NULL)
        goto done;
    if ((key = PEM_read_bio_PrivateKey_ex(bio, NULL, no_passphrase, NULL, l->ctx, NULL)) == NULL)
        err_set(e, ERR_CONFIG, "%s: no private key in PEM without a passphrase: %s", path,
            lib_reason());
done:
    BIO_free(bio);
    buf_free(&text);
    return key;
}

/* The next certificate of a PEM file; NULL at its end, or where it is none (then lib_reason has why). */
static X509 *next_certificate(struct lib *l, BIO *bio)
{
    X509 *x = X509_new_ex(l->ctx, NULL);

    if (x != NULL && PEM_read_bio_X509(bio, &x, no_passphrase, NULL) == NULL) {
        X509_free(x);
        return NULL;
    }
    return x;
}

static bool at_end(void)
{
    return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static int64_t end_of(const X509 *x)
{
    struct tm tm = { 0 };

    return ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) == 1 ? timegm(&tm) : 0;
}

/* The rest of the file: intermediate certificates, sent as they stand there. */
static int add_chain(struct io_tls *t, const char *path, BIO *bio, struct err *e)
{
    X509 *x;

    for (int n = 0; (x = next_certificate(t->lib, bio)) != NULL; n++) {
        bool added = n < CHAIN_MAX && SSL_CTX_add1_chain_cert(t->ctx, x) == 1;

        X509_free(x);
        if (!added)
            return err_set(e, ERR_CONFIG, "%s: certificate %d of the chain: %s", path, n + 2,
                n < CHAIN_MAX ? lib_reason() : "too many");
    }
    if (!at_end())
        return err_set(e, ERR_CONFIG, "%s: behind the first certificate: %s", path, lib_reason());
    ERR_clear_error();
    return 0;
}

/* SSL_CTX has a place for each kind of key; the second of a kind would silently replace the first. */
static int use_pair(struct io_tls *t, X509 *x, EVP_PKEY *key, const char *cert_path,
    const char *key_path, struct err *e)
{
    if (X509_check_private_key(x, key) != 1) {
        ERR_clear_error();
        return err_set(e, ERR_CONFIG, "%s does not fit the certificate in %s", key_path, cert_path);
    }
    if (SSL_CTX_use_certificate(t->ctx, x) != 1 || SSL_CTX_use_PrivateKey(t->ctx, key) != 1)
        return err_set(e, ERR_CONFIG, "%s: cannot serve TLS: %s", cert_path, lib_reason());
    return 0;
}

static int add_certificate(
    struct io_tls *t, const char *cert_path, const char *key_path, int *kind, struct err *e)
{
    struct buf text = BUF_INIT(FILE_MAX);
    EVP_PKEY *key = NULL;
    X509 *x = NULL;
    BIO *bio = NULL;
    int64_t end;
    int rc = -1;

    if (key_path == NULL) {
        err_set(e, ERR_CONFIG, "%s: its private key is not configured", cert_path);
        goto done;
    }
    if ((bio = open_file(cert_path, false, &text, e)) == NULL
        || (key = read_key(t->lib, key_path, e)) == NULL)
        goto done;
    if ((x = next_certificate(t->lib, bio)) == NULL) {
        err_set(e, ERR_CONFIG, "%s: no certificate in PEM: %s", cert_path, lib_reason());
        goto done;
    }
    if (EVP_PKEY_get_base_id(key) == *kind) {
        err_set(e, ERR_CONFIG, "%s: the other certificate has the same kind of key; one is enough",
            cert_path);
        goto done;
    }
    *kind = EVP_PKEY_get_base_id(key);
    if (use_pair(t, x, key, cert_path, key_path, e) != 0 || add_chain(t, cert_path, bio, e) != 0)
        goto done;
    end = end_of(x);
    if (t->expires_at == 0 || end < t->expires_at)
        t->expires_at = end;
    rc = 0;
done:
    BIO_free(bio);
    X509_free(x);
    EVP_PKEY_free(key);
    buf_free(&text);
    return rc;
}

/* We speak HTTP/1.1 and say so to whoever asks; who offers other things only is not refused for it. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *found;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&found, out_len, ours, sizeof ours - 1, in, in_len)
        != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = found;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_options(SSL_CTX *c)
{
    static const unsigned char name[] = "certferry";
    bool good =
        SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1
        && SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) == 1
        && SSL_CTX_set_cipher_list(c, SUITES) == 1 && SSL_CTX_set_ciphersuites(c, SUITES_13) == 1
        && SSL_CTX_set1_groups_list(c, GROUPS) == 1 && SSL_CTX_set1_sigalgs_list(c, SIGNATURES) == 1
        && SSL_CTX_set_num_tickets(c, 1) == 1
        && SSL_CTX_set_session_id_context(c, name, sizeof name - 1) == 1;

    (void)SSL_CTX_clear_options(c, SSL_CTX_get_options(c)); /* whatever openssl.cnf may have set */
    (void)SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
                                     | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA
                                     | SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    (void)SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    (void)SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF); /* the client has the ticket */
    (void)SSL_CTX_set_timeout(c, TICKET_LIFE_S);
    SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_alpn_select_cb(c, on_alpn, NULL);
    return good;
}

struct io_tls *io_tls_new(
    struct lib *l, char *const certificate[], char *const key[], struct err *e)
{
    struct io_tls *t = xcalloc(1, sizeof *t);
    int kind = EVP_PKEY_NONE;

    t->lib = l;
    ERR_clear_error();
    if ((t->ctx = SSL_CTX_new_ex(l->ctx, NULL, TLS_server_method())) == NULL) {
        lib_err(e, "SSL_CTX_new_ex");
        goto failed;
    }
    if (!set_options(t->ctx)) {
        lib_err(e, "options of TLS");
        goto failed;
    }
    for (int i = 0; i < IO_TLS_CERTS_MAX; i++)
        if (certificate[i] != NULL && add_certificate(t, certificate[i], key[i], &kind, e) != 0)
            goto failed;
    return t;
failed:
    io_tls_free(t);
    return NULL;
}

void io_tls_free(struct io_tls *t)
{
    if (t == NULL)
        return;
    SSL_CTX_free(t->ctx);
    free(t);
}

int64_t io_tls_expires_at(const struct io_tls *t)
{
    return t->expires_at;
}

/* Whoever gets hold of a ticket key can read all TLS 1.2 sessions that it ever sealed: so none is old. */
static void renew_ticket_keys(struct io_tls *t, uint64_t now_ms)
{
    uint8_t keys[TICKET_KEYS_MAX];
    long len = SSL_CTX_get_tlsext_ticket_keys(t->ctx, NULL, 0);
    bool first = t->keys_until_ms == 0; /* SSL_CTX_new has made some */
    struct err e;

    if (now_ms < t->keys_until_ms)
        return;
    t->keys_until_ms = now_ms + TICKET_KEY_LIFE_MS;
    if (first || len <= 0 || len > TICKET_KEYS_MAX)
        return;
    if (lib_random(t->lib, keys, (size_t)len, &e) == 0)
        (void)SSL_CTX_set_tlsext_ticket_keys(t->ctx, keys, len);
    mem_wipe(keys, sizeof keys);
}

struct io_tls_stream *io_tls_open(struct io_tls *t, uint64_t now_ms)
{
    struct io_tls_stream *s = mem_try(1, sizeof *s);

    if (s == NULL)
        return NULL;
    renew_ticket_keys(t, now_ms);
    s->ssl = SSL_new(t->ctx);
    s->in = BIO_new(BIO_s_mem());
    s->out = BIO_new(BIO_s_mem());
    if (s->ssl == NULL || s->in == NULL || s->out == NULL) {
        BIO_free(s->in);
        BIO_free(s->out);
        SSL_free(s->ssl);
        ERR_clear_error();
        free(s);
        return NULL;
    }
    SSL_set_bio(s->ssl, s->in, s->out);
    SSL_set_accept_state(s->ssl);
    return s;
}

void io_tls_close(struct io_tls_stream *s)
{
    if (s == NULL)
        return;
    SSL_free(s->ssl);
    free(s);
}

bool io_tls_put(struct io_tls_stream *s, struct view in)
{
    return in.len <= INT_MAX && BIO_write(s->in, in.p, (int)in.len) == (int)in.len;
}

int io_tls_read(struct io_tls_stream *s, void *out, size_t size)
{
    int n;

    ERR_clear_error(); /* SSL_get_error would take another's for ours */
    if ((n = SSL_read(s->ssl, out, size < INT_MAX ? (int)size : INT_MAX)) > 0)
        return n;
    n = SSL_get_error(s->ssl, n) == SSL_ERROR_WANT_READ ? 0 : -1;
    ERR_clear_error();
    return n;
}

bool io_tls_kept(const struct io_tls_stream *s)
{
    return SSL_has_pending(s->ssl) == 1 || BIO_ctrl_pending(s->in) > 0;
}

bool io_tls_write(struct io_tls_stream *s, struct view text)
{
    size_t done;

    ERR_clear_error();
    if (text.len == 0 || SSL_write_ex(s->ssl, text.p, text.len, &done) == 1)
        return true; /* without partial writes enabled: all of it */
    ERR_clear_error();
    return false;
}

void io_tls_bye(struct io_tls_stream *s)
{
    if (SSL_is_init_finished(s->ssl))
        (void)SSL_shutdown(s->ssl);
    ERR_clear_error();
}

struct view io_tls_unsent(struct io_tls_stream *s)
{
    char *p = NULL;
    long len = BIO_get_mem_data(s->out, &p);

    return len > 0 ? view_of(p, (size_t)len) : view_of(NULL, 0);
}

void io_tls_sent(struct io_tls_stream *s, size_t len)
{
    static char nowhere[16384];

    while (len > 0) {
        int n = BIO_read(s->out, nowhere, len < sizeof nowhere ? (int)len : (int)sizeof nowhere);

        if (n <= 0)
            return;
        len -= (size_t)n;
    }
}
