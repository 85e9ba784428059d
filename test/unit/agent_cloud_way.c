/* Messages by an identity: with a token its key fetches, which is fetched anew once when it is refused. */
#include "test/t.h"
#include "agent/base/fs.h"
#include "agent/cloud/cloud_way.h"
#include "test/live/fetch.h"

enum { MANY = 200, MS = 10000 };

static struct lib *lib;
static struct cloud_way *way;
static struct connector who;
static atomic_int tokens_asked, posts;
static int told_calls;
static bool told_failed;

static const struct server_answer none[] = { { NULL, NULL, THEN_KEEP, 0 } };
static char token_text[300];
static struct server_answer a_token = { "/token", token_text, THEN_KEEP, 0 };
static const struct server_answer no_token = { "/token",
    "HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n"
    "{\"error\":\"invalid_client\"}",
    THEN_KEEP, 0 };
static const struct server_answer good = { "",
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", THEN_KEEP,
    0 };
static const struct server_answer refusal = { "",
    "HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", THEN_KEEP,
    0 };
static bool give_token, refuse_all;

/* Each token is another one: token-1, token-2 ... */
static const struct server_answer *choose(const char *request)
{
    char body[120];

    if (strstr(request, "POST /token ") != NULL) {
        if (!give_token)
            return &no_token;
        (void)snprintf(body, sizeof body,
            "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"token-%d\"}",
            atomic_fetch_add(&tokens_asked, 1) + 1);
        (void)snprintf(token_text, sizeof token_text,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
            strlen(body), body);
        return &a_token;
    }
    atomic_fetch_add(&posts, 1);
    if (refuse_all || strstr(request, "Bearer token-1\r\n") != NULL)
        return &refusal;
    return &good;
}

static void told(void *arg, struct cloud_way *w, const struct result *r)
{
    assert_ptr_equal(arg, &told_calls);
    assert_ptr_equal(w, way);
    told_calls++;
    told_failed = r->err != NULL;
}

static int begin(void **state)
{
    static struct conf_cloud cloud;
    struct buf key = BUF_SECRET(8192);
    struct err e = { 0 };

    (void)state;
    if (fetch_begin(none) != 0 || (lib = lib_new(&e)) == NULL)
        return -1;
    server.choose = choose;
    atomic_store(&tokens_asked, 0);
    atomic_store(&posts, 0);
    refuse_all = false;
    told_calls = 0;
    give_token = true;
    cloud = (struct conf_cloud){ .trust = (char *)dir_path("root.pem") };
    T_OK(fs_read(dir_path("client.key"), &key, &e));
    who = (struct connector){ .method = CONNECTOR_JWT, .client_id = "agent-7", .scope = "ccp" };
    (void)snprintf(who.token_url, sizeof who.token_url, "%s", server_url(&server, "/token"));
    who.key = key;
    who.certificate = (struct buf)BUF_INIT(8192);
    T_OK(fs_read(dir_path("client.pem"), &who.certificate, &e));
    way = cloud_way_new(
        &(struct cloud_way_conf){
            .cloud = &cloud, .lib = lib, .who = &who, .told = told, .arg = &told_calls },
        &e);
    if (way == NULL)
        fail_msg("%s", e.msg);
    return 0;
}

static int end(void **state)
{
    (void)state;
    cloud_way_free(way);
    connector_free(&who);
    lib_free(lib);
    return fetch_end();
}

static void post_to(struct fetch *f, const char *path)
{
    struct err e = { 0 };

    *f = (struct fetch){ 0 };
    f->op = cloud_way_post(way, server_url(&server, path), "11111111-2222-4333-8444-555555555555",
        view_text("{}"), MS, fetched, f, &e);
    if (f->op == NULL)
        fail_msg("%s", e.msg);
    f->started = true;
}

/* The first token is refused: another one is fetched, once, and the message goes again. */
static void refused_once(void **state)
{
    struct fetch f;

    (void)state;
    post_to(&f, "/ccp");
    io_run();
    assert_int_equal(f.calls, 1);
    assert_int_equal(f.status, 200);
    assert_int_equal(atomic_load(&tokens_asked), 2);
    assert_int_equal(atomic_load(&posts), 2);
    assert_int_equal(told_calls, 1);
    assert_non_null(strstr(server.last, "\r\nAuthorization: Bearer token-2\r\n"));
    assert_non_null(strcasestr(server.last, "\r\nccp-version: 1\r\n"));
    assert_true(cloud_way_is_idle(way));
}

/* SR-30: 200 at once are refused with the same token: one more is fetched for all of them. */
static void all_at_once(void **state)
{
    static struct fetch all[MANY];

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        post_to(&all[i], "/ccp");
    assert_false(cloud_way_is_idle(way));
    io_run();
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(all[i].status, 200);
    assert_int_equal(atomic_load(&tokens_asked), 2);
    assert_int_equal(told_calls, MANY);
}

/* A 401 that stays is handed on, after two tries and no more. */
static void refused_for_good(void **state)
{
    struct fetch f;

    (void)state;
    refuse_all = true;
    post_to(&f, "/ccp");
    io_run();
    assert_int_equal(f.status, 401);
    assert_int_equal(atomic_load(&posts), 2);
}

/* No token, no message; whoever asks next does not ask the server again. */
static void no_token_no_message(void **state)
{
    struct fetch f;

    (void)state;
    give_token = false;
    for (int i = 0; i < 3; i++) {
        post_to(&f, "/ccp");
        io_run();
        assert_true(f.failed);
        assert_int_equal(f.err.cls, ERR_AUTH);
        assert_false(f.sent);
        assert_true(told_failed);
    }
    assert_int_equal(atomic_load(&posts), 0);
    assert_int_equal(told_calls, 3);
    assert_int_equal(atomic_load(&server.requests), 1);
}

static void cancelled(void **state)
{
    struct fetch a, b;

    (void)state;
    post_to(&a, "/ccp");
    post_to(&b, "/ccp");
    io_cancel(a.op);
    io_run();
    assert_int_equal(a.calls, 0);
    assert_int_equal(b.calls, 1);
    assert_int_equal(told_calls, 1);
    assert_true(cloud_way_is_idle(way));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(refused_once),
        T(all_at_once),
        T(refused_for_good),
        T(no_token_no_message),
        T(cancelled),
    };

    return cmocka_run_group_tests_name("agent_cloud_way", tests, NULL, NULL);
}
