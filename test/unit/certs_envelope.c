/* envelope.h: what OpenSSL's CMS and our own cms_envelope encrypt is opened; what does not open does so in one
 * way only. */
#include "test/unit/signed_fixture.h"
#include "certs/cms.h"
#include "certs/der.h"
#include "certs/envelope.h"

static struct party rsa, other, ec;

static const char TEXT[] = "a request with a password in it";
static const char CLOSED[] = "the envelope does not open";

/* ---- what is opened ---- */

static void assert_opens(const struct buf *b, struct view want)
{
    struct envelope v = { 0 };
    struct buf plain = BUF_SECRET(ROOM);

    T_OK(envelope_parse(buf_view(b), &v, &e));
    assert_true(envelope_is_for(&v, buf_view(&rsa.der)));
    assert_false(envelope_is_for(&v, buf_view(&other.der)));
    assert_false(envelope_is_for(&v, view_text("x")));
    buf_add_text(&plain, ">");
    T_OK(envelope_open(lib, &v, rsa.key, &plain, &e));
    assert_int_equal(plain.p[0], '>');
    assert_true(view_equal(view_of(plain.p + 1, plain.len - 1), want));
    envelope_free(&v);
    buf_free(&plain);
}

static void openssl_seals(void **state)
{
    const EVP_CIPHER *const ciphers[] = { EVP_aes_128_cbc(), EVP_aes_192_cbc(), EVP_aes_256_cbc(),
        EVP_des_ede3_cbc() };
    const EVP_MD *const oaeps[] = { NULL, EVP_sha1(), EVP_sha256() };
    static const unsigned flags[] = { 0, CMS_USE_KEYID, CMS_STREAM };

    (void)state;
    for (size_t c = 0; c < 4; c++)
        for (size_t o = 0; o < 3; o++)
            for (size_t f = 0; f < 3; f++) {
                struct buf b = BUF_INIT(ROOM);

                if (oaeps[o] != NULL && flags[f] == CMS_STREAM)
                    continue; /* OpenSSL 3.0 does not write that */
                seal_message(&rsa, view_text(TEXT),
                    &(struct seal){ .cipher = ciphers[c], .oaep = oaeps[o], .flags = flags[f] },
                    &b);
                as_der(&b);
                assert_opens(&b, view_text(TEXT));
                buf_free(&b);
            }
}

static void content_of_any_size(void **state)
{
    static const size_t sizes[] = { 0, 1, 15, 16, 17, 31, 32, 5000, 60000 };
    struct buf content = BUF_INIT(ROOM);

    (void)state;
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        struct buf b = BUF_INIT(ROOM);

        buf_reset(&content);
        while (content.len < sizes[i / 2])
            buf_add_byte(&content, (uint8_t)content.len);
        seal_message(
            &rsa, buf_view(&content), &(struct seal){ .flags = i % 2 ? CMS_STREAM : 0 }, &b);
        as_der(&b);
        assert_opens(&b, buf_view(&content));
        buf_free(&b);
    }
    buf_free(&content);
}

static void our_own(void **state)
{
    static const enum cms_content contents[] = { CMS_AES256_CBC, CMS_DES3_CBC, CMS_AES128_CBC };
    static const enum envelope_cipher ciphers[] = { ENVELOPE_AES256, ENVELOPE_DES3,
        ENVELOPE_AES128 };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (enum cms_transport t = CMS_RSA_OAEP_SHA256; t <= CMS_RSA_PKCS1; t++) {
            struct buf b = BUF_INIT(ROOM);
            struct envelope v = { 0 };

            T_OK(cms_envelope(lib, buf_view(&rsa.der), contents[i], t, view_text(TEXT), &b, &e));
            assert_opens(&b, view_text(TEXT));
            T_OK(envelope_parse(buf_view(&b), &v, &e));
            assert_int_equal(v.cipher, ciphers[i]);
            assert_int_equal(
                v.transport, t == CMS_RSA_PKCS1 ? ENVELOPE_PKCS1 : ENVELOPE_OAEP_SHA256);
            envelope_free(&v);
            buf_free(&b);
        }
    }
}

