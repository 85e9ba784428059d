/* see cloud.h */
#include <stdio.h>
#include "agent/cloud.h"

enum { CONNECTIONS = 32 };

int cloud_open(struct cloud *c, const struct conf_cloud *conf, struct secrets *s, struct err *e)
{
    struct io_peer_conf pc = { .name = "cloud",
        .trust_file = conf->trust,
        .certificate_file = conf->client_certificate,
        .key_file = conf->client_key,
        .auth = conf->token_file != NULL ? IO_AUTH_BEARER : IO_AUTH_NONE,
        .secret_file = conf->token_file,
        .secrets = s,
        .connections_max = CONNECTIONS };

    c->conf = conf;
    if (conf->url != NULL && (c->io = io_peer_new(&pc, e)) == NULL)
        return -1;
    c->peer = peer_new("cloud");
    return 0;
}

void cloud_close(struct cloud *c)
{
    io_peer_free(c->io);
    peer_free(c->peer);
    c->io = NULL;
    c->peer = NULL;
}

struct op *cloud_post(struct cloud *c, const char *path, const char *activity, struct view body,
    unsigned timeout_ms, io_fn *fn, void *arg, struct err *e)
{
    struct buf url = BUF_INIT(4096);
    struct ccp_headers storage;
    struct http_req q = {
        .method = "POST", .body = body, .max_reply = CCP_BATCH_MAX, .timeout_ms = timeout_ms
    };
    struct op *op = NULL;

    if (c->io == NULL) {
        (void)err_set(e, ERR_CONFIG, "no cloud is configured any more");
        return NULL;
    }
    http_url_join(&url, c->conf->url, path);
    if (buf_check(&url, e) == 0) {
        q.url = buf_text(&url);
        ccp_headers(&q, activity, &storage);
        op = io_http(c->io, &q, fn, arg, e);
    }
    buf_free(&url);
    return op;
}

int cloud_judge(struct cloud *c, const struct result *r, struct err *e)
{
    int64_t after = -1;
    int rc;

    if (r->err != NULL) {
        *e = *r->err;
        rc = -1;
    } else {
        rc = ccp_judge(r->http, e);
        after = r->http->retry_after_s;
    }
    if (rc == 0)
        peer_ok(c->peer);
    else
        peer_failed(c->peer, e, e->cls == ERR_BUSY ? after : -1);
    return rc;
}

int guid_new(struct lib *l, char out[40], struct err *e)
{
    uint8_t b[16];

    if (lib_random(l, b, sizeof b, e) != 0)
        return -1;
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* RFC 9562 5.4: version 4 */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    (void)snprintf(out, 40, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
        b[14], b[15]);
    return 0;
}
