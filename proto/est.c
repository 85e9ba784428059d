/* see est.h */
#include "proto/est.h"
#include "certs/der.h"
#include "certs/text.h"
#include <string.h>
#include <strings.h>

enum {
    LABEL_MAX = 255,
    WAIT_MIN_S = 5,
    WAIT_MAX_S = 86400,
    WAIT_UNSAID_S = 60,
    SAID_MAX = 100, /* bytes of a server's text that are shown */
};

static const char *const cms_types[] = { "application/pkcs7-mime", "application/x-pkcs7-mime",
    NULL };

/* ---- what we send ---- */

/* One path segment, which no client normalises away ("..") and no server splits ("%2F"). */
static int add_label(struct buf *out, const char *label, struct err *e)
{
    size_t len = strlen(label);

    if (len > LABEL_MAX)
        return err_set(
            e, ERR_INPUT, "EST label: %zu characters, at most %d are taken", len, LABEL_MAX);
    if (strcmp(label, ".") == 0 || strcmp(label, "..") == 0)
        return err_set(e, ERR_INPUT, "EST label: \"%s\" is not a name", label);
    for (size_t i = 0; i < len; i++) {
        char c = label[i];

        if ((uint8_t)c < 0x20 || c == 0x7f || strchr("/\\?#%", c) != NULL)
            return err_set(
                e, ERR_INPUT, "EST label \"%.60s\": character %zu is not allowed", label, i + 1);
        if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
            || strchr("-._~", c) != NULL)
            buf_add_byte(out, (uint8_t)c);
        else
            buf_printf(out, "%%%02X", (uint8_t)c);
    }
    return 0;
}

int est_url(
    const char *base, const char *label, const char *operation, struct buf *out, struct err *e)
{
    struct buf url = BUF_INIT(4096);
    const char *path;
    int rc = -1;

    if (http_url_ok(base, e) != 0)
        goto done;
    path = base + 8 + strcspn(base + 8, "/?");
    if (path[0] != '\0' && strcmp(path, "/") != 0) {
        err_set(e, ERR_INPUT, "URL: \"%.80s\" has a path, EST's own follows the host", base);
        goto done;
    }
    http_url_join(&url, base, ".well-known/est/");
    if (label != NULL && label[0] != '\0') {
        if (add_label(&url, label, e) != 0)
            goto done;
        buf_add_byte(&url, '/');
    }
    buf_add_text(&url, operation);
    if (buf_check(&url, e) != 0)
        goto done;
    buf_add_view(out, buf_view(&url));
    rc = buf_check(out, e);
done:
    buf_free(&url);
    return rc;
}

void est_body(struct view csr, struct buf *out)
{
    base64_add_lines(out, csr, 64);
}

/* ---- what we get ---- */

/* The first line of a plain text answer, for people. */
static struct view said(const struct http_reply *r)
{
    size_t len = 0;

    if (r->body.len == 0 || r->body.p[0] == '<' || r->body.p[0] == '{')
        return (struct view){ 0 };
    while (len < r->body.len && len < SAID_MAX && r->body.p[len] != '\r' && r->body.p[len] != '\n'
           && r->body.p[len] != '\0')
        len++;
    return view_of(r->body.p, len);
}

static bool contains(struct view text, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i < text.len && len <= text.len - i; i++)
        if (strncasecmp((const char *)text.p + i, word, len) == 0)
            return true;
    return false;
}

/* RFC 7030 3.5: the server may want the request to prove that it belongs to this TLS connection. */
static bool wants_linking(const struct http_reply *r)
{
    struct view text = view_of(r->body.p, r->body.len < 4096 ? r->body.len : 4096);

    return contains(text, "proof of possession") || contains(text, "proof-of-possession")
           || contains(text, "tls-unique");
}

/* What a 4xx means when http_judge can only say that the server does not take the request. */
static int refused(const struct http_reply *r, struct err *e)
{
    struct view text = said(r);
    enum err_class cls = e->cls;

    if (r->status == 404)
        cls = ERR_TEMPLATE;
    else if (cls == ERR_INPUT || cls == ERR_CONFLICT)
        cls = ERR_DENIED;
    if (wants_linking(r))
        err_set(e, ERR_UNSUPPORTED,
            "HTTP %d: the EST server wants tls-unique proof of possession, which a request made "
            "for "
            "a device cannot carry: switch it off for this account",
            r->status);
    else if (r->status == 404)
        err_set(e, cls, "HTTP 404: the EST server does not know this label or operation");
    else if (text.len != 0 && (cls == ERR_DENIED || cls == ERR_FORBIDDEN))
        err_set(e, cls, "HTTP %d: %.*s", r->status, (int)text.len, (const char *)text.p);
    else
        e->cls = cls;
    e->number = (uint32_t)r->status;
    return -1;
}

static int judge(const struct http_reply *r, struct err *e)
{
    if (http_judge(r, cms_types, e) == 0)
        return 0;
    return r->status >= 400 && r->status < 500 ? refused(r, e) : -1;
}

/* RFC 8951 3: whatever is not of the alphabet is white space; one server ends its text in a NUL. */
static int decode(const struct http_reply *r, struct buf *cms, struct err *e)
{
    struct buf der = BUF_INIT(r->body.len);
    int rc = -1;

    if (base64_parse_loose(r->body, &der, e) != 0)
        goto done;
    if (der.len == 0 || der.p[0] != DER_SEQUENCE) {
        err_set(e, ERR_PROTO, "EST: the answer of %zu bytes is not base64 of a CMS message",
            r->body.len);
        goto done;
    }
    buf_add_view(cms, buf_view(&der));
    rc = buf_check(cms, e);
done:
    buf_free(&der);
    return rc;
}

static int64_t wait_of(const struct http_reply *r)
{
    if (r->retry_after_s < 0)
        return WAIT_UNSAID_S;
    return r->retry_after_s < WAIT_MIN_S   ? WAIT_MIN_S
           : r->retry_after_s > WAIT_MAX_S ? WAIT_MAX_S
                                           : r->retry_after_s;
}

int est_enroll_judge(const struct http_reply *r, enum est_outcome *out, struct buf *cms,
    int64_t *wait_s, struct err *e)
{
    if (r->status == 202) {
        *wait_s = wait_of(r);
        *out = EST_PENDING;
        return 0;
    }
    if (est_cacerts_judge(r, cms, e) != 0)
        return -1;
    *out = EST_ISSUED;
    return 0;
}

int est_cacerts_judge(const struct http_reply *r, struct buf *cms, struct err *e)
{
    if (judge(r, e) != 0)
        return -1;
    if (r->status != 200)
        return err_set(e, ERR_PROTO, "EST: HTTP %d is no answer to this request", r->status);
    return decode(r, cms, e);
}
