/*
 * scep-device: a device that enrols over SCEP as one make or another does, and looks at every answer as
 * strictly as the strictest of them.
 *
 * Exit: 0 a certificate; 2 refused (failInfo is printed); 3 still pending; 1 anything else.
 */
#include "test/sandbox/dir.h"
#include "test/scep/certrep.h"
#include "test/scep/identity.h"
#include "test/scep/pkcs10.h"
#include "test/scep/ra.h"
#include <getopt.h>
#include <openssl/rand.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { USAGE = 1, REFUSED = 2, PENDING = 3, POLL_MS = 1000, NONCE_MAX = 16 };

struct wish { /* the command line */
    const char *url, *trust, *challenge_file, *subject, *key, *out, *key_out, *csr_out, *key_in;
    const char *renew_with, *renew_key, *type, *transaction;
    const char *san[PKCS10_LIST];
    const char *eku[PKCS10_LIST];
    size_t sans, ekus;
    unsigned key_usage, polls;
    bool get;
    const struct temper *temper;
};

struct device {
    struct wish w;
    struct target to;
    struct ra ra;
    EVP_PKEY *key, *signer_key;
    X509 *signer;
    struct str csr, transaction;
    const EVP_MD *md;
    bool post;
};

static void usage(void)
{
    struct str names = { 0 };

    temper_names(&names);
    fprintf(stderr,
        "usage: scep-device enrol --url URL --temper %s\n"
        "         --cn NAME | --subject CN=a,O=b   [--challenge-file FILE] [--trust PEM]\n"
        "         [--san dns:HOST|email:...|upn:...|uri:...|ip:HEX] ...  [--ku BITS] [--eku OID] "
        "...\n"
        "         [--key rsa2048|rsa3072|p256 ... | --use-key PEM]  [--get]  [--poll N]\n"
        "         [--renew-with PEM --renew-key PEM [--type 17|19]]  [--transaction ID]\n"
        "         [--out PEM] [--keyout PEM] [--csrout DER]\n"
        "       scep-device look --url URL --temper NAME\n",
        names.p);
    str_free(&names);
}

static const struct option longs[] = {
    { "url", required_argument, NULL, 'u' },
    { "trust", required_argument, NULL, 'a' },
    { "challenge-file", required_argument, NULL, 'c' },
    { "cn", required_argument, NULL, 'n' },
    { "subject", required_argument, NULL, 's' },
    { "san", required_argument, NULL, 'S' },
    { "ku", required_argument, NULL, 'U' },
    { "eku", required_argument, NULL, 'e' },
    { "temper", required_argument, NULL, 't' },
    { "key", required_argument, NULL, 'k' },
    { "use-key", required_argument, NULL, 'K' },
    { "renew-with", required_argument, NULL, 'r' },
    { "renew-key", required_argument, NULL, 'R' },
    { "type", required_argument, NULL, 'y' },
    { "transaction", required_argument, NULL, 'i' },
    { "get", no_argument, NULL, 'g' },
    { "poll", required_argument, NULL, 'p' },
    { "out", required_argument, NULL, 'o' },
    { "keyout", required_argument, NULL, 'O' },
    { "csrout", required_argument, NULL, 'C' },
    { NULL, 0, NULL, 0 },
};

static const char *subject_of(const char *cn)
{
    struct str s = { 0 };

    str_f(&s, "CN=%s", cn);
    return s.p; /* lives as long as the program */
}

static bool one(int c, struct wish *w)
{
    const struct {
        int c;
        const char **to;
    } texts[] = { { 'u', &w->url }, { 'a', &w->trust }, { 'c', &w->challenge_file },
        { 's', &w->subject }, { 'k', &w->key }, { 'K', &w->key_in }, { 'r', &w->renew_with },
        { 'R', &w->renew_key }, { 'y', &w->type }, { 'i', &w->transaction }, { 'o', &w->out },
        { 'O', &w->key_out }, { 'C', &w->csr_out } };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].c == c) {
            *texts[i].to = optarg;
            return true;
        }
    }
    switch (c) {
    case 'n':
        w->subject = subject_of(optarg);
        return true;
    case 'S':
        return w->sans < PKCS10_LIST - 1 && (w->san[w->sans++] = optarg) != NULL;
    case 'e':
        return w->ekus < PKCS10_LIST - 1 && (w->eku[w->ekus++] = optarg) != NULL;
    case 'U':
        w->key_usage = (unsigned)strtoul(optarg, NULL, 0);
        return true;
    case 't':
        return (w->temper = temper_find(optarg)) != NULL;
    case 'g':
        w->get = true;
        return true;
    case 'p':
        w->polls = (unsigned)strtoul(optarg, NULL, 10);
        return true;
    default:
        return false;
    }
}