/* ---- what does not open ---- */

/*
 * A random key opens an envelope to rubbish once in 256 times: so one of three has to fail, every failure is
 * the same, and never is the text there.
 */
static void assert_closed(const struct envelope *v, struct key *key)
{
    size_t failed = 0;

    for (size_t i = 0; i < 3; i++) {
        struct buf plain = BUF_SECRET(ROOM);

        e = (struct err){ 0 };
        if (envelope_open(lib, v, key, &plain, &e) != 0) {
            assert_int_equal(e.cls, ERR_INPUT);
            assert_string_equal(e.msg, CLOSED);
            assert_int_equal(plain.len, 0);
            failed++;
        } else {
            assert_false(view_equal(buf_view(&plain), view_text(TEXT)));
        }
        buf_free(&plain);
    }
    assert_true(failed > 0);
}

/* em as it is, under the recipient's public key */
static struct view encrypt_raw(const uint8_t em[256], uint8_t out[256])
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(rsa.pkey, NULL);
    size_t len = 256;

    assert_int_equal(EVP_PKEY_encrypt_init(c), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c, RSA_NO_PADDING), 1);
    assert_int_equal(EVP_PKEY_encrypt(c, out, &len, em, 256), 1);
    EVP_PKEY_CTX_free(c);
    return view_of(out, len);
}

/* The padded key of a message of ours, as it stands there once decrypted. */
static void decrypt_raw(const struct envelope *v, uint8_t em[256])
{
    T_OK(key_rsa_raw(lib, rsa.key, v->wrapped_key, em, &e));
}

static void every_byte_of_the_padding(void **state)
{
    struct buf b = BUF_INIT(ROOM), plain = BUF_SECRET(ROOM);
    struct envelope v = { 0 };
    uint8_t em[256], changed[256], out[256];

    (void)state;
    seal_message(&rsa, view_text(TEXT), &(struct seal){ 0 }, &b);
    T_OK(envelope_parse(buf_view(&b), &v, &e));
    decrypt_raw(&v, em);
    assert_int_equal(em[0], 0);
    assert_int_equal(em[1], 2);
    assert_int_equal(em[256 - 17], 0);
    for (size_t i = 0; i < 256 - 16; i++) {
        memcpy(changed, em, 256);
        /* the first byte: as large as it may get below the modulus; then no 2; a zero; no zero */
        changed[i] = i == 0 ? 1 : i == 1 ? 1 : i == 256 - 17 ? 7 : 0;
        v.wrapped_key = encrypt_raw(changed, out);
        assert_closed(&v, rsa.key);
    }
    for (size_t i = 2; i < 256 - 17; i++) { /* any other padding is as good */
        memcpy(changed, em, 256);
        changed[i] = (uint8_t)(em[i] == 0xff ? 1 : em[i] + 1);
        v.wrapped_key = encrypt_raw(changed, out);
        buf_reset(&plain);
        T_OK(envelope_open(lib, &v, rsa.key, &plain, &e));
        assert_true(view_equal(buf_view(&plain), view_text(TEXT)));
    }
    memcpy(changed, em, 256);
    changed[255] ^= 1;
    v.wrapped_key = encrypt_raw(changed, out);
    assert_closed(&v, rsa.key);
    envelope_free(&v);
    buf_free(&b);
    buf_free(&plain);
}

/* The key of a message of ours. */
static void content_key(const struct envelope *v, uint8_t key[16])
{
    uint8_t em[KEY_RSA_LEN_MAX];
    size_t len = 0;

    if (v->transport == ENVELOPE_PKCS1) {
        decrypt_raw(v, em);
        memcpy(key, em + 240, 16);
    } else {
        T_OK(key_rsa_oaep(lib, rsa.key, lib->sha256, v->wrapped_key, em, &len, &e));
        assert_int_equal(len, 16);
        memcpy(key, em, 16);
    }
}

