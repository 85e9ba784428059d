/* Another master key: what was sealed opens with the new one alone, wherever the exchange was cut short. */
#include <signal.h>
#include <sys/resource.h>
#include "test/t.h"
#include "agent/base/clock.h"
#include "agent/service/rotate.h"
#include "certs/mem.h"
#include "test/unit/agent_dir.h"

enum { REQUESTS = 40 };

static struct lib *lib;
static struct agent a;
static struct conf conf;

static int group_begin(void **state)
{
    struct err e;

    (void)state;
    clock_start();
    return (lib = lib_new(&e)) != NULL ? 0 : -1;
}

static int group_end(void **state)
{
    (void)state;
    lib_free(lib);
    return 0;
}

static void open_it(void)
{
    struct err e = { 0 };

    a = (struct agent){ .conf = &conf, .lib = lib, .lock = -1 };
    T_OK(agent_open_store(&a, &e));
}

static void reopen(void)
{
    agent_close_store(&a);
    open_it();
}

static const char *id_of(int i)
{
    static char id[40];

    (void)snprintf(id, sizeof id, "00000000-0000-4000-8000-%012d", i);
    return id;
}

/* Requests with sealed keys, some without; a pair of an RA; two secrets of an administrator. */
static void fill(void)
{
    struct buf data_key = BUF_INIT(200), key = BUF_INIT(400);
    struct store_ra ra = { .endpoint = "devices", .generation = 1, .use = 's' };
    struct err e = { 0 };

    for (int i = 0; i < REQUESTS; i++) {
        struct request r = { .state = REQUEST_READY, .next_at = 1, .created_at = 1 };

        (void)snprintf(r.id, sizeof r.id, "%s", id_of(i));
        (void)snprintf(r.kind, sizeof r.kind, "pkcsIssue");
        (void)snprintf(r.step, sizeof r.step, "csr");
        assert_int_equal(store_insert(a.store, &r, view_text("{}"), &e), 1);
        if (i % 4 == 3)
            continue;
        buf_reset(&data_key);
        buf_reset(&key);
        T_OK(vault_seal_new(&a.vault, lib, r.id, "key", view_text(r.id), &data_key, &key, &e));
        T_OK(store_put_blob(a.store, r.id, BLOB_DATA_KEY, buf_view(&data_key), &e));
        T_OK(store_put_blob(a.store, r.id, BLOB_KEY, buf_view(&key), &e));
    }
    buf_reset(&data_key);
    buf_reset(&key);
    (void)snprintf(ra.request_id, sizeof ra.request_id, "ra-devices-1-s");
    T_OK(vault_seal_new(
        &a.vault, lib, ra.request_id, "key", view_text("of the RA"), &data_key, &key, &e));
    ra.path = view_text("path");
    ra.data_key = buf_view(&data_key);
    ra.key = buf_view(&key);
    T_OK(store_ra_put(a.store, &ra, &e));
    T_OK(store_commit(a.store, &e));
    T_OK(secrets_put(a.secrets, "one", view_text("first value"), &e));
    T_OK(secrets_put(a.secrets, "two", view_text("second value"), &e));
    buf_free(&data_key);
    buf_free(&key);
}

static void ra_opens(void *arg, const struct store_ra *r)
{
    struct buf out = BUF_SECRET(100);
    struct err e = { 0 };

    T_OK(vault_unseal(&a.vault, lib, r->request_id, "key", r->data_key, r->key, &out, &e));
    assert_true(view_equal(buf_view(&out), view_text("of the RA")));
    buf_free(&out);
    ++*(int *)arg;
}

static void everything_opens(void)
{
    struct buf blob[BLOB_COUNT], out = BUF_SECRET(1000);
    struct err e = { 0 };
    int seen = 0;

    for (size_t b = 0; b < BLOB_COUNT; b++)
        blob[b] = (struct buf)BUF_INIT(1000);
    for (int i = 0; i < REQUESTS; i++) {
        T_OK(store_get_blobs(a.store, id_of(i), blob, &e));
        assert_int_equal(blob[BLOB_DATA_KEY].len > 0, i % 4 != 3);
        if (i % 4 != 3) {
            buf_reset(&out);
            T_OK(vault_unseal(&a.vault, lib, id_of(i), "key", buf_view(&blob[BLOB_DATA_KEY]),
                buf_view(&blob[BLOB_KEY]), &out, &e));
            assert_true(view_equal(buf_view(&out), view_text(id_of(i))));
        }
        for (size_t b = 0; b < BLOB_COUNT; b++)
            buf_free(&blob[b]);
    }
    T_OK(store_ra_list(a.store, "devices", ra_opens, &seen, &e));
    assert_int_equal(seen, 1);
    buf_reset(&out);
    T_OK(secrets_get(a.secrets, "one", &out, &e));
    T_OK(secrets_get(a.secrets, "two", &out, &e));
    assert_true(view_equal(buf_view(&out), view_text("first valuesecond value")));
    T_OK(secrets_prove(a.secrets, &e));
    buf_free(&out);
}

