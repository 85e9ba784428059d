/* mem.h */
#include "test/t.h"
#include "certs/mem.h"
#include <stdlib.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <openssl/crypto.h>

static void plain_allocations_are_zeroed(void **state)
{
    static const uint8_t zero[100];
    uint8_t *a = xcalloc(10, 10), *b = mem_try(100, 1), *c = mem_secret_try(100);
    void *none = xcalloc(0, 0);
    char *copy = xstrdup("text");

    (void)state;
    assert_non_null(b);
    assert_non_null(c);
    assert_non_null(none);
    assert_memory_equal(a, zero, 100);
    assert_memory_equal(b, zero, 100);
    assert_memory_equal(c, zero, 100);
    assert_string_equal(copy, "text");
    assert_null(xstrdup(NULL));
    free(a);
    free(b);
    mem_secret_free(c, 100);
    free(none);
    text_wipe_free(copy);
    text_wipe_free(NULL);
    mem_wipe_free(NULL, 0);
    mem_secret_free(NULL, 0);
}

static void wipe_wipes(void **state)
{
    uint8_t secret[16], zero[16] = { 0 };

    (void)state;
    memset(secret, 0xa5, sizeof secret);
    mem_wipe(secret, sizeof secret);
    assert_memory_equal(secret, zero, sizeof zero);
    mem_wipe(NULL, 0);
}

/* What a library gets is what malloc's family gives; agent_memory.c looks at what is left of it. */
static void libraries_get_blocks_like_any(void **state)
{
    static const uint8_t zero[40];
    char *p = mem_lib_realloc(NULL, 8), *copy = mem_lib_strdup("text"), *plain = strdup("plain");
    void *zeroed = mem_lib_calloc(4, 10);

    (void)state;
    memcpy(p, "1234567", 8);
    p = mem_lib_realloc(p, 100000);
    assert_string_equal(p, "1234567");
    p = mem_lib_realloc(p, 90000);
    assert_string_equal(p, "1234567");
    p = mem_lib_realloc(p, 4);
    assert_memory_equal(p, "1234", 4);
    assert_null(mem_lib_realloc(p, 0)); /* freed */
    assert_string_equal(copy, "text");
    assert_memory_equal(zeroed, zero, sizeof zero);
    plain = mem_lib_realloc(plain, 1000);
    assert_string_equal(plain, "plain");
    free(plain);
    mem_lib_free(copy);
    mem_lib_free(zeroed);
    mem_lib_free(NULL);
    mem_lib_free(mem_lib_malloc(0));
}

static void equal_compares(void **state)
{
    (void)state;
    assert_true(mem_equal("abc", "abc", 3));
    assert_false(mem_equal("abc", "abd", 3));
    assert_true(mem_equal("abc", "abd", 2));
    assert_true(mem_equal(NULL, NULL, 0));
}

static void the_nth_try_fails_and_no_other(void **state)
{
    void *p[4];

    (void)state;
    mem_fail_after(3);
    for (int i = 0; i < 4; i++)
        p[i] = i % 2 ? mem_try(8, 1) : mem_secret_try(8);
    assert_int_equal(mem_count(), 4);
    assert_non_null(p[0]);
    assert_non_null(p[1]);
    assert_null(p[2]);
    assert_non_null(p[3]);
    for (int i = 0; i < 4; i++)
        if (i % 2)
            free(p[i]);
        else
            mem_secret_free(p[i], 8);
    mem_fail_after(0);
    p[0] = mem_try(8, 1);
    assert_non_null(p[0]);
    assert_int_equal(mem_count(), 1);
    free(p[0]);
}

/* Under AddressSanitizer calloc would report by itself instead of returning NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* Out of memory ends the process with a word and a status the service manager takes for a failure. */
static void xcalloc_ends_the_process(void **state)
{
    int status = 0, pipe_fd[2];
    char said[4096] = "";
    ssize_t n;
    size_t len = 0;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(pipe_fd), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        size_t count = SIZE_MAX / 4 + 1;

        (void)dup2(pipe_fd[1], 2);
        free(xcalloc(count, 8)); /* the product overflows: no allocator can serve it */
        _exit(0);
    }
    close(pipe_fd[1]);
    while ((n = read(pipe_fd[0], said + len, sizeof said - 1 - len)) > 0)
        len += (size_t)n;
    assert_non_null(strstr(said, "certferry: out of memory"));
    close(pipe_fd[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
}

/* Runs in a child, because the arena stays for the life of a process. */
static void secrets_come_from_the_locked_arena(void **state)
{
    int status = 0;
    pid_t child = fork();

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        bool locked = mem_secret_start(4096);
        void *p = mem_secret_try(100), *large = mem_secret_try(1 << 20);
        int rc = p != NULL && large != NULL && CRYPTO_secure_allocated(p) == 1
                         && CRYPTO_secure_allocated(large) == 0
                     ? 0
                     : 1;

        mem_secret_free(p, 100);
        mem_secret_free(large, 1 << 20);
        if (CRYPTO_secure_used() != 0)
            rc = 2;
        _exit(rc != 0 ? rc : locked ? 0 : 10);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 10);
}

/* Without the right to lock memory the answer is false, and secrets can still be kept. */
static void an_arena_that_cannot_be_locked_is_told(void **state)
{
    const struct rlimit none = { 0, 0 };
    int status = 0;
    pid_t child;

    (void)state;
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        void *p;

        if (setrlimit(RLIMIT_MEMLOCK, &none) != 0)
            _exit(3);
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(4);
        if (mem_secret_start(4096))
            _exit(5);
        p = mem_secret_try(100);
        mem_secret_free(p, 100);
        _exit(p != NULL ? 0 : 6);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_allocations_are_zeroed),
        cmocka_unit_test(wipe_wipes),
        cmocka_unit_test(libraries_get_blocks_like_any),
        cmocka_unit_test(equal_compares),
        cmocka_unit_test(the_nth_try_fails_and_no_other),
        cmocka_unit_test(xcalloc_ends_the_process),
        cmocka_unit_test(secrets_come_from_the_locked_arena),
        cmocka_unit_test(an_arena_that_cannot_be_locked_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
