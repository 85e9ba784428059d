/*
 * p12_readers DIR - files for p12_readers.sh to open with other people's programs.
 *
 * Writes into DIR, an empty folder:
 *   KEY.pub, KEY.leaf        a subscriber's public key and certificate (PEM), for each key type
 *   root.pem, sub.pem        the path above them
 *   password                 of every file
 *   PROFILE-KEY-VARIANT.p12  as p12_build makes them, and their names in `list`
 *   twin-*.p12               damaged in one byte, and their names in `twins`
 *   rsa.key, ec.key, *.cert  two devices; other.key, other.cert: a third that got nothing
 *   WAY-CIPHER.cms           `content` as cms_envelope encrypts it, and their names in `envelopes`
 *   twin-*.cms               authenticated ones, damaged, and their names in `cms-twins`
 * The certificates are made with OpenSSL's X509_*, the keys and files with certs/.
 */
#include <time.h>
#include <unistd.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include "test/unit/issue.h"
#include "certs/cms.h"
#include "certs/key.h"
#include "certs/p12.h"

enum { ROOM = 1 << 20, CONTENT_LEN = 5000, YEAR_S = 365 * ISSUE_DAY };

#define PASSWORD "Qk7RnZ2vWc9LxT4bYs8HdJ6mPf3GaE5u"

static struct lib *lib;
static struct err e;

/* The only way out but the end: what cannot be written cannot be read by anybody. */
static void must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "p12_readers: %s: %s\n", what, e.msg);
    exit(1);
}

/* ---- files ---- */

static FILE *create(const char *name)
{
    FILE *f = fopen(name, "wb");

    must(f != NULL, name);
    return f;
}

static void save(const char *name, struct view v)
{
    FILE *f = create(name);

    must(fwrite(v.p, 1, v.len, f) == v.len && fclose(f) == 0, name);
}

static void save_cert(const char *name, X509 *x)
{
    FILE *f = create(name);

    must(PEM_write_X509(f, x) == 1 && fclose(f) == 0, name);
}

static void save_key(const char *name, EVP_PKEY *k, bool private_half)
{
    FILE *f = create(name);

    must((private_half ? PEM_write_PKCS8PrivateKey(f, k, NULL, NULL, 0, NULL, NULL)
                       : PEM_write_PUBKEY(f, k))
                 == 1
             && fclose(f) == 0,
        name);
}

/* A copy of `v` with one bit of the byte at `at` turned over. */
static void save_twin(const char *name, struct view v, size_t at, FILE *list)
{
    struct buf copy = BUF_INIT(ROOM);
    char file[128];

    buf_add_view(&copy, v);
    must(at < copy.len, "a byte to damage");
    copy.p[at] ^= 0x10;
    (void)snprintf(file, sizeof file, "twin-%s", name);
    save(file, buf_view(&copy));
    (void)fprintf(list, "%s\n", file);
    buf_free(&copy);
}

/* ---- PKCS#12 ---- */

struct ca {
    EVP_PKEY *root_key, *sub_key;
    X509 *root, *sub;
};

struct subject {
    enum key_type type;
    struct key *key;
    X509 *leaf;
    struct buf chain; /* leaf, sub, root */
};

static const struct variant {
    const char *name, *friendly_name, *provider_name;
    bool include_root, machine_keyset;
} variants[] = {
    { "plain", NULL, NULL, false, false },
    { "root", "Ada", NULL, true, false },
    { "umlaut", "Gerät der Köchin Łucja", NULL, false, false },
    { "windows", "Contoso user", "Microsoft Software Key Storage Provider", false, true },
};

static struct issue issued_to(const char *cn, EVP_PKEY *key, const struct ca *ca, const char *usage)
{
    int64_t now = (int64_t)time(NULL);
    static long serial = 1000;

    return (struct issue){ .subject = cn,
        .key = key,
        .issuer = ca->sub,
        .issuer_key = ca->sub_key,
        .begin = now - 3600,
        .end = now + YEAR_S,
        .serial = ++serial,
        .ext = { { "keyUsage", usage }, { "authorityKeyIdentifier", "keyid:always" },
            { "subjectAltName", "@DNS=reader.contoso.example" } } };
}

