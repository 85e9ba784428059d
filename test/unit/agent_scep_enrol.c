/* scep_enrol.h, scep_certs.h: a client's messages against the server's side of proto/scep.h, and what it takes for an
 * answer. */
#include "test/unit/issue.h"
#include "agent/base/io.h"
#include "agent/probe/scep_enrol.h"
#include "certs/ber.h"
#include "certs/cms.h"
#include "certs/csr_read.h"
#include "certs/envelope.h"
#include "certs/mem.h"

enum { ROOM = 1 << 18 };
#define PKI "1.3.6.1.4.1.311.20.2.1"

static struct err e;
static struct lib *lib;
static EVP_PKEY *ca_key, *sign_key, *encrypt_key;
static X509 *ca;
static struct buf ca_der = BUF_INIT(ROOM), sign_der = BUF_INIT(ROOM), encrypt_der = BUF_INIT(ROOM);
static struct key *sign, *encrypt;
static struct scep_certs server;
static struct scep_enrol client;

static struct key *ours(EVP_PKEY *p)
{
    struct buf pkcs8 = BUF_SECRET(8192);
    struct key *k;

    issue_pkcs8(p, &pkcs8);
    k = key_parse(lib, buf_view(&pkcs8), &e);
    buf_free(&pkcs8);
    assert_non_null(k);
    return k;
}

static void issue_ra(
    EVP_PKEY *key, const char *usage, int64_t begin, int64_t end, long serial, struct buf *out)
{
    X509 *x = issue(&(struct issue){ .subject = "CN=ra",
        .key = key,
        .issuer = ca,
        .issuer_key = ca_key,
        .begin = begin,
        .end = end,
        .serial = serial,
        .ext = { { "keyUsage", usage }, { "extendedKeyUsage", PKI } } });

    issue_der(x, out);
    X509_free(x);
}

static void read_certs(struct scep_certs *c, const struct buf *const *list, size_t count)
{
    struct buf all = BUF_INIT(ROOM), body = BUF_INIT(ROOM);

    for (size_t i = 0; i < count; i++)
        buf_add_view(&all, buf_view(list[i]));
    T_OK(signed_certs_only(buf_view(&all), view_of(NULL, 0), &body, &e));
    T_OK(scep_certs_read(buf_view(&body), c, &e));
    buf_free(&all);
    buf_free(&body);
}

static int begin(void **state)
{
    const struct buf *const list[] = { &sign_der, &encrypt_der, &ca_der };

    (void)state;
    mem_torture_openssl();
    if ((lib = lib_new(&e)) == NULL)
        return -1;
    ca_key = issue_key("rsa2048");
    sign_key = issue_key("rsa2048");
    encrypt_key = issue_key("rsa2048");
    ca = issue_ca("CN=CA", ca_key, NULL, NULL);
    issue_der(ca, &ca_der);
    issue_ra(sign_key, "critical,digitalSignature", 0, 0, 21, &sign_der);
    issue_ra(encrypt_key, "critical,keyEncipherment", 0, 0, 22, &encrypt_der);
    sign = ours(sign_key);
    encrypt = ours(encrypt_key);
    read_certs(&server, list, 3);
    return scep_enrol_open(&client, lib, "CN=device,O=Contoso", "9A41C07E55D2F318", &e);
}

static int end(void **state)
{
    (void)state;
    scep_enrol_close(&client);
    scep_certs_free(&server);
    key_free(sign);
    key_free(encrypt);
    buf_free(&ca_der);
    buf_free(&sign_der);
    buf_free(&encrypt_der);
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(sign_key);
    EVP_PKEY_free(encrypt_key);
    lib_free(lib);
    return 0;
}

/* ---- what the server sees ---------------------------------------------------------------------------------------- */

static void open_message(const struct scep_request *r, struct buf *plain)
{
    struct buf der = BUF_INIT(ROOM);
    struct envelope v;

    T_OK(signed_verify(lib, &r->s, r->signer, &e));
    T_OK(ber_to_der(r->envelope, &der, &e));
    T_OK(envelope_parse(buf_view(&der), &v, &e));
    assert_true(envelope_is_for(&v, buf_view(&encrypt_der)));
    T_OK(envelope_open(lib, &v, encrypt, plain, &e));
    envelope_free(&v);
    buf_free(&der);
}