static bool wish_read(int argc, char **argv, struct wish *w)
{
    int c;

    *w = (struct wish){ .key = "rsa2048", .key_usage = 5 };
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (!one(c, w))
            return false;
    }
    if (w->ekus == 0)
        w->eku[0] = "1.3.6.1.5.5.7.3.2";
    return optind == argc && w->url != NULL && w->temper != NULL
           && (w->renew_with == NULL) == (w->renew_key == NULL);
}

/* ---- keys, request ---- */

static bool failed(const char *what, const char *why)
{
    printf("failed: %s: %s\n", what, why);
    return false;
}

static bool choose_hash(struct device *d)
{
    static const struct {
        const char *name;
        const EVP_MD *(*md)(void);
    } all[] = { { "SHA-1", EVP_sha1 }, { "SHA-256", EVP_sha256 }, { "SHA-512", EVP_sha512 } };

    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3 && ra_offers(&d->ra, d->w.temper->hashes[i]); j++) {
            if (strcmp(all[j].name, d->w.temper->hashes[i]) == 0) {
                d->md = all[j].md();
                return true;
            }
        }
    }
    return failed("GetCACaps", "no hash that this client has");
}

static void uuid_subject(struct str *out)
{
    unsigned char b[16];

    need(RAND_bytes(b, sizeof b) == 1 ? b : NULL);
    str_puts(out, "CN=");
    for (size_t i = 0; i < sizeof b; i++)
        str_f(out, "%s%02X", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
}

static bool make_signer(struct device *d)
{
    const struct temper *t = d->w.temper;
    struct str subject = { 0 };

    if (d->w.renew_with != NULL)
        return (cert_load(d->w.renew_with, &d->signer) && key_load(d->w.renew_key, &d->signer_key))
               || failed("--renew-with", "not readable");
    if (t->signer == NULL)
        str_puts(&subject, d->w.subject);
    else if (strcmp(t->signer, "uuid") == 0)
        uuid_subject(&subject);
    else
        str_puts(&subject, t->signer);
    d->signer = identity_make(&(struct identity_plan){ .subject = subject.p,
        .key = d->key,
        .md = t->signer_sha1 ? EVP_sha1() : NULL,
        .critical_aki = t->critical_aki });
    d->signer_key = d->key;
    EVP_PKEY_up_ref(d->key);
    str_free(&subject);
    return true;
}

static bool make_key(struct device *d)
{
    if (d->w.key_in != NULL)
        return key_load(d->w.key_in, &d->key) || failed("--use-key", "not readable");
    d->key = key_make(d->w.key);
    if (d->key == NULL)
        return failed("--key", "no such kind");
    return d->w.key_out == NULL || key_save(d->w.key_out, d->key)
           || failed("--keyout", "not writable");
}

static bool make_request(struct device *d)
{
    const struct wish *w = &d->w;
    bool renews = w->renew_with != NULL;
    struct pkcs10_plan p = { .subject = w->subject,
        .key_usage = w->key_usage,
        .challenge_tag = w->temper->challenge_tag,
        .key = d->key,
        .md = d->md,
        .twist = w->temper->unsorted ? P10_UNSORTED : 0 };
    struct str challenge = { 0 };
    char why[DIR_WHY];

    memcpy(p.san, w->san, sizeof p.san);
    memcpy(p.eku, w->eku, sizeof p.eku);
    if (w->challenge_file != NULL) {
        if (!file_read(w->challenge_file, &challenge, why))
            return failed("--challenge-file", why);
        str_cut(&challenge, strcspn(str_text(&challenge), "\r\n"));
        if (!renews || w->temper->renewal_challenge)
            p.challenge = str_text(&challenge);
    }
    pkcs10_write(&p, &d->csr);
    str_free(&challenge);
    return w->csr_out == NULL || dir_write(".", w->csr_out, &d->csr, 0644, why)
           || failed("--csrout", why);
}

/* ---- messages ---- */

/* CertPoll names the issuer and the subject; the transaction id is what counts. */
static void poll_content(const struct device *d, struct str *out)
{
    der_name(out, X509_get_issuer_name(d->ra.sign));
    name_write(d->w.subject, 0, false, out);
    der_close(out, 0, 0x30);
}

static void make_message(const struct device *d, const char *type, const struct str *content,
    const unsigned char *nonce, struct str *out)
{
    const struct temper *t = d->w.temper;
    struct str env = { 0 };

    envelope_write(&(struct envelope_plan){ .recipient = d->ra.encrypt,
                       .cipher = ra_offers(&d->ra, "AES") ? t->cipher : t->old_cipher,
                       .transport = t->transport,
                       .ber = t->ber,
                       .chunk = t->chunk },
        content, &env);
    message_write(&(struct message_plan){ .signer = d->signer,
                      .key = d->signer_key,
                      .md = d->md,
                      .style = t->style,
                      .type = type,
                      .transaction = d->transaction.p,
                      .nonce = nonce,
                      .nonce_len = t->nonce_len,
                      .signing_time = t->signing_time ? (int64_t)time(NULL) : 0,
                      .ber = t->ber,
                      .chunk = t->chunk },
        &env, out);
    str_free(&env);
}

/* One message and its answer. */
static bool exchange(
    struct device *d, const char *type, const struct str *content, struct certrep *r)
{
    unsigned char nonce[NONCE_MAX];
    struct str message = { 0 }, request = { 0 }, why = { 0 };
    struct response answer = { 0 };
    char reason[WHY] = "";
    bool ok = false;
    struct certrep_want want = { d->ra.sign, d->transaction.p, nonce, d->w.temper->nonce_len,
        d->signer, d->signer_key, d->key };

    need(RAND_bytes(nonce, sizeof nonce) == 1 ? nonce : NULL);
    make_message(d, type, content, nonce, &message);
    temper_operation(d->w.temper, &d->to, d->post, &message, &request);
    if (!talk(&d->to, &request, &answer, reason))
        failed("PKIOperation", reason);
    else if (answer.status != 200)
        printf("failed: PKIOperation: HTTP %d\n", answer.status);
    else if (strcmp(answer.type, "application/x-pki-message") != 0)
        failed("PKIOperation: type", answer.type);
    else if (!certrep_read(&answer.body, &want, r, &why))
        failed("CertRep", str_text(&why));
    else
        ok = true;
    response_free(&answer);
    str_free(&message);
    str_free(&request);
    str_free(&why);
    return ok;
}

static int conclude(const struct device *d, const struct certrep *r)
{
    struct str serial = { 0 };
    const ASN1_INTEGER *n;

    if (r->status == STATUS_PENDING) {
        printf("status=PENDING\n");
        return PENDING;
    }
    if (r->status == STATUS_FAILURE) {
        printf("status=FAILURE failInfo=%d\n", r->fail);
        return REFUSED;
    }
    n = X509_get0_serialNumber(r->first);
    str_hex(&serial, ASN1_STRING_get0_data(n), (size_t)ASN1_STRING_length(n), true);
    printf("status=SUCCESS serial=%s certificates=%zu\n", serial.p + strspn(serial.p, "0"),
        r->cert_count);
    str_free(&serial);
    if (d->w.out != NULL && !cert_save(d->w.out, r->first)) {
        failed("--out", "not writable");
        return USAGE;
    }
    return 0;
}

static int enrol(struct device *d)
{
    const char *type = d->w.type != NULL         ? d->w.type
                       : d->w.renew_with != NULL ? d->w.temper->renewal
                                                 : "19";
    struct certrep r = { 0 };
    struct str poll_for = { 0 };
    int rc = 1;
    bool ok = exchange(d, type, &d->csr, &r);

    poll_content(d, &poll_for);
    for (unsigned i = 0; ok && r.status == STATUS_PENDING && i < d->w.polls; i++) {
        certrep_free(&r);
        poll(NULL, 0, POLL_MS);
        ok = exchange(d, "20", &poll_for, &r);
    }
    if (ok)
        rc = conclude(d, &r);
    certrep_free(&r);
    str_free(&poll_for);
    return rc;
}

static bool look(struct device *d)
{
    struct str why = { 0 };
    bool ok = target_read(d->w.url, &d->to);

    d->to.trust = d->w.trust;
    if (!ok)
        return failed("--url", "not understood");
    ok = ra_fetch(d->w.temper, &d->to, &d->ra, &why) || failed("service", str_text(&why));
    str_free(&why);
    d->post = !d->w.get && !d->w.temper->get && ra_offers(&d->ra, "POSTPKIOperation");
    return ok;
}

static int run(struct device *d, bool only_look)
{
    if (!look(d))
        return 1;
    if (only_look) {
        printf("%s", d->ra.caps);
        return 0;
    }
    if (d->w.subject == NULL)
        return failed("--cn", "missing") ? 0 : 1;
    if (!choose_hash(d) || !make_key(d) || !make_signer(d) || !make_request(d))
        return 1;
    if (d->w.transaction != NULL)
        str_puts(&d->transaction, d->w.transaction);
    else
        temper_transaction(d->w.temper, d->key, &d->transaction);
    return enrol(d);
}

int main(int argc, char **argv)
{
    static struct device d;
    bool only_look = argc > 1 && strcmp(argv[1], "look") == 0;
    int rc;

    signal(SIGPIPE, SIG_IGN);
    if (argc < 2 || (!only_look && strcmp(argv[1], "enrol") != 0)
        || !wish_read(argc - 1, argv + 1, &d.w)) {
        usage();
        return 64;
    }
    rc = run(&d, only_look);
    ra_free(&d.ra);
    X509_free(d.signer);
    EVP_PKEY_free(d.key);
    EVP_PKEY_free(d.signer_key);
    str_free(&d.csr);
    str_free(&d.transaction);
    return rc;
}
