/* pbkdf2.h against RFC 7914 11 and against OpenSSL's own. */
#include "test/t.h"
#include <openssl/evp.h>
#include <openssl/rand.h>
#include "certs/pbkdf2.h"
#include "certs/text.h"

static void vectors(void **state)
{
    static const struct {
        const char *password, *salt;
        unsigned iterations;
        const char *first; /* 32 bytes of what the RFC lists */
    } rows[] = {
        { "passwd", "salt", 1, "55AC046E56E3089FEC1691C22544B605F94185216DDE0465E68B9D57C20DACBC" },
        { "Password", "NaCl", 80000,
            "4DDCD8F60B98BE21830CEE5EF22701F9641A4418D04C0414AEFF08876B34AB56" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf hex = BUF_INIT(80);
        uint8_t out[PBKDF2_LEN];

        pbkdf2_sha256(
            view_text(rows[i].password), view_text(rows[i].salt), rows[i].iterations, out);
        hex_add(&hex, view_of(out, sizeof out));
        assert_string_equal(buf_text(&hex), rows[i].first);
        buf_free(&hex);
    }
}

/* Every length of password around a block, with salts of all lengths a file can have. */
static void same_as_openssl(void **state)
{
    uint8_t bytes[200], ours[PBKDF2_LEN], theirs[PBKDF2_LEN];

    (void)state;
    for (size_t password = 0; password <= 130; password++)
        for (size_t salt = 0; salt <= 64; salt += 7) {
            unsigned rounds = 1 + (unsigned)(password + salt) % 5;

            assert_int_equal(RAND_bytes(bytes, sizeof bytes), 1);
            pbkdf2_sha256(view_of(bytes, password), view_of(bytes + 130, salt), rounds, ours);
            assert_int_equal(PKCS5_PBKDF2_HMAC((const char *)bytes, (int)password, bytes + 130,
                                 (int)salt, (int)rounds, EVP_sha256(), sizeof theirs, theirs),
                1);
            assert_memory_equal(ours, theirs, sizeof ours);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(vectors),
        cmocka_unit_test(same_as_openssl) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
