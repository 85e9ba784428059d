/* The master key: where it comes from, when it is refused; and what a sealed value opens under. */
#include "test/t.h"
#include "agent/secrets/vault.h"
#include "certs/mem.h"
#include "test/unit/agent_dir.h"

static struct lib *lib;

static int group_begin(void **state)
{
    struct err e;

    (void)state;
    return (lib = lib_new(&e)) != NULL ? 0 : -1;
}

static int group_end(void **state)
{
    (void)state;
    lib_free(lib);
    return 0;
}

static int begin(void **state)
{
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    return dir_make(state);
}

static int end(void **state)
{
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    return dir_remove(state);
}

/* ---- the master key ---- */

static void made_at_the_first_start(void **state)
{
    struct vault v, again;
    struct buf key = BUF_SECRET(100), same = BUF_SECRET(100);
    struct err e = { 0 };
    struct stat st;

    (void)state;
    T_OK(vault_open(&v, lib, dir_root, NULL, true, &e));
    assert_int_equal(stat(dir_path("master.key"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    dir_read("master.key", &key);
    assert_int_equal(key.len, SEAL_KEY_LEN);
    T_OK(vault_open(&again, lib, dir_root, NULL, true, &e)); /* later starts use it */
    dir_read("master.key", &same);
    assert_true(mem_equal(key.p, same.p, SEAL_KEY_LEN));
    assert_true(mem_equal(v.request_key, again.request_key, SEAL_KEY_LEN));
    assert_false(mem_equal(v.request_key, key.p, SEAL_KEY_LEN)); /* derived, not the key itself */
    vault_close(&v);
    for (size_t i = 0; i < sizeof v.request_key; i++)
        assert_int_equal(v.request_key[i], 0);
    vault_close(&again);
    buf_free(&key);
    buf_free(&same);
}

/* A new key would make the secrets of the store unreadable for ever. */
static void never_made_for_a_store_that_exists(void **state)
{
    struct vault v;
    struct err e;

    (void)state;
    T_ERR_SAYS(vault_open(&v, lib, dir_root, NULL, false, &e), ERR_CONFIG, "master key: ");
    assert_int_equal(access(dir_path("master.key"), F_OK), -1);
}

static void others_may_read_it(void **state)
{
    static const unsigned modes[] = { 0644, 0640, 0604, 0660 };
    struct vault v;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        dir_write("master.key", "0123456789abcdef0123456789abcdef", modes[i]);
        T_ERR_SAYS(vault_open(&v, lib, dir_root, NULL, true, &e), ERR_CONFIG, "others may read it");
        T_ERR_SAYS(vault_open(&v, lib, "/none", dir_path("master.key"), true, &e), ERR_CONFIG,
            "others may read it");
    }
}

static void wrong_length(void **state)
{
    static const size_t lengths[] = { 0, 1, 31, 33, 64, 4096, 4097, 100000 };
    static uint8_t zeros[100000];
    struct vault v;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        dir_put("master.key", zeros, lengths[i], 0600);
        T_ERR_SAYS(vault_open(&v, lib, dir_root, NULL, true, &e), ERR_CONFIG, "/master.key: ");
    }
}

static void a_file_of_the_administrator(void **state)
{
    struct vault v, w;
    struct err e = { 0 };

    (void)state;
    T_ERR_SAYS(vault_open(&v, lib, dir_root, dir_path("own.key"), true, &e), ERR_CONFIG,
        "own.key: No such file");
    assert_int_equal(access(dir_path("own.key"), F_OK), -1); /* never made there */
    assert_int_equal(access(dir_path("master.key"), F_OK), -1);
    dir_write("own.key", "0123456789abcdef0123456789abcdef", 0600);
    T_OK(vault_open(&v, lib, dir_root, dir_path("own.key"), false, &e));
    dir_write("master.key", "another key, which is not asked!", 0600);
    T_OK(vault_open(&w, lib, dir_root, dir_path("own.key"), true, &e));
    assert_true(mem_equal(v.request_key, w.request_key, SEAL_KEY_LEN));
    vault_close(&v);
    vault_close(&w);
}

static void a_credential_of_the_service_manager(void **state)
{
    struct vault v, w;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(mkdir(dir_path("run"), 0700), 0);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir_path("run"), 1), 0);
    T_OK(vault_open(&w, lib, dir_root, NULL, true, &e)); /* none there: the store's own */
    assert_int_equal(access(dir_path("master.key"), F_OK), 0);
    dir_write("run/certferry.master", "0123456789abcdef0123456789abcdef", 0400);
    T_OK(vault_open(&v, lib, dir_root, NULL, true, &e));
    assert_false(mem_equal(v.request_key, w.request_key, SEAL_KEY_LEN));
    if (geteuid()
        == 0) { /* as systemd gives it by an ACL: root's, and the mask where the group's rights are */
        vault_close(&v);
        assert_int_equal(chmod(dir_path("run/certferry.master"), 0440), 0);
        T_OK(vault_open(&v, lib, dir_root, NULL, true, &e));
        assert_int_equal(chown(dir_path("run/certferry.master"), 0, 4711), 0);
        T_ERR(vault_open(&w, lib, dir_root, NULL, true, &e), ERR_CONFIG);
    }
    dir_write("run/certferry.master", "too short", 0400); /* it is the key: no way around it */
    T_ERR(vault_open(&w, lib, dir_root, NULL, true, &e), ERR_CONFIG);
    vault_close(&v);
    vault_close(&w);
}

