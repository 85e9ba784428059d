/* see token.h */
#include <stdlib.h>
#include <string.h>
#include "agent/base/clock.h"
#include "agent/cloud/token.h"
#include "agent/io/peer.h"
#include "agent/secrets/identity.h"
#include "agent/secrets/secret.h"
#include "certs/mem.h"
#include "proto/oauth.h"

enum {
    TIMEOUT_MS = 30000,
    ANSWER_MAX = 64 << 10,
    FORM_MAX = 64 << 10,
    TOKEN_BYTES_MAX = 8000, /* it has to fit a header */
    SECRET_MAX = 4096,
    EARLY_MS = 180000,
    LIFE_MAX_S = 86400,
    DROP_PAUSE_MS = 30000,
    PAUSE_BASE_S = 1,
    PAUSE_CAP_S = 300,
    HOLD_S = 60,
};

struct token_wait {
    struct entry *entry;
    struct err why; /* instead of an entry */
    token_fn *fn;
    void *arg;
    struct op *soon; /* timer: the answer is known already */
    struct token_wait *next, **link;
};

struct entry {
    struct tokens *tokens;
    char *url, *scope;
    struct buf access; /* empty: none */
    uint64_t renew_at_ms, ends_at_ms;
    struct op *op; /* the request under way */
    struct token_wait *waiting;
    struct err why; /* the last failure; nobody asks again before again_at_ms */
    unsigned failures;
    uint64_t again_at_ms, dropped_at_ms;
    bool dropped;
};

struct tokens {
    struct lib *lib;
    struct io_peer *io;
    char *id;
    struct buf secret;
    struct identity identity;
    struct entry entries[TOKENS_MAX];
    size_t count;
    struct token_wait *refused; /* those for whom there is no entry left */
};

struct tokens *tokens_open(
    struct lib *l, struct io_peer *io, const struct token_client *c, struct err *e)
{
    struct tokens *t = xcalloc(1, sizeof *t);
    bool by_certificate = c->certificate_file != NULL || c->key_file != NULL || c->key.len > 0;

    t->lib = l;
    t->io = io;
    t->id = xstrdup(c->id);
    t->secret = (struct buf)BUF_SECRET(SECRET_MAX);
    if (t->id == NULL || by_certificate == (c->secret_file != NULL))
        (void)err_set(e, ERR_CONFIG,
            "access tokens: a client id and either a secret or a certificate must be set");
    else if ((c->key.len > 0 ? identity_read(&t->identity, l, c->certificate, c->key, e)
                 : by_certificate
                     ? identity_open(&t->identity, l, c->certificate_file, c->key_file, e)
                     : secret_read(c->secrets, c->secret_file, &t->secret, e))
             == 0)
        return t;
    tokens_close(t);
    return NULL;
}

static void wait_free(struct token_wait *w)
{
    if ((*w->link = w->next) != NULL)
        w->next->link = w->link;
    io_cancel(w->soon);
    free(w);
}

static void free_waiting(struct token_wait **list)
{
    while (*list != NULL)
        wait_free(*list);
}

void tokens_close(struct tokens *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->count; i++) {
        struct entry *en = &t->entries[i];

        io_cancel(en->op);
        free_waiting(&en->waiting);
        buf_free(&en->access);
        free(en->url);
        free(en->scope);
    }
    free_waiting(&t->refused);
    identity_close(&t->identity);
    buf_free(&t->secret);
    free(t->id);
    free(t);
}

/* ---- handing out ---------------------------------------------------------------------------------------- */

static void join(struct token_wait *w, struct token_wait **list)
{
    w->link = list;
    if ((w->next = *list) != NULL)
        w->next->link = &w->next;
    *list = w;
}

/* The last moment of w: what it is told may be all that is left of the entry's state, so it comes last. */
static void hand(struct token_wait *w, const struct err *why, struct view token)
{
    token_fn *fn = w->fn;
    void *arg = w->arg;

    wait_free(w);
    fn(arg, why, token);
}