static void a_request_is_whole(void **state)
{
    struct buf message = BUF_INIT(ROOM), plain = BUF_SECRET(ROOM);
    struct scep_request r;
    struct csr csr = { 0 };
    struct cert signer;
    unsigned usage;

    (void)state;
    T_OK(scep_enrol_message(&client, SCEP_PKCS_REQ, &server, &message, &e));
    T_OK(scep_request_parse(buf_view(&message), &r, &e));
    assert_int_equal(r.type, SCEP_PKCS_REQ);
    assert_string_equal(r.transaction, client.transaction);
    assert_int_equal(r.nonce_len, 16);
    open_message(&r, &plain);
    T_OK(csr_parse(buf_view(&plain), &csr, &e));
    T_OK(csr_verify(lib, &csr, 2048, false, &e));
    assert_true(view_equal(buf_view(&csr.challenge), view_text("9A41C07E55D2F318")));
    T_OK(cert_parse(r.signer, &signer, &e));
    assert_true(view_equal(signer.spki, csr.spki));
    assert_true(view_equal(signer.subject, csr.subject));
    assert_true(signer.not_before_at < io_wall_s() && signer.not_after_at > io_wall_s());
    T_OK(cert_key_usage(&signer, &usage, &e));
    assert_int_equal(usage, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    T_OK(verify_signature(lib, signer.spki, signer.signature_algorithm, DIGEST_NONE, signer.tbs,
        signer.signature, NULL, &e));
    csr_free(&csr);
    buf_free(&message);
    buf_free(&plain);
}

static void a_poll_names_ca_and_subject(void **state)
{
    struct buf message = BUF_INIT(ROOM), plain = BUF_SECRET(ROOM);
    struct view issuer, subject;
    struct scep_request r;
    uint8_t before[16];
    struct cert c;

    (void)state;
    memcpy(before, client.nonce, sizeof before);
    T_OK(scep_enrol_message(&client, SCEP_CERT_POLL, &server, &message, &e));
    assert_memory_not_equal(before, client.nonce, sizeof before);
    T_OK(scep_request_parse(buf_view(&message), &r, &e));
    assert_int_equal(r.type, SCEP_CERT_POLL);
    open_message(&r, &plain);
    T_OK(scep_issuer_and(buf_view(&plain), &issuer, &subject, &e));
    T_OK(cert_parse(buf_view(&ca_der), &c, &e));
    assert_true(view_equal(issuer, c.subject));
    assert_true(view_equal(subject, buf_view(&client.subject)));
    buf_free(&message);
    buf_free(&plain);
}

/* ---- what the client takes ---------------------------------------------------------------------------------------- */

static struct scep_reply reply_to(enum scep_status status)
{
    return (struct scep_reply){ .status = status,
        .fail = status == SCEP_FAILURE ? SCEP_BAD_REQUEST : SCEP_NO_FAIL,
        .transaction = client.transaction,
        .nonce = view_of(client.nonce, sizeof client.nonce),
        .digest = DIGEST_SHA256,
        .key = sign,
        .certificate = buf_view(&sign_der) };
}

static int answer(const struct scep_reply *r, struct scep_outcome *o)
{
    struct buf message = BUF_INIT(ROOM);
    int rc;

    T_OK(scep_reply_write(lib, r, &message, &e));
    rc = scep_enrol_answer(&client, &server, buf_view(&message), o, &e);
    buf_free(&message);
    return rc;
}

static void refusals_are_read(void **state)
{
    struct scep_reply r = reply_to(SCEP_FAILURE);
    struct scep_outcome o;

    (void)state;
    T_OK(answer(&r, &o));
    assert_int_equal(o.answer.status, SCEP_FAILURE);
    assert_int_equal(o.answer.fail, SCEP_BAD_REQUEST);
    scep_outcome_free(&o);
    r.ndes = true; /* no certificate in it, and an HRESULT */
    r.hresult = 0x80094004;
    T_OK(answer(&r, &o));
    assert_int_equal(o.answer.hresult, 0x80094004);
    scep_outcome_free(&o);
}

static void others_answers_are_not(void **state)
{
    static const uint8_t other[16] = "another nonce..";
    struct scep_reply nonce = reply_to(SCEP_PENDING), transaction = nonce, stranger = nonce;
    struct scep_outcome o;

    (void)state;
    nonce.nonce = view_of(other, sizeof other);
    transaction.transaction = "another";
    stranger.key = client.key;
    stranger.certificate = buf_view(&client.signer);
    T_ERR(answer(&nonce, &o), ERR_PROTO);
    T_ERR(answer(&transaction, &o), ERR_PROTO);
    T_ERR(answer(&stranger, &o), ERR_TRUST);
    stranger.certificate = buf_view(&sign_der); /* says it is the server */
    T_ERR(answer(&stranger, &o), ERR_MISMATCH);
    T_ERR(scep_enrol_answer(&client, &server, view_text("<html>"), &o, &e), ERR_PROTO);
}

/* SUCCESS with these certificates in it, to the client or to another. */
static int success(const struct buf *certs, struct view recipient, struct scep_outcome *o)
{
    struct buf list = BUF_INIT(ROOM), envelope = BUF_INIT(ROOM);
    struct scep_reply r = reply_to(SCEP_SUCCESS);
    int rc;

    T_OK(signed_certs_only(buf_view(certs), view_of(NULL, 0), &list, &e));
    T_OK(cms_envelope(
        lib, recipient, CMS_AES128_CBC, CMS_RSA_PKCS1, buf_view(&list), &envelope, &e));
    r.envelope = buf_view(&envelope);
    T_OK(answer(&r, o));
    rc = scep_enrol_certificate(&client, o, &e);
    buf_free(&list);
    buf_free(&envelope);
    return rc;
}

static void issue_device(struct buf *out)
{
    struct view spki = key_spki(client.key);
    const unsigned char *p = spki.p;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)spki.len);

    assert_non_null(key);
    issue_ra(key, "critical,digitalSignature", 0, 0, 77, out);
    EVP_PKEY_free(key);
}

