/*
 * What is left of secrets in the memory of a process that is done with them.
 *
 * The client is a child, made before the secrets are, so that it knows only what it reads from files and hears from
 * the server.  The server is the parent: it looks through the child's memory from outside, freed memory included (with
 * AddressSanitizer that is kept apart for long).
 */
#include "test/t.h"
#include <inttypes.h>
#include <openssl/rand.h>
#include <sys/wait.h>
#include "agent/cloud/token.h"
#include "agent/io/io_listen.h"
#include "certs/lib.h"
#include "certs/mem.h"
#include "certs/text.h"
#include "proto/json.h"
#include "test/live/fetch.h"

enum { CANARY = 96, PIECE = 1 << 20, WINDOW = 32 };
static const uint64_t LARGEST = (uint64_t)1 << 32; /* a sanitizer's shadow is no memory of ours */

/* Behind a secret with an escape: a parser's buffer grows when the secret is in it already. */
#define LONG_50 "and it goes on and on and on and on and on and on "
#define LONG    LONG_50 LONG_50 LONG_50 LONG_50

enum kind {
    CLIENT_SECRET,
    ACCESS_TOKEN,
    PASSWORD,
    REQUEST_BODY,
    ANSWER,
    HEARD,
    HEARD_HEADER,
    KINDS
};
static const char *const names[KINDS] = { "the client's secret", "an access token", "a password",
    "a request's body", "an answer", "what a client sent us", "the header it sent us" };
static char canaries[KINDS][CANARY + 1], in_base64[2 * CANARY];
static char token_text[600], api_text[600];
static const struct server_answer answers[] = {
    { "/token", token_text, THEN_KEEP, 0 },
    { "/api", api_text, THEN_KEEP, 0 },
    { NULL, NULL, THEN_KEEP, 0 },
};

/* ---- the child: it keeps nothing of what it hears ---- */

struct order {
    unsigned port;
    char dir[100];
    bool planted; /* it forgets to wipe something */
};

static void on_api(void *arg, const struct result *r)
{
    struct buf printed = BUF_INIT(10000);
    struct json *root;
    const char *text = NULL;
    struct err e;

    if (r->http == NULL || r->http->status != 200
        || (root = json_parse(r->http->body, 10000, &e)) == NULL)
        _exit(3);
    if (json_text(json_at(json_get(root, "list"), 0), "deep", true, 1000, &text, &e) != 0
        || strlen(text) != CANARY + 1 + strlen(LONG))
        _exit(4);
    json_print(root, &printed);
    if (printed.len < CANARY)
        _exit(5);
    if (*(bool *)arg)
        free(strdup(text));
    buf_free(&printed);
    json_free(root);
}

static void post(struct io_peer *p, const char *authorization, bool *planted)
{
    struct http_req q = fetch_get(server_url(&server, "/api"));
    struct buf body = BUF_SECRET(1000);
    int file = open(dir_path("body"), O_RDONLY);
    struct err e;

    if (read(file, buf_extend(&body, CANARY), CANARY) != CANARY)
        _exit(8);
    (void)close(file);
    q.method = "POST";
    q.body = buf_view(&body);
    if (authorization != NULL)
        q.header[q.header_count++] = (struct http_header){ "Authorization", authorization };
    if (io_http(p, &q, on_api, planted, &e) == NULL)
        _exit(6);
    buf_free(&body);
    io_run();
}

static void on_token(void *arg, const struct err *why, struct view token)
{
    struct buf *to = arg;

    if (why != NULL || token.len != CANARY)
        _exit(7);
    buf_add_text(to, "Bearer ");
    buf_add_view(to, token);
}

/* ---- it serves one request, too, and repeats what it was told ---- */

static struct io_listen *listening;
static unsigned ticks; /* since it was answered; the client stays, and so does the connection */

static void on_request(
    void *arg, struct io_exchange *x, const struct http1_request *q, const char *remote)
{
    (void)arg;
    (void)remote;
    if (q->body.len != CANARY || strlen(q->authorization) != CANARY)
        _exit(9);
    ticks = 1;
    io_answer(x, &(struct http1_answer){ .status = 200, .type = "text/plain", .body = q->body });
}

