/*
 * see scep_load.h: messages.
 *
 * RSA keys cost a hundred times what the rest of a message does, so a few of them are used in turn; a request is another
 * one by its subject.  A key's certificate is self-signed once, and has no name of a device.
 */
#include "test/bench/scep_load.h"
#include "test/scep/envelope.h"
#include "test/scep/identity.h"
#include "test/scep/message.h"
#include "test/scep/pkcs10.h"
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE_LEN = 16, GARBAGE_LEN = 2600 };

struct bench {
    const struct making *m;
    X509 *recipient;
    EVP_PKEY *key[KEYS_MAX];
    X509 *signer[KEYS_MAX];
    unsigned keys;
    FILE *out;
};

static bool said(const char *what)
{
    (void)fprintf(stderr, "scep_load: %s\n", what);
    return false;
}

/* ---- keys ---- */

static void read_keys(struct bench *b)
{
    FILE *f = fopen(b->m->keys, "r");

    while (f != NULL && b->keys < b->m->key_count
           && (b->key[b->keys] = PEM_read_PrivateKey(f, NULL, NULL, NULL)) != NULL)
        b->keys++;
    if (f != NULL)
        (void)fclose(f);
}

/* Those that are missing. */
static bool make_keys(struct bench *b)
{
    FILE *f = fopen(b->m->keys, "a");

    while (f != NULL && b->keys < b->m->key_count) {
        EVP_PKEY *k = key_make("rsa2048");

        b->key[b->keys++] = k;
        if (PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL) != 1)
            return said(b->m->keys);
    }
    return (f != NULL && fclose(f) == 0) || said(b->m->keys);
}

static bool open_bench(struct bench *b)
{
    read_keys(b);
    if ((b->keys < b->m->key_count && !make_keys(b)) || !cert_load(b->m->recipient, &b->recipient))
        return said(b->m->recipient);
    for (unsigned i = 0; i < b->keys; i++)
        b->signer[i] =
            identity_make(&(struct identity_plan){ .subject = "CN=SCEP client", .key = b->key[i] });
    b->out = fopen(b->m->out, "wb");
    return b->out != NULL || said(b->m->out);
}

static bool close_bench(struct bench *b)
{
    X509_free(b->recipient);
    for (unsigned i = 0; i < b->keys; i++) {
        EVP_PKEY_free(b->key[i]);
        X509_free(b->signer[i]);
    }
    return b->out == NULL || fclose(b->out) == 0 || said(b->m->out);
}

/* ---- one message ---- */

static void make_envelope(
    const struct bench *b, unsigned n, enum kind kind, EVP_PKEY *key, struct str *out)
{
    struct str subject = { 0 }, csr = { 0 };

    str_f(&subject, "CN=%s %u,O=Contoso", b->m->subject, n);
    pkcs10_write(
        &(struct pkcs10_plan){ .subject = subject.p,
            .key_usage = 5, /* digitalSignature, keyEncipherment */
            .eku = { "1.3.6.1.5.5.7.3.2" },
            .challenge = kind == KIND_CHALLENGE ? "not the password at all" : b->m->challenge,
            .key = key },
        &csr);
    envelope_write(
        &(struct envelope_plan){ .recipient = b->recipient, .cipher = CIPHER_AES128 }, &csr, out);
    str_free(&subject);
    str_free(&csr);
}

static void make_message(const struct bench *b, unsigned n, enum kind kind, struct str *out)
{
    unsigned char nonce[NONCE_LEN];
    struct str envelope = { 0 }, transaction = { 0 };
    unsigned i = n % b->keys;

    need(RAND_bytes(nonce, sizeof nonce) == 1 ? nonce : NULL);
    str_f(&transaction, "%s-%08u", b->m->subject, n);
    make_envelope(b, n, kind, b->key[i], &envelope);
    message_write(&(struct message_plan){ .signer = b->signer[i],
                      .key = b->key[i],
                      .type = kind == KIND_TYPE ? "99" : "19",
                      .transaction = transaction.p,
                      .nonce = nonce,
                      .nonce_len = sizeof nonce,
                      .twist = kind == KIND_SIGNATURE ? MSG_BAD_SIGNATURE
                               : kind == KIND_CUT     ? MSG_CUT
                                                      : 0 },
        &envelope, out);
    str_free(&envelope);
    str_free(&transaction);
}

static enum kind kind_of(const struct making *m, unsigned n)
{
    if (m->hostile_every == 0 || n % m->hostile_every != 0)
        return m->kind;
    return (enum kind)(1 + n / m->hostile_every % (KIND_COUNT - 1));
}

static bool write_one(struct bench *b, unsigned n)
{
    unsigned char head[RECORD_HEAD], garbage[GARBAGE_LEN];
    enum kind kind = kind_of(b->m, n);
    struct str message = { 0 };
    bool ok;

    if (kind == KIND_GARBAGE) {
        need(RAND_bytes(garbage, sizeof garbage) == 1 ? garbage : NULL);
        str_add(&message, garbage, sizeof garbage);
    } else {
        make_message(b, n, kind, &message);
    }
    head[0] = (unsigned char)kind;
    for (unsigned i = 0; i < 4; i++)
        head[1 + i] = (unsigned char)(message.len >> (24 - 8 * i));
    ok =
        fwrite(head, sizeof head, 1, b->out) == 1 && fwrite(message.p, message.len, 1, b->out) == 1;
    str_free(&message);
    return ok || said(b->m->out);
}

bool make(const struct making *m)
{
    struct bench *b = need(calloc(1, sizeof *b));
    bool ok;

    b->m = m;
    ok = open_bench(b);
    for (unsigned i = 0; ok && i < m->count; i++)
        ok = write_one(b, m->first + i);
    ok = close_bench(b) && ok;
    free(b);
    return ok;
}