static void the_certificate_is_found(void **state)
{
    struct buf certs = BUF_INIT(ROOM);
    struct scep_outcome o;

    (void)state;
    issue_device(&certs);
    T_OK(success(&certs, buf_view(&client.signer), &o));
    assert_int_equal(o.leaf_at, 0);
    assert_ptr_equal(scep_certs_issuer(lib, &server, &o.leaf), &server.cert[2]);
    scep_outcome_free(&o);
    buf_free(&certs);
    buf_add_view(&certs, buf_view(&ca_der)); /* not the first */
    issue_device(&certs);
    T_OK(success(&certs, buf_view(&client.signer), &o));
    assert_int_equal(o.leaf_at, 1);
    scep_outcome_free(&o);
    buf_free(&certs);
}

static void what_is_of_no_use(void **state)
{
    struct buf certs = BUF_INIT(ROOM);
    struct scep_outcome o;

    (void)state;
    T_ERR(success(&sign_der, buf_view(&client.signer), &o), ERR_MISMATCH);
    scep_outcome_free(&o);
    issue_device(&certs);
    T_ERR(success(&certs, buf_view(&encrypt_der), &o), ERR_INPUT);
    scep_outcome_free(&o);
    buf_free(&certs);
}

static void subjects_that_are_none(void **state)
{
    static const char *const bad[] = { "", "nonsense", "CN=", "C=Germany" };
    struct scep_enrol s;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        T_ERR(scep_enrol_open(&s, lib, bad[i], NULL, &e), ERR_INPUT);
    T_ERR(scep_enrol_open(&s, lib, "CN=x", "a\tb", &e), ERR_INPUT);
}

/* ---- GetCACert ------------------------------------------------------------------------------------------------------ */

static void judged(const struct buf *const *list, size_t count, const char *type, enum grade want,
    const char *says)
{
    struct scep_certs c;
    struct finding f;

    read_certs(&c, list, count);
    scep_certs_judge(lib, &c, type, ISSUE_NOW, &f);
    if (f.grade != want || strstr(f.fact, says) == NULL)
        fail_msg("%s: %s; wanted %s: %s", grade_name(f.grade), f.fact, grade_name(want), says);
    if (want != GRADE_PASS)
        assert_true(f.fix[0] != '\0');
    scep_certs_free(&c);
}