static bool is_valid(const struct entry *en)
{
    return en->access.len > 0 && io_now_ms() < en->ends_at_ms;
}

static bool is_paused(const struct entry *en)
{
    return en->failures > 0 && io_now_ms() < en->again_at_ms;
}

/* A callback may drop the entry's own. */
static int copy(const struct entry *en, struct buf *token, struct err *e)
{
    buf_add_view(token, buf_view(&en->access));
    return buf_check(token, e);
}

/* Everybody who waits now.  Who asks from within a callback waits for the next answer. */
static void hand_all(struct entry *en, const struct err *why)
{
    struct token_wait *now = en->waiting;
    struct buf token = BUF_SECRET(TOKEN_BYTES_MAX);
    struct err e;

    if (now == NULL)
        return;
    en->waiting = NULL;
    now->link = &now;
    if (why == NULL && copy(en, &token, &e) != 0)
        why = &e;
    while (now != NULL)
        hand(now, why, buf_view(&token));
    buf_free(&token);
}

/* ---- asking --------------------------------------------------------------------------------------------- */

static void failed(struct entry *en, const struct err *why, int64_t retry_after_s)
{
    int64_t pause_s = back_off_s(en->failures, PAUSE_BASE_S, PAUSE_CAP_S);

    if (retry_after_s >= 0)
        pause_s = retry_after_s;
    else if (err_action(why->cls) == ERR_DO_HOLD && pause_s < HOLD_S)
        pause_s = HOLD_S;
    en->why = *why;
    en->failures++;
    en->again_at_ms = io_now_ms() + (uint64_t)pause_s * 1000;
}

static bool fits_a_header(struct view token)
{
    for (size_t i = 0; i < token.len; i++)
        if (token.p[i] <= ' ' || token.p[i] > '~')
            return false;
    return token.len > 0 && token.len <= TOKEN_BYTES_MAX;
}

static int keep(struct entry *en, struct oauth_token *got, struct err *e)
{
    int64_t life_s = got->expires_in_s < LIFE_MAX_S ? got->expires_in_s : LIFE_MAX_S;
    uint64_t now = io_now_ms(), life_ms = (uint64_t)life_s * 1000;
    uint64_t early_ms = life_ms / 2 < EARLY_MS ? life_ms / 2 : EARLY_MS;

    if (life_s <= 0 || !fits_a_header(buf_view(&got->access)))
        return err_set(e, ERR_PROTO, "an access token that cannot be used");
    buf_take(&en->access, &got->access);
    en->renew_at_ms = now + life_ms - early_ms;
    en->ends_at_ms = now + life_ms;
    en->failures = 0;
    return 0;
}

/* An error of OAuth is a 400 or 401 in JSON; what is no JSON on the way there came from something else. */
static int judge(struct entry *en, const struct http_reply *h, struct err *e)
{
    static const char *const types[] = { "application/json", NULL };
    struct oauth_token got = { .access = BUF_SECRET(ANSWER_MAX) };
    int rc = -1;

    if (h->status >= 400 || http_judge(h, types, e) == 0)
        if (oauth_token_parse(h->status, h->body, &got, e) == 0)
            rc = keep(en, &got, e);
    buf_free(&got.access);
    return rc;
}

static void on_answer(void *arg, const struct result *r)
{
    struct entry *en = arg;
    struct err e;
    int64_t after = -1;
    int rc = -1;

    en->op = NULL;
    if (r->err != NULL) {
        e = *r->err;
    } else {
        after = r->http->retry_after_s;
        rc = judge(en, r->http, &e);
    }
    if (rc != 0) {
        (void)err_wrap(&e, "access token");
        failed(en, &e, after);
    }
    hand_all(en, rc == 0 || is_valid(en) ? NULL : &e);
}