/* The key of another length than the cipher has, rightly padded, the right one at either end of it. */
static void keys_of_other_lengths(void **state)
{
    static const size_t lens[] = { 0, 1, 15, 17, 24, 32, 190, 245 };
    struct buf b = BUF_INIT(ROOM);
    struct envelope v = { 0 };
    uint8_t right[16], key[300], out[256];

    (void)state;
    for (int oaep = 0; oaep < 2; oaep++) {
        seal_message(
            &rsa, view_text(TEXT), &(struct seal){ .oaep = oaep ? EVP_sha256() : NULL }, &b);
        T_OK(envelope_parse(buf_view(&b), &v, &e));
        content_key(&v, right);
        for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
            EVP_PKEY_CTX *c;
            size_t len = sizeof out;

            memset(key, 0, sizeof key);
            memcpy(key, right, 16);
            if (lens[i] > 32)
                memcpy(key + lens[i] - 16, right, 16);

            if (oaep && lens[i] > 190)
                continue;
            c = EVP_PKEY_CTX_new(rsa.pkey, NULL);
            assert_int_equal(EVP_PKEY_encrypt_init(c), 1);
            EVP_PKEY_CTX_set_rsa_padding(c, oaep ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING);
            if (oaep)
                EVP_PKEY_CTX_set_rsa_oaep_md(c, EVP_sha256());
            assert_int_equal(EVP_PKEY_encrypt(c, out, &len, key, lens[i]), 1);
            v.wrapped_key = view_of(out, len);
            assert_closed(&v, rsa.key);
            EVP_PKEY_CTX_free(c);
        }
        envelope_free(&v);
        buf_reset(&b);
    }
    buf_free(&b);
}

/* Above the modulus, too long, too short, nothing, of another recipient; and an EC key, which opens nothing. */
static void wrapped_keys_that_are_none(void **state)
{
    static const size_t lens[] = { 0, 1, 255, 256, 257, 1000 };
    const EVP_MD *const oaeps[] = { NULL, EVP_sha1(), EVP_sha256() };
    uint8_t ones[1000], zeros[1000] = { 0 };

    (void)state;
    memset(ones, 0xff, sizeof ones);
    for (size_t o = 0; o < 3; o++) {
        struct buf b = BUF_INIT(ROOM);
        struct envelope v = { 0 };

        seal_message(&rsa, view_text(TEXT), &(struct seal){ .oaep = oaeps[o] }, &b);
        T_OK(envelope_parse(buf_view(&b), &v, &e));
        assert_closed(&v, other.key);
        assert_closed(&v, ec.key);
        for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
            v.wrapped_key = view_of(ones, lens[i]);
            assert_closed(&v, rsa.key);
            v.wrapped_key = view_of(zeros, lens[i]);
            assert_closed(&v, rsa.key);
        }
        envelope_free(&v);
        buf_free(&b);
    }
}

/* ---- content ---- */

/* Blocks that end in anything: encrypted without padding under the key that a message of ours has. */
static struct envelope with_content(struct buf *b, struct view plain, struct buf *encrypted)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    struct envelope v = { 0 };
    uint8_t key[16];
    int len;

    T_OK(envelope_parse(buf_view(b), &v, &e));
    content_key(&v, key);
    buf_reset(encrypted);
    assert_int_equal(EVP_EncryptInit_ex2(c, EVP_aes_128_cbc(), key, v.iv.p, NULL), 1);
    EVP_CIPHER_CTX_set_padding(c, 0);
    assert_int_equal(
        EVP_EncryptUpdate(c, buf_extend(encrypted, plain.len), &len, plain.p, (int)plain.len), 1);
    assert_int_equal(len, plain.len);
    EVP_CIPHER_CTX_free(c);
    v.content = buf_view(encrypted);
    return v;
}