static int begin(void **state)
{
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    if (dir_make(state) != 0)
        return -1;
    conf = (struct conf){ .store = { .dir = dir_root } };
    open_it();
    fill();
    return 0;
}

static int end(void **state)
{
    agent_close_store(&a);
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    return dir_remove(state);
}

/* ---- the whole way ---- */

static void opens_with_the_new_key_alone(void **state)
{
    struct buf before = BUF_SECRET(100), after = BUF_SECRET(100);
    uint8_t old[SEAL_KEY_LEN] = { 1 }, zeros[SEAL_KEY_LEN] = { 0 };
    struct rotated r;
    struct err e = { 0 };
    int fd;

    (void)state;
    dir_read("master.key", &before);
    fd = open(dir_path("master.key"), O_RDONLY);
    T_OK(rotate(&a, &r, &e));
    assert_int_equal(r.data_keys, REQUESTS - REQUESTS / 4 + 1);
    assert_int_equal(r.secrets, 3); /* and the proof */
    assert_int_equal(r.unreadable, 0);
    everything_opens();
    dir_read("master.key", &after);
    assert_int_equal(after.len, SEAL_KEY_LEN);
    assert_false(mem_equal(before.p, after.p, SEAL_KEY_LEN));
    assert_int_equal(
        pread(fd, old, sizeof old, 0), SEAL_KEY_LEN); /* the old file, which has no name */
    assert_true(mem_equal(old, zeros, sizeof old));
    assert_int_equal(access(dir_path("master.key.exchange"), F_OK), -1);
    assert_int_equal(access(dir_path("master.key.exchanged"), F_OK), -1);
    reopen();
    assert_false(a.vault.has_other);
    everything_opens();
    (void)close(fd);
    buf_free(&before);
    buf_free(&after);
}

static void not_again_within_minutes(void **state)
{
    struct rotated r;
    struct err e = { 0 };

    (void)state;
    T_OK(rotate(&a, &r, &e));
    T_ERR_SAYS(rotate(&a, &r, &e), ERR_CONFLICT, "ago");
    everything_opens();
}

/* What a worker sealed with the key before opens, and is sealed again. */
static void a_worker_that_began_before(void **state)
{
    struct vault workers = a.vault;
    struct buf data_key = BUF_INIT(200), key = BUF_INIT(200), out = BUF_SECRET(100);
    struct rotated r;
    struct err e = { 0 };

    (void)state;
    T_OK(rotate(&a, &r, &e));
    T_OK(vault_seal_new(&workers, lib, "x", "key", view_text("late"), &data_key, &key, &e));
    T_OK(vault_unseal(&a.vault, lib, "x", "key", buf_view(&data_key), buf_view(&key), &out, &e));
    assert_int_equal(vault_renew(&a.vault, lib, "x", &data_key, &e), 1);
    assert_int_equal(vault_renew(&a.vault, lib, "x", &data_key, &e), 0);
    T_ERR(vault_renew(&a.vault, lib, "y", &data_key, &e), ERR_CRYPTO);
    reopen();
    buf_reset(&out);
    T_OK(vault_unseal(&a.vault, lib, "x", "key", buf_view(&data_key), buf_view(&key), &out, &e));
    assert_true(view_equal(buf_view(&out), view_text("late")));
    buf_free(&data_key);
    buf_free(&key);
    buf_free(&out);
}

static void what_neither_opens_is_left(void **state)
{
    struct rotated r;
    struct err e = { 0 };

    (void)state;
    dir_write("secrets/broken", "not sealed by anybody we know, and long enough", 0600);
    T_OK(store_put_blob(
        a.store, id_of(3), BLOB_DATA_KEY, view_text("nor this one, at this length"), &e));
    T_OK(store_commit(a.store, &e));
    T_OK(rotate(&a, &r, &e));
    assert_int_equal(r.unreadable, 2);
    assert_int_equal(r.secrets, 3);
    assert_int_equal(access(dir_path("secrets/broken"), F_OK), 0);
}

/* ---- cut short ---- */