static void make_ca(struct ca *ca)
{
    int64_t now = (int64_t)time(NULL);
    struct issue s = { .subject = "CN=Readers Root",
        .begin = now - YEAR_S,
        .end = now + 9 * (int64_t)YEAR_S,
        .serial = 1,
        .ext = { { "basicConstraints", "critical,CA:TRUE" },
            { "keyUsage", "critical,keyCertSign,cRLSign" }, { "subjectKeyIdentifier", "hash" } } };

    s.key = ca->root_key = issue_key("P-256");
    ca->root = issue(&s);
    s.subject = "CN=Readers Issuing";
    s.serial = 2;
    s.key = ca->sub_key = issue_key("rsa2048");
    s.issuer = ca->root;
    s.issuer_key = ca->root_key;
    s.ext[3] = (struct issue_ext){ "authorityKeyIdentifier", "keyid:always" };
    ca->sub = issue(&s);
    save_cert("root.pem", ca->root);
    save_cert("sub.pem", ca->sub);
}

static void make_subject(struct subject *s, enum key_type type, const struct ca *ca)
{
    struct issue i;
    struct view der;
    const unsigned char *p;
    char name[64];
    EVP_PKEY *k;

    s->type = type;
    must((s->key = key_new(lib, type, KEYGEN_PRIMES, &e)) != NULL, "key_new");
    der = key_pkcs8(s->key);
    p = der.p;
    must((k = d2i_AutoPrivateKey(NULL, &p, (long)der.len)) != NULL, "the key, read by OpenSSL");
    i = issued_to("CN=Ada Lovelace/O=Contoso", k, ca, "critical,digitalSignature");
    s->leaf = issue(&i);
    s->chain = (struct buf)BUF_INIT(ROOM);
    issue_der(s->leaf, &s->chain);
    issue_der(ca->sub, &s->chain);
    issue_der(ca->root, &s->chain);
    (void)snprintf(name, sizeof name, "%s.pub", key_type_name(type));
    save_key(name, k, false);
    (void)snprintf(name, sizeof name, "%s.leaf", key_type_name(type));
    save_cert(name, s->leaf);
    EVP_PKEY_free(k);
}

/* Where an OCTET STRING of the file has its last byte. */
static size_t last_byte_of(const struct buf *b, const ASN1_OCTET_STRING *of)
{
    const uint8_t *p = memmem(b->p, b->len, of->data, (size_t)of->length);

    must(p != NULL, "the MAC in the file");
    return (size_t)(p - b->p) + (size_t)of->length - 1;
}

static void damage(const char *file, const struct buf *p12_der, FILE *twins)
{
    const unsigned char *p = p12_der->p;
    PKCS12 *p12 = d2i_PKCS12(NULL, &p, (long)p12_der->len);
    const ASN1_OCTET_STRING *mac;
    char name[128];

    must(p12 != NULL, file);
    PKCS12_get0_mac(&mac, NULL, NULL, NULL, p12);
    (void)snprintf(name, sizeof name, "mac-%s", file);
    save_twin(name, buf_view(p12_der), last_byte_of(p12_der, mac), twins);
    (void)snprintf(name, sizeof name, "content-%s", file);
    save_twin(
        name, buf_view(p12_der), p12_der->len / 2, twins); /* well inside the encrypted bags */
    PKCS12_free(p12);
}

static void make_file(const struct subject *s, enum p12_profile profile, const struct variant *v,
    FILE *list, FILE *twins)
{
    struct buf out = BUF_INIT(ROOM);
    struct p12_spec spec = { .profile = profile,
        .iterations = P12_ITERATIONS,
        .password = PASSWORD,
        .pkcs8 = key_pkcs8(s->key),
        .chain = buf_view(&s->chain),
        .include_root = v->include_root,
        .friendly_name = v->friendly_name,
        .provider_name = v->provider_name,
        .machine_keyset = v->machine_keyset };
    char name[128];

    (void)snprintf(name, sizeof name, "%s-%s-%s.p12", profile == P12_MODERN ? "modern" : "compat",
        key_type_name(s->type), v->name);
    must(p12_build(lib, &spec, &out, &e) == 0, name);
    save(name, buf_view(&out));
    (void)fprintf(list, "%s\n", name);
    if (strcmp(v->name, "plain") == 0)
        damage(name, &out, twins);
    buf_free(&out);
}

