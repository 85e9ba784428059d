/* A certificate and its key from PEM files: every form administrators have them in. */
#include "test/t.h"
#include "agent/base/fs.h"
#include "agent/secrets/identity.h"
#include "test/live/tls_certs.h"

static struct tls_certs certs;
static struct lib *lib;

static int begin(void **state)
{
    struct err e;

    if (dir_make(state) != 0 || (lib = lib_new(&e)) == NULL)
        return -1;
    tls_certs_make(&certs);
    return 0;
}

static int end(void **state)
{
    tls_certs_free(&certs);
    lib_free(lib);
    return dir_remove(state);
}

static void opens(const char *certificate, const char *key)
{
    struct buf der = BUF_INIT(8192);
    struct identity i;
    struct err e = { 0 };

    T_OK(identity_open(&i, lib, dir_path(certificate), key != NULL ? dir_path(key) : NULL, &e));
    issue_der(certs.client, &der);
    assert_true(view_equal(buf_view(&i.certificate), buf_view(&der)));
    assert_int_equal(key_type(i.key), KEY_P256);
    identity_close(&i);
    identity_close(&i);
    buf_free(&der);
}

static void fails(const char *certificate, const char *key, const char *says)
{
    struct identity i;
    struct err e;

    T_ERR_SAYS(identity_open(&i, lib, certificate != NULL ? dir_path(certificate) : NULL,
                   key != NULL ? dir_path(key) : NULL, &e),
        ERR_CONFIG, says);
    assert_null(i.key);
    assert_int_equal(i.certificate.len, 0);
}

static void in_two_files_or_one(void **state)
{
    (void)state;
    opens("client.pem", "client.key");
    tls_write("both.pem", certs.client, certs.key);
    opens("both.pem", NULL);
    opens("both.pem", "both.pem");
}

static void reads(const char *certificate, const char *key, size_t der_len)
{
    struct buf pem = BUF_INIT(8192), secret = BUF_SECRET(8192);
    struct identity i;
    struct err e = { 0 };

    if (certificate != NULL)
        T_OK(fs_read(dir_path(certificate), &pem, &e));
    T_OK(fs_read(dir_path(key), &secret, &e));
    T_OK(identity_read(&i, lib, buf_view(&pem), buf_view(&secret), &e));
    assert_int_equal(i.certificate.len, der_len);
    assert_int_equal(key_type(i.key), KEY_P256);
    identity_close(&i);
    buf_free(&pem);
    buf_free(&secret);
}

static void not_read(const char *certificate, const char *key, const char *says)
{
    struct buf pem = BUF_INIT(8192), secret = BUF_SECRET(8192);
    struct identity i;
    struct err e = { 0 };

    T_OK(fs_read(dir_path(certificate), &pem, &e));
    T_OK(fs_read(dir_path(key), &secret, &e));
    T_ERR_SAYS(identity_read(&i, lib, buf_view(&pem), buf_view(&secret), &e), ERR_CONFIG, says);
    assert_null(i.key);
    buf_free(&pem);
    buf_free(&secret);
}

static void from_memory(void **state)
{
    struct buf der = BUF_INIT(8192);

    (void)state;
    issue_der(certs.client, &der);
    reads("client.pem", "client.key", der.len);
    reads(NULL, "client.key", 0);
    not_read("root.pem", "client.key", "not the key of its certificate");
    not_read("client.pem", "root.pem", "no private key");
    dir_write("cut.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n", 0600);
    not_read("cut.pem", "client.key", "the connector's identity");
    buf_free(&der);
}

static void traditional(const char *name, EVP_PKEY *key)
{
    BIO *b = BIO_new_file(dir_path(name), "w");

    assert_int_equal(PEM_write_bio_PrivateKey_traditional(b, key, NULL, NULL, 0, NULL, NULL), 1);
    BIO_free(b);
    (void)chmod(dir_path(name), 0600);
}

static void encrypted(const char *name, EVP_PKEY *key)
{
    FILE *f = fopen(dir_path(name), "w");

    assert_int_equal(
        PEM_write_PKCS8PrivateKey(f, key, EVP_aes_256_cbc(), "word", 4, NULL, NULL), 1);
    (void)fclose(f);
    (void)chmod(dir_path(name), 0600);
}

/* Each says what to do, and names the file. */
static void what_does_not_do(void **state)
{
    (void)state;
    traditional("old.key", certs.key);
    fails("client.pem", "old.key", "openssl pkcs8 -topk8");
    encrypted("closed.key", certs.key);
    fails("client.pem", "closed.key", "passphrase");
    fails("client.pem", "root.pem", "root.pem: no private key");
    fails("client.pem", "absent.key", "absent.key");
    fails("absent.pem", "client.key", "absent.pem");
    fails("client.key", NULL, "client.key");
    fails(NULL, "client.key", "without a certificate");
    fails("root.pem", "client.key", "not the key of the certificate");
    dir_write("junk.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0600);
    fails("client.pem", "junk.key", "junk.key");
    dir_write("cut.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n", 0600);
    fails("client.pem", "cut.key", "cut.key");
    (void)chmod(dir_path("client.key"), 0640);
    fails("client.pem", "client.key", "chmod 600");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(in_two_files_or_one, begin, end),
        cmocka_unit_test_setup_teardown(from_memory, begin, end),
        cmocka_unit_test_setup_teardown(what_does_not_do, begin, end),
    };

    return cmocka_run_group_tests_name("agent_identity", tests, NULL, NULL);
}