#define LIST "application/x-x509-ca-ra-cert"
#define ONE  "application/x-x509-ca-cert"

static void certificates_are_judged(void **state)
{
    struct buf ended = BUF_INIT(ROOM), soon = BUF_INIT(ROOM), both = BUF_INIT(ROOM),
               early = BUF_INIT(ROOM);
    const struct buf *const good[] = { &sign_der, &encrypt_der, &ca_der },
                            *const none[] = { &sign_der, &ca_der },
                            *const single[] = { &both, &ca_der }, *const only_ca[] = { &ca_der },
                            *const over[] = { &sign_der, &ended, &ca_der },
                            *const near[] = { &soon, &encrypt_der, &ca_der },
                            *const not_yet[] = { &early, &encrypt_der, &ca_der },
                            *const rootless[] = { &sign_der, &encrypt_der };

    (void)state;
    issue_ra(encrypt_key, "keyEncipherment", 0, ISSUE_NOW - 5, 31, &ended);
    issue_ra(sign_key, "digitalSignature", 0, ISSUE_NOW + 5 * ISSUE_DAY, 32, &soon);
    issue_ra(sign_key, "digitalSignature,keyEncipherment", 0, 0, 33, &both);
    issue_ra(sign_key, "digitalSignature", ISSUE_NOW + 5, 0, 34, &early);
    judged(good, 3, LIST, GRADE_PASS, "two for the registration authority");
    judged(single, 2, LIST, GRADE_PASS, "one for the registration authority");
    judged(only_ca, 1, ONE, GRADE_PASS, "the CA's own");
    judged(none, 2, LIST, GRADE_FAIL, "no encryption certificate");
    judged(over, 3, LIST, GRADE_FAIL, "the encryption certificate ended on");
    judged(near, 3, LIST, GRADE_WARN, "ends in 5 days");
    judged(not_yet, 3, LIST, GRADE_FAIL, "not valid yet");
    judged(rootless, 2, LIST, GRADE_WARN, "is not in the list");
    judged(good, 3, ONE, GRADE_FAIL, "under the type of a single one");
    judged(only_ca, 1, LIST, GRADE_FAIL, "Apple devices stop here");
    judged(good, 3, "text/html", GRADE_WARN, "text/html");
    buf_free(&ended);
    buf_free(&soon);
    buf_free(&both);
    buf_free(&early);
}

static void roles_have_names(void **state)
{
    struct buf text = BUF_INIT(200);

    (void)state;
    assert_int_equal(server.signing, 0);
    assert_int_equal(server.encryption, 1);
    scep_role_text(SCEP_ROLE_SIGNING | SCEP_ROLE_ENCRYPTION, &text);
    assert_string_equal(buf_text(&text), "RA signing, RA encryption");
    buf_reset(&text);
    scep_role_text(server.role[2], &text);
    assert_string_equal(buf_text(&text), "root");
    buf_free(&text);
}

static void memory_runs_out(void **state)
{
    struct buf message = BUF_INIT(ROOM);
    struct scep_reply r = reply_to(SCEP_PENDING);
    struct scep_outcome o;
    unsigned long n = 0;
    int rc;

    (void)state;
    T_OK(scep_reply_write(lib, &r, &message, &e));
    do {
        mem_fail_after(++n);
        rc = scep_enrol_answer(&client, &server, buf_view(&message), &o, &e);
        mem_fail_after(0);
        if (rc != 0)
            assert_int_equal(e.cls, ERR_NOMEM);
    } while (rc != 0);
    assert_true(n > 1);
    scep_outcome_free(&o);
    buf_free(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_whole),
        cmocka_unit_test(a_poll_names_ca_and_subject),
        cmocka_unit_test(refusals_are_read),
        cmocka_unit_test(others_answers_are_not),
        cmocka_unit_test(the_certificate_is_found),
        cmocka_unit_test(what_is_of_no_use),
        cmocka_unit_test(subjects_that_are_none),
        cmocka_unit_test(certificates_are_judged),
        cmocka_unit_test(roles_have_names),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests_name("scep_enrol", tests, begin, end);
}