/* ---- sealing ---- */

static const char id[] = "0f8fad5b-d9cb-469f-a165-70867728950e";

static void there_and_back(void **state)
{
    struct vault v;
    struct buf dk = BUF_INIT(200), sealed = BUF_INIT(4000), plain = BUF_SECRET(2000);
    struct buf dk2 = BUF_INIT(200), sealed2 = BUF_INIT(4000);
    struct err e = { 0 };
    uint8_t secret[1217];

    (void)state;
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)(i * 7);
    T_OK(vault_open(&v, lib, dir_root, NULL, true, &e));
    T_OK(vault_seal_new(&v, lib, id, "key", view_of(secret, sizeof secret), &dk, &sealed, &e));
    assert_int_equal(dk.len, SEAL_KEY_LEN + SEAL_OVERHEAD);
    assert_int_equal(sealed.len, sizeof secret + SEAL_OVERHEAD);
    assert_null(memmem(sealed.p, sealed.len, secret, 16));
    T_OK(vault_unseal(&v, lib, id, "key", buf_view(&dk), buf_view(&sealed), &plain, &e));
    assert_true(view_equal(buf_view(&plain), view_of(secret, sizeof secret)));
    T_OK(vault_seal_new(&v, lib, id, "key", view_of(secret, sizeof secret), &dk2, &sealed2, &e));
    assert_false(view_equal(buf_view(&dk), buf_view(&dk2))); /* a new data key each time */
    assert_false(view_equal(buf_view(&sealed), buf_view(&sealed2)));
    vault_close(&v);
    buf_free(&dk);
    buf_free(&sealed);
    buf_free(&plain);
    buf_free(&dk2);
    buf_free(&sealed2);
}

static void opens_nowhere_else(void **state)
{
    struct vault v, other;
    struct buf dk = BUF_INIT(200), sealed = BUF_INIT(400), plain = BUF_SECRET(200);
    struct buf dk2 = BUF_INIT(200), sealed2 = BUF_INIT(400);
    struct err e = { 0 };

    (void)state;
    T_OK(vault_open(&v, lib, dir_root, NULL, true, &e));
    dir_write("own.key", "0123456789abcdef0123456789abcdef", 0600);
    T_OK(vault_open(&other, lib, dir_root, dir_path("own.key"), true, &e));
    T_OK(vault_seal_new(&v, lib, id, "key", view_text("the key"), &dk, &sealed, &e));
    T_OK(vault_seal_new(&v, lib, id, "key", view_text("the key"), &dk2, &sealed2, &e));
#define UNSEAL(vault, id, what, dk, sealed) \
    vault_unseal(&(vault), lib, id, what, buf_view(&(dk)), buf_view(&(sealed)), &plain, &e)
    T_ERR_SAYS(UNSEAL(v, "another-request", "key", dk, sealed), ERR_CRYPTO,
        "key of request another-request does not open");
    T_ERR(UNSEAL(v, id, "result", dk, sealed), ERR_CRYPTO);
    T_ERR(UNSEAL(other, id, "key", dk, sealed), ERR_CRYPTO);
    T_ERR(UNSEAL(v, id, "key", dk2, sealed), ERR_CRYPTO);
    T_ERR(UNSEAL(v, id, "key", sealed, dk), ERR_CRYPTO);
    for (size_t i = 0; i < sealed.len; i++) { /* any bit changed */
        sealed.p[i] ^= 1;
        T_ERR(UNSEAL(v, id, "key", dk, sealed), ERR_CRYPTO);
        sealed.p[i] ^= 1;
    }
    for (size_t i = 0; i < dk.len; i++) {
        dk.p[i] ^= 0x80;
        T_ERR(UNSEAL(v, id, "key", dk, sealed), ERR_CRYPTO);
        dk.p[i] ^= 0x80;
    }
    buf_reset(&dk2); /* the data key was destroyed: I8 */
    T_ERR(UNSEAL(v, id, "key", dk2, sealed), ERR_CRYPTO);
    assert_int_equal(plain.len, 0);
    T_OK(UNSEAL(v, id, "key", dk, sealed));
    assert_true(view_equal(buf_view(&plain), view_text("the key")));
    vault_close(&v);
    vault_close(&other);
    buf_free(&dk);
    buf_free(&sealed);
    buf_free(&plain);
    buf_free(&dk2);
    buf_free(&sealed2);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(made_at_the_first_start),
        TEST(never_made_for_a_store_that_exists),
        TEST(others_may_read_it),
        TEST(wrong_length),
        TEST(a_file_of_the_administrator),
        TEST(a_credential_of_the_service_manager),
        TEST(there_and_back),
        TEST(opens_nowhere_else),
    };

    return cmocka_run_group_tests_name("agent_vault", tests, group_begin, group_end);
}
