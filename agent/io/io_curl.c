/*
 * The curl multi handle on the libuv loop, see io_curl.h.
 *
 * curl tells us which sockets and which timeout it wants (on_want_socket, on_want_timeout); libuv
 * tells us when they are ready (on_socket, on_timeout); both end in step(), the only place that reads
 * finished transfers and from which a user's callback can run.  Finished transfers are read after
 * every action, whatever the running count says: otherwise a last timeout is never seen.
 */
#include <stdlib.h>
#include "agent/io/io_curl.h"
#include "agent/io/io_uv.h"
#include "certs/mem.h"

struct watch { /* one socket curl asked us to watch */
    uv_poll_t poll;
    curl_socket_t fd;
};

static uv_timer_t curl_timer;
static CURLM *multi;
static io_curl_fn *on_done;

static void step(curl_socket_t fd, int events)
{
    CURLMsg *m;
    int n;

    (void)curl_multi_socket_action(multi, fd, events, &n);
    while ((m = curl_multi_info_read(multi, &n)) != NULL) {
        if (m->msg == CURLMSG_DONE) {
            CURLcode rc = m->data.result; /* m dies with the handle: copy first */

            on_done(m->easy_handle, rc);
        }
    }
}

static void on_socket(uv_poll_t *p, int status, int events)
{
    struct watch *w = p->data;
    int ev = status < 0 ? CURL_CSELECT_ERR : 0;

    if (events & UV_READABLE)
        ev |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        ev |= CURL_CSELECT_OUT;
    step(w->fd, ev);
}

static void on_timeout(uv_timer_t *t)
{
    (void)t;
    step(CURL_SOCKET_TIMEOUT, 0);
}

static int on_want_timeout(CURLM *m, long ms, void *arg)
{
    (void)m;
    (void)arg;
    if (ms < 0)
        return uv_timer_stop(&curl_timer);
    return uv_timer_start(&curl_timer, on_timeout, (uint64_t)ms, 0);
}

static void on_watch_closed(uv_handle_t *h)
{
    free(h->data);
}

static int on_want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock)
{
    struct watch *w = sock;
    int events = 0;

    (void)easy;
    (void)arg;
    if (what == CURL_POLL_REMOVE) {
        if (w != NULL)
            uv_close((uv_handle_t *)&w->poll, on_watch_closed);
        (void)curl_multi_assign(multi, fd, NULL);
        return 0;
    }
    if (w == NULL) {
        w = xcalloc(1, sizeof *w);
        if (uv_poll_init_socket(&io_loop, &w->poll, fd) != 0) {
            free(w);
            return -1;
        }
        w->fd = fd;
        w->poll.data = w;
        (void)curl_multi_assign(multi, fd, w);
    }
    if (what != CURL_POLL_IN)
        events |= UV_WRITABLE;
    if (what != CURL_POLL_OUT)
        events |= UV_READABLE;
    return uv_poll_start(&w->poll, events, on_socket);
}

CURLM *io_curl_open(io_curl_fn *done, struct err *e)
{
    on_done = done;
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_lib_malloc, mem_lib_free, mem_lib_realloc,
            mem_lib_strdup, mem_lib_calloc)
            != 0
        || (multi = curl_multi_init()) == NULL || uv_timer_init(&io_loop, &curl_timer) != 0) {
        (void)err_set(e, ERR_NOMEM, "the HTTP client cannot be made");
        return NULL;
    }
    uv_unref((uv_handle_t *)&curl_timer); /* idle connections do not keep the loop alive */
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_want_socket);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_want_timeout);
    return multi;
}

void io_curl_busy(bool busy)
{
    if (busy)
        uv_ref((uv_handle_t *)&curl_timer);
    else
        uv_unref((uv_handle_t *)&curl_timer);
}

void io_curl_close(void)
{
    (void)curl_multi_cleanup(multi); /* ends every watch */
    uv_close((uv_handle_t *)&curl_timer, NULL);
    multi = NULL;
}

/* ---- what was answered --------------------------------------------------------------------------------------- */

const char *io_curl_header(CURL *easy, const char *name)
{
    struct curl_header *h;

    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value : "";
}