static void on_tick(void *arg, const struct result *r)
{
    (void)r;
    if (ticks > 0 && ++ticks > 5)
        io_stop();
    else if (io_timer(20, on_tick, arg) == NULL)
        _exit(10);
}

static void serve_one(int out)
{
    const struct io_listen_conf c = { .name = "devices",
        .address = "127.0.0.1:0",
        .connections_max = 4,
        .connections_per_address = 4,
        .request_s = 20,
        .idle_s = 20,
        .body_max = 10000 };
    unsigned port;
    struct err e;

    if ((listening = io_listen_open(&c, on_request, NULL, &e)) == NULL)
        _exit(11);
    port = io_listen_port(listening);
    (void)!write(out, &port, sizeof port);
    on_tick(NULL, NULL);
    io_run();
}

static void child(int in, int out)
{
    struct token_client c = { .id = "client-1" };
    struct buf bearer = BUF_SECRET(1000);
    struct io_peer *plain, *basic;
    struct tokens *tokens;
    struct order o;
    struct err e;

    if (read(in, &o, sizeof o) != (ssize_t)sizeof o || io_open(1, &e) != 0)
        _exit(2);
    (void)mem_secret_start(1 << 19);
    server.port = o.port;
    memcpy(dir_root, o.dir, sizeof dir_root);
    plain = peer_with((struct io_peer_conf){ .name = "cloud" });
    basic = peer_with((struct io_peer_conf){
        .name = "ca", .auth = IO_AUTH_BASIC, .secret_file = dir_path("password") });
    c.secret_file = dir_path("secret");
    if ((tokens = tokens_open(NULL, plain, &c, &e)) == NULL
        || token_get(tokens, server_url(&server, "/token"), "scope", on_token, &bearer) == NULL)
        _exit(2);
    io_run();
    post(plain, buf_text(&bearer), &o.planted);
    post(basic, NULL, &o.planted);
    buf_free(&bearer);
    tokens_close(tokens);
    serve_one(out);
    (void)!write(out, "d", 1);
    (void)!read(in, &o, 1); /* until it has been looked at */
    io_peer_free(plain);
    io_peer_free(basic);
    (void)!write(out, "e", 1);
    (void)!read(in, &o, 1);
    _exit(0);
}

/* ---- the parent ---- */

static bool has(const uint8_t *p, size_t len, const char *text)
{
    size_t half = strlen(text) / 2; /* the allocator writes over the first bytes of what is free */

    return memmem(p, len, text + half - WINDOW / 2, WINDOW) != NULL;
}

/* Which of the secrets the process still has: a bit for each. */
static unsigned left_in(pid_t pid)
{
    static uint8_t piece[PIECE + CANARY];
    char path[64], line[400], mode[5];
    uint64_t from, to;
    unsigned found = 0;
    FILE *maps;
    int mem;

    (void)snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    assert_true((mem = open(path, O_RDONLY)) >= 0);
    (void)snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    assert_non_null(maps = fopen(path, "r"));
    while (fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, mode) != 3
            || strncmp(mode, "rw", 2) != 0 || to - from > LARGEST)
            continue;
        for (; from < to; from += PIECE) {
            ssize_t n = pread(mem, piece, sizeof piece, (off_t)from);

            for (unsigned k = 0; n > 0 && k < KINDS; k++)
                if (has(piece, (size_t)n, canaries[k])
                    || (k == PASSWORD && has(piece, (size_t)n, in_base64)))
                    found |= 1U << k;
        }
    }
    (void)fclose(maps);
    (void)close(mem);
    return found;
}

static void make_secrets(void)
{
    struct buf pair = BUF_INIT(2 * CANARY), text = BUF_INIT(2 * CANARY);
    uint8_t random[CANARY / 2];
    char line[CANARY + 10];

    for (unsigned k = 0; k < KINDS; k++) {
        assert_int_equal(RAND_bytes(random, sizeof random), 1);
        for (size_t i = 0; i < sizeof random; i++)
            (void)snprintf(canaries[k] + 2 * i, 3, "%02x", random[i]);
    }
    buf_printf(&pair, "user:%s", canaries[PASSWORD]);
    base64_add(&text, buf_view(&pair));
    (void)snprintf(in_base64, sizeof in_base64, "%s", buf_text(&text));
    buf_free(&pair);
    buf_free(&text);
    (void)snprintf(line, sizeof line, "%s\n", canaries[CLIENT_SECRET]);
    dir_write("secret", line, 0600);
    (void)snprintf(line, sizeof line, "user:%s\n", canaries[PASSWORD]);
    dir_write("password", line, 0600);
    dir_write("body", canaries[REQUEST_BODY], 0600);
}

