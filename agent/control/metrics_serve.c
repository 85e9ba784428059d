/* see metrics_report.h.  The listener. */
#include <stdlib.h>
#include <string.h>
#include "agent/base/log.h"
#include "agent/base/metrics.h"
#include "agent/control/metrics_report.h"
#include "agent/io/io_listen.h"
#include "certs/mem.h"

enum {
    ANSWER_MAX = 4 << 20,
    TICK_MS = 1000,
    CONNECTIONS = 32,
    CONNECTIONS_EACH = 16,
    REQUEST_S = 10,
    BODY_MAX = 1024
};

struct metrics_server {
    struct agent *a;
    struct io_listen *io;
    struct op *tick;
    uint64_t due_us;
};

static void answer(struct io_exchange *x, int status, const char *type, struct view body, bool head)
{
    const struct http1_answer a = { .status = status,
        .type = type,
        .body = body,
        .head = head,
        .extra = status == 405 ? "Allow: GET, HEAD" : NULL };

    io_answer(x, &a);
}

static void failed(struct io_exchange *x, const struct err *e)
{
    log_err(EV_STORE_FAILED, NULL, NULL, e);
    answer(x, 503, "text/plain", view_text("the store does not answer\n"), false);
}

static void metrics(struct metrics_server *s, struct io_exchange *x, bool head)
{
    struct buf text = BUF_INIT(ANSWER_MAX);
    struct err e;

    if (metrics_write(s->a, &text, &e) != 0)
        failed(x, &e);
    else
        answer(x, 200, "application/openmetrics-text; version=1.0.0; charset=utf-8",
            buf_view(&text), head);
    buf_free(&text);
}

static void ready(struct metrics_server *s, struct io_exchange *x, bool head)
{
    struct buf json = BUF_INIT(ANSWER_MAX);
    bool is_ready = false;
    struct err e;

    if (metrics_ready(s->a, &json, &is_ready, &e) != 0)
        failed(x, &e);
    else
        answer(x, is_ready ? 200 : 503, "application/json", buf_view(&json), head);
    buf_free(&json);
}

static void on_request(
    void *arg, struct io_exchange *x, const struct http1_request *q, const char *remote)
{
    struct metrics_server *s = arg;
    bool head = strcmp(q->method, "HEAD") == 0;

    (void)remote;
    if (!head && strcmp(q->method, "GET") != 0)
        answer(x, 405, "text/plain", view_text("only GET\n"), false);
    else if (view_equal(q->path, view_text("/metrics")))
        metrics(s, x, head);
    else if (view_equal(q->path, view_text("/ready")))
        ready(s, x, head);
    else if (view_equal(q->path, view_text("/healthz")))
        answer(x, 200, "text/plain", view_text("ok\n"), head);
    else
        answer(x, 404, "text/plain", view_text("there are /metrics, /ready and /healthz\n"), head);
}

/* Only where somebody reads it: the service alone has nothing to do every second. */
static void on_tick(void *arg, const struct result *r)
{
    struct metrics_server *s = arg;
    uint64_t now = metric_now_us();

    (void)r;
    metric_time(METRIC_LAG, now > s->due_us ? now - s->due_us : 0, NULL, NULL);
    s->due_us = metric_now_us() + (uint64_t)TICK_MS * 1000;
    s->tick = io_timer(TICK_MS, on_tick, s);
}

int metrics_listen(struct agent *a, struct metrics_server **out, struct err *e)
{
    const struct io_listen_conf c = { .name = "metrics",
        .address = a->conf->metrics.listen,
        .connections_max = CONNECTIONS,
        .connections_per_address = CONNECTIONS_EACH,
        .request_s = REQUEST_S,
        .idle_s = REQUEST_S * 6, /* scraped every 15 to 60 seconds */
        .body_max = BODY_MAX };
    struct metrics_server *s;

    *out = NULL;
    if (c.address == NULL)
        return 0;
    s = xcalloc(1, sizeof *s);
    s->a = a;
    if ((s->io = io_listen_open(&c, on_request, s, e)) == NULL) {
        free(s);
        return err_wrap(e, "metrics.listen");
    }
    s->due_us = metric_now_us() + (uint64_t)TICK_MS * 1000;
    s->tick = io_timer(TICK_MS, on_tick, s);
    log_event(EV_METRICS_SERVING, NULL, "metrics", "listens on %s, port %u", c.address,
        io_listen_port(s->io));
    *out = s;
    return 0;
}

unsigned metrics_port(const struct metrics_server *s)
{
    return s != NULL ? io_listen_port(s->io) : 0;
}

void metrics_close(struct metrics_server *s)
{
    if (s == NULL)
        return;
    io_cancel(s->tick);
    io_listen_close(s->io);
    free(s);
}