static int ask(struct entry *en, struct err *e)
{
    struct tokens *t = en->tokens;
    struct oauth_client c = { .id = t->id,
        .secret = buf_view(&t->secret),
        .key = t->identity.key,
        .certificate = buf_view(&t->identity.certificate) };
    struct buf form = BUF_SECRET(FORM_MAX);
    struct http_req q = { .method = "POST",
        .url = en->url,
        .header = { { "Content-Type", "application/x-www-form-urlencoded" },
            { "Accept", "application/json" } },
        .header_count = 2,
        .max_reply = ANSWER_MAX,
        .timeout_ms = TIMEOUT_MS };

    if (oauth_token_form(t->lib, &c, en->url, en->scope, clock_now(), &form, e) == 0) {
        q.body = buf_view(&form);
        en->op = io_http(t->io, &q, on_answer, en, e);
    }
    buf_free(&form);
    return en->op != NULL ? 0 : -1;
}

/* A token, now or by a request under way; else en->why says why there will be none. */
static bool will_answer(struct entry *en)
{
    struct err e;

    if (en->op != NULL || is_paused(en))
        return en->op != NULL;
    if (ask(en, &e) == 0)
        return true;
    failed(en, &e, -1);
    return false;
}

/* ---- token_get ------------------------------------------------------------------------------------------ */

static void on_soon(void *arg, const struct result *r)
{
    struct token_wait *w = arg;
    struct entry *en = w->entry;
    struct buf token = BUF_SECRET(TOKEN_BYTES_MAX);
    struct err why;

    (void)r;
    w->soon = NULL;
    if (en != NULL && is_valid(en)) {
        bool whole = copy(en, &token, &why) == 0;

        hand(w, whole ? NULL : &why, buf_view(&token));
        buf_free(&token);
    } else if (en == NULL || !will_answer(en)) { /* it may have been dropped meanwhile */
        why = en != NULL ? en->why : w->why;
        hand(w, &why, view_of(NULL, 0));
    }
}

static struct entry *find(struct tokens *t, const char *url, const char *scope)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->entries[i].url, url) == 0 && strcmp(t->entries[i].scope, scope) == 0)
            return &t->entries[i];
    return NULL;
}

static struct entry *find_or_add(struct tokens *t, const char *url, const char *scope)
{
    struct entry *en = find(t, url, scope);

    if (en != NULL || t->count == TOKENS_MAX)
        return en;
    en = &t->entries[t->count++];
    *en = (struct entry){
        .tokens = t, .url = xstrdup(url), .scope = xstrdup(scope), .access = BUF_SECRET(ANSWER_MAX)
    };
    return en;
}

struct token_wait *token_get(
    struct tokens *t, const char *url, const char *scope, token_fn *fn, void *arg)
{
    struct token_wait *w = xcalloc(1, sizeof *w);
    struct entry *en = find_or_add(t, url, scope);
    bool known;

    w->fn = fn;
    w->arg = arg;
    w->entry = en;
    if (en == NULL) {
        (void)err_set(&w->why, ERR_CONFIG, "access token: more than %d different URLs and scopes",
            TOKENS_MAX);
        join(w, &t->refused);
        known = true;
    } else {
        join(w, &en->waiting);
        known = is_valid(en);
        if (!known)
            known = !will_answer(en);
        else if (io_now_ms() >= en->renew_at_ms)
            (void)will_answer(en); /* for those who come after */
    }
    if (known)
        w->soon = io_timer(0, on_soon, w);
    return w;
}

void token_cancel(struct token_wait *w)
{
    if (w != NULL)
        wait_free(w);
}

void token_drop(struct tokens *t, const char *url, const char *scope, struct view token)
{
    struct entry *en = find(t, url, scope);
    uint64_t now = io_now_ms();

    if (en == NULL || token.len != en->access.len || token.len == 0
        || !mem_equal(token.p, en->access.p, token.len)
        || (en->dropped && now - en->dropped_at_ms < DROP_PAUSE_MS))
        return;
    buf_free(&en->access);
    en->dropped = true;
    en->dropped_at_ms = now;
}