static void serve(char *out, size_t size, const char *before, const char *secret, const char *after)
{
    (void)snprintf(out, size,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s%s%s",
        strlen(before) + strlen(secret) + strlen(after), before, secret, after);
}

/* A client of the child. */
static int tell(unsigned port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char text[1000], *p = text;
    ssize_t n;

    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    (void)snprintf(text, sizeof text,
        "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Length: %d\r\n\r\n%s",
        canaries[HEARD_HEADER], CANARY, canaries[HEARD]);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    for (*p = '\0'; strstr(text, canaries[HEARD]) == NULL; *p = '\0') {
        assert_true((n = read(fd, p, (size_t)(text + sizeof text - 1 - p))) > 0);
        p += n;
    }
    return fd;
}

/* with_peers: while those who are asked are still known, password and all. */
static unsigned left_after(bool planted, unsigned *with_peers)
{
    struct order o = { .planted = planted };
    int to[2], from[2], status = 0, client = -1;
    unsigned left = 0, port = 0;
    char done = 0, again = 0;
    pid_t pid;

    assert_true(pipe(to) == 0 && pipe(from) == 0);
    if ((pid = fork()) == 0) {
        (void)close(to[1]); /* or it would wait for itself */
        child(to[0], from[1]);
    }
    assert_true(pid > 0);
    (void)close(from[1]);
    assert_int_equal(dir_make(NULL), 0);
    tls_certs_make(&certs);
    make_secrets();
    serve(token_text, sizeof token_text,
        "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"",
        canaries[ACCESS_TOKEN], "\"}");
    serve(api_text, sizeof api_text, "{\"n\":1,\"list\":[{\"deep\":\"", canaries[ANSWER],
        "\\n" LONG "\"},null,1.5]}");
    server_start(&server, answers, certs.server, certs.key);
    o.port = server.port;
    memcpy(o.dir, dir_root, sizeof o.dir);
    assert_int_equal(write(to[1], &o, sizeof o), sizeof o);
    if (read(from[0], &port, sizeof port) == (ssize_t)sizeof port)
        client = tell(port);
    if (read(from[0], &done, 1) == 1)
        left = left_in(pid);
    *with_peers = left;
    if (write(to[1], "", 1) == 1 && read(from[0], &again, 1) == 1)
        left = left_in(pid);
    (void)close(client);
    (void)close(to[1]);
    (void)close(to[0]);
    (void)close(from[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    server_stop(&server);
    tls_certs_free(&certs);
    assert_int_equal(dir_remove(NULL), 0);
    assert_int_equal(status, 0);
    assert_int_equal(done, 'd');
    assert_int_equal(again, 'e');
    return left;
}

static void a_secret_that_is_left_is_found(void **state)
{
    unsigned with_peers = 0;

    (void)state;
    assert_int_equal(left_after(true, &with_peers) & 1U << ANSWER, 1U << ANSWER);
}

static void nothing_is_left(void **state)
{
    unsigned with_peers = 0, left = left_after(false, &with_peers);

    (void)state;
    for (unsigned k = 0; k < KINDS; k++)
        if ((left & 1U << k) != 0)
            print_error("left in memory: %s\n", names[k]);
    assert_int_equal(left, 0);
    assert_int_equal(with_peers, 1U << PASSWORD);
}

/* The dynamic linker, when it looks for a function on its first call, saves the registers on the stack, with pieces of
 * what was copied last in them: all are looked for at once, then. */
static void bind_now(char **argv)
{
    if (getenv("LD_BIND_NOW") == NULL && setenv("LD_BIND_NOW", "1", 1) == 0)
        (void)execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_that_is_left_is_found),
        cmocka_unit_test(nothing_is_left),
    };

    (void)argc;
    bind_now(argv);
    if (!mem_watch_openssl())
        return 1;
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