static void make_files(const struct ca *ca)
{
    static const enum key_type types[] = { KEY_RSA2048, KEY_P256, KEY_P384, KEY_ED25519 };
    FILE *list = create("list"), *twins = create("twins");

    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        struct subject s;

        make_subject(&s, types[t], ca);
        for (enum p12_profile p = P12_MODERN; p <= P12_COMPAT; p++)
            for (size_t v = 0; v < sizeof variants / sizeof variants[0]; v++)
                make_file(&s, p, &variants[v], list, twins);
        X509_free(s.leaf);
        key_free(s.key);
        buf_free(&s.chain);
    }
    must(fclose(list) == 0 && fclose(twins) == 0, "list");
    save("password", view_text(PASSWORD));
}

/* ---- CMS ---- */

static const struct way {
    const char *name, *device;
    enum cms_transport transport;
} ways[] = {
    { "oaep", "rsa", CMS_RSA_OAEP_SHA256 },
    { "pkcs1", "rsa", CMS_RSA_PKCS1 },
    { "ecdh", "ec", CMS_RSA_OAEP_SHA256 },
};
static const struct cipher {
    const char *name;
    enum cms_content content;
} ciphers[] = {
    { "gcm", CMS_AES256_GCM },
    { "cbc", CMS_AES256_CBC },
    { "des3", CMS_DES3_CBC },
};

static void make_device(
    const char *name, const char *kind, const char *usage, const struct ca *ca, struct buf *der)
{
    char file[64];
    EVP_PKEY *k = issue_key(kind);
    struct issue i = issued_to("CN=device", k, ca, usage);
    X509 *x = issue(&i);

    issue_der(x, der);
    (void)snprintf(file, sizeof file, "%s.key", name);
    save_key(file, k, true);
    (void)snprintf(file, sizeof file, "%s.cert", name);
    save_cert(file, x);
    X509_free(x);
    EVP_PKEY_free(k);
}

static void make_envelope(const struct way *w, const struct cipher *c, struct view recipient,
    struct view content, FILE *list, FILE *twins)
{
    struct buf out = BUF_INIT(ROOM);
    char name[64];

    (void)snprintf(name, sizeof name, "%s-%s.cms", w->name, c->name);
    must(cms_envelope(lib, recipient, c->content, w->transport, content, &out, &e) == 0, name);
    save(name, buf_view(&out));
    (void)fprintf(list, "%s\n", name);
    if (c->content == CMS_AES256_GCM) { /* the others have no MAC: damage may go unseen */
        char twin[80];

        (void)snprintf(twin, sizeof twin, "mac-%s", name);
        save_twin(twin, buf_view(&out), out.len - 1, twins);
        (void)snprintf(twin, sizeof twin, "content-%s", name);
        save_twin(twin, buf_view(&out), out.len - 100, twins);
    }
    buf_free(&out);
}

static void make_envelopes(const struct ca *ca)
{
    struct buf rsa = BUF_INIT(ROOM), ec = BUF_INIT(ROOM), other = BUF_INIT(ROOM);
    FILE *list = create("envelopes"), *twins = create("cms-twins");
    uint8_t content[CONTENT_LEN];

    make_device("rsa", "rsa2048", "critical,keyEncipherment", ca, &rsa);
    make_device("ec", "P-256", "critical,keyAgreement", ca, &ec);
    make_device("other", "rsa2048", "critical,keyEncipherment", ca, &other);
    must(lib_random(lib, content, sizeof content, &e) == 0, "content");
    save("content", view_of(content, sizeof content));
    for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++)
        for (size_t c = 0; c < sizeof ciphers / sizeof ciphers[0]; c++)
            make_envelope(&ways[w], &ciphers[c],
                buf_view(strcmp(ways[w].device, "ec") == 0 ? &ec : &rsa),
                view_of(content, sizeof content), list, twins);
    must(fclose(list) == 0 && fclose(twins) == 0, "envelopes");
    buf_free(&rsa);
    buf_free(&ec);
    buf_free(&other);
}

int main(int argc, char **argv)
{
    struct ca ca = { 0 };

    if (argc != 2 || chdir(argv[1]) != 0) {
        (void)fprintf(stderr, "usage: p12_readers DIR\n");
        return 2;
    }
    must((lib = lib_new(&e)) != NULL, "lib_new");
    make_ca(&ca);
    make_files(&ca);
    make_envelopes(&ca);
    X509_free(ca.root);
    X509_free(ca.sub);
    EVP_PKEY_free(ca.root_key);
    EVP_PKEY_free(ca.sub_key);
    lib_free(lib);
    return 0;
}