static void padding_of_the_content(void **state)
{
    struct buf b = BUF_INIT(ROOM), encrypted = BUF_INIT(ROOM), plain = BUF_SECRET(ROOM);

    (void)state;
    seal_message(&rsa, view_text(TEXT), &(struct seal){ 0 }, &b);
    for (unsigned n = 0; n < 256; n++) {
        for (unsigned wrong = 0; wrong <= 16; wrong++) { /* 0: none; else which byte from the end */
            uint8_t blocks[32];
            struct envelope v;
            bool good = n >= 1 && n <= 16 && (wrong <= 1 || wrong > n);

            if (n > 17 && n < 255 && wrong > 0)
                continue;
            memset(blocks, 'a', sizeof blocks);
            for (unsigned i = 1; i <= n && i <= 16; i++)
                blocks[32 - i] = (uint8_t)n;
            blocks[31] = (uint8_t)n;
            if (wrong > 1)
                blocks[32 - wrong] ^= 0x40;
            v = with_content(&b, view_of(blocks, 32), &encrypted);
            buf_reset(&plain);
            e = (struct err){ 0 };
            if ((envelope_open(lib, &v, rsa.key, &plain, &e) == 0) != good)
                fail_msg("padding of %u, byte %u wrong: %s", n, wrong, e.msg);
            assert_int_equal(plain.len, good ? 32 - n : 0);
            if (!good)
                assert_string_equal(e.msg, CLOSED);
            envelope_free(&v);
        }
    }
    buf_free(&b);
    buf_free(&encrypted);
    buf_free(&plain);
}

static void altered_content(void **state)
{
    struct buf b = BUF_INIT(ROOM), encrypted = BUF_INIT(ROOM);
    struct envelope v = { 0 };
    struct view whole;

    (void)state;
    seal_message(&rsa, view_text(TEXT), &(struct seal){ 0 }, &b);
    T_OK(envelope_parse(buf_view(&b), &v, &e));
    whole = v.content;
    assert_int_equal(whole.len, 32);
    for (size_t len = 0; len < 32; len++) { /* cut: the first block alone is no padding either */
        v.content = view_of(whole.p, len);
        assert_closed(&v, rsa.key);
    }
    v.content = whole;
    b.p[b.len - 1 - 16] ^= 1; /* turns a bit of the padding over */
    assert_closed(&v, rsa.key);
    b.p[b.len - 1 - 16] ^= 1;
    envelope_free(&v);
    v = with_content(
        &b, view_text("123456789abcdef\x01"), &encrypted); /* good, but for what is behind */
    buf_add(&encrypted, "12345", 5);
    v.content = buf_view(&encrypted);
    assert_closed(&v, rsa.key);
    envelope_free(&v);
    buf_free(&b);
    buf_free(&encrypted);
}

static void no_room(void **state)
{
    struct buf b = BUF_INIT(ROOM), small = BUF_SECRET(31);
    struct envelope v = { 0 };

    (void)state;
    seal_message(&rsa, view_text(TEXT), &(struct seal){ 0 }, &b);
    T_OK(envelope_parse(buf_view(&b), &v, &e));
    T_ERR(envelope_open(lib, &v, rsa.key, &small, &e), ERR_TOO_LARGE);
    assert_int_equal(small.len, 0);
    envelope_free(&v);
    envelope_free(NULL);
    buf_free(&b);
    buf_free(&small);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_seals),
        cmocka_unit_test(content_of_any_size),
        cmocka_unit_test(our_own),
        cmocka_unit_test(every_byte_of_the_padding),
        cmocka_unit_test(keys_of_other_lengths),
        cmocka_unit_test(wrapped_keys_that_are_none),
        cmocka_unit_test(padding_of_the_content),
        cmocka_unit_test(altered_content),
        cmocka_unit_test(no_room),
    };
    int failed;

    if ((lib = lib_new(&e)) == NULL)
        return 1;
    party_init(&rsa, "rsa2048", "CN=RA/O=Contoso");
    party_init(&other, "rsa2048", "CN=Another RA/O=Contoso");
    party_init(&ec, "P-256", "CN=RA with EC/O=Contoso");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    party_free(&rsa);
    party_free(&other);
    party_free(&ec);
    lib_free(lib);
    return failed;
}