static void after_the_new_key_was_written(void **state)
{
    struct err e = { 0 };

    (void)state;
    T_OK(vault_use_new(&a.vault, lib, dir_root, NULL, &e));
    T_OK(secrets_put(a.secrets, "three", view_text("with the new one"), &e));
    everything_opens();
    reopen(); /* finishes it */
    assert_false(a.vault.pending);
    assert_int_equal(access(dir_path("master.key.exchange"), F_OK), -1);
    everything_opens();
    reopen();
    assert_false(a.vault.has_other);
    everything_opens();
}

static void between_secrets_and_store(void **state)
{
    size_t changed = 0, unreadable = 0;
    struct err e = { 0 };

    (void)state;
    T_OK(vault_use_new(&a.vault, lib, dir_root, NULL, &e));
    T_OK(secrets_renew(a.secrets, &changed, &unreadable, &e));
    assert_int_equal(changed, 3);
    reopen();
    everything_opens();
    reopen();
    assert_false(a.vault.has_other);
    everything_opens();
}

/* Everything is written, and the old key has its second name. */
static void before_the_keys_change_places(void **state)
{
    struct vault_keys none = { { 0 }, { 0 } };
    struct rotated r;
    struct err e = { 0 };
    struct buf old = BUF_SECRET(100);

    (void)state;
    dir_read("master.key", &old);
    T_OK(rotate(&a, &r, &e));
    /* As it was a moment before: the new key in its waiting place, the old one under both names. */
    assert_int_equal(rename(dir_path("master.key"), dir_path("master.key.exchange")), 0);
    dir_put("master.key", old.p, old.len, 0600);
    assert_int_equal(link(dir_path("master.key"), dir_path("master.key.exchanged")), 0);
    reopen();
    everything_opens();
    assert_int_equal(access(dir_path("master.key.exchange"), F_OK), -1);
    assert_int_equal(access(dir_path("master.key.exchanged"), F_OK), -1);
    /* And after they did: only the overwriting is left. */
    dir_put("master.key.exchanged", old.p, old.len, 0600);
    reopen();
    assert_int_equal(access(dir_path("master.key.exchanged"), F_OK), -1);
    assert_true(mem_equal(&a.vault.other, &none, sizeof none));
    everything_opens();
    buf_free(&old);
}

/* A failed write leaves both keys in use, and the next attempt goes on. */
static void a_full_disk(void **state)
{
    struct rlimit was, little;
    struct rotated r;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    little = (struct rlimit){ 10, was.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    T_ERR(rotate(&a, &r, &e), ERR_STORE);
    assert_false(a.vault.pending); /* not even the new key: nothing has begun */
    everything_opens();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    T_OK(vault_use_new(&a.vault, lib, dir_root, NULL, &e));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    T_ERR(rotate(&a, &r, &e), ERR_STORE);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_true(a.vault.pending);
    everything_opens();
    T_OK(rotate(&a, &r, &e)); /* goes on, whatever the time */
    assert_false(a.vault.pending);
    reopen();
    everything_opens();
}

/* ---- a credential ---- */

static void a_credential_is_exchanged_by_the_service_manager(void **state)
{
    struct rotated r;
    struct err e = { 0 };
    struct buf old = BUF_SECRET(100);

    (void)state;
    dir_read("master.key", &old);
    assert_int_equal(mkdir(dir_path("run"), 0700), 0);
    dir_put("run/certferry.master", old.p, old.len, 0400);
    assert_int_equal(unlink(dir_path("master.key")), 0);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir_path("run"), 1), 0);
    reopen();
    everything_opens();
    T_ERR_SAYS(rotate(&a, &r, &e), ERR_CONFIG, "certferry.master");
    /* Both are given, and the start does it. */
    dir_put("run/certferry.master.old", old.p, old.len, 0400);
    dir_write("run/certferry.master", "0123456789abcdef0123456789abcdef", 0400);
    reopen();
    everything_opens();
    assert_int_equal(unlink(dir_path("run/certferry.master.old")), 0);
    reopen();
    assert_false(a.vault.has_other);
    everything_opens();
    buf_free(&old);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(opens_with_the_new_key_alone),
        TEST(not_again_within_minutes),
        TEST(a_worker_that_began_before),
        TEST(what_neither_opens_is_left),
        TEST(after_the_new_key_was_written),
        TEST(between_secrets_and_store),
        TEST(before_the_keys_change_places),
        TEST(a_full_disk),
        TEST(a_credential_is_exchanged_by_the_service_manager),
    };

    return cmocka_run_group_tests_name("agent_rotate", tests, group_begin, group_end);
}
