/* Texts that come in headers and configurations: dates, Retry-After, media types, URLs, labels. */
#include "certs/text.h"
#include "proto/est.h"
#include "proto/http.h"
#include "proto/json.h"
#include <stdlib.h>
#include <string.h>

static void times(const char *text)
{
    int64_t wait_s = http_retry_after(text, 784111777, 784111777), at = 0, back = 0;
    char shown[24];

    if (wait_s != -1 && (wait_s < 1 || wait_s > 3600))
        abort();
    if (http_date(text) < 0)
        abort();
    if (!time_parse(text, &at) || at > 253402300799)
        return;
    if (at < 0)
        abort();
    time_text(at, shown);
    if (!time_parse(shown, &back) || back != at)
        abort();
}

static void urls(const char *text)
{
    struct buf out = BUF_INIT(8192);
    struct err e;

    if (http_url_ok(text, &e) == 0) {
        if (!http_header_ok(text) || strchr(text, ' ') != NULL || strchr(text, '#') != NULL)
            abort();
    }
    if (est_url("https://ca.example", text, "cacerts", &out, &e) == 0) {
        if (http_url_ok(buf_text(&out), &e) != 0)
            abort();
        if (strstr(buf_text(&out), "/../") != NULL)
            abort();
    }
    buf_free(&out);
}

static void redirect(const char *text)
{
    struct http_reply r = {
        .status = 302, .content_type = text, .location = text, .authenticate = text
    };
    struct err e = { 0 };

    for (int i = 0; i < 2; i++, r.status = 401)
        if (http_judge(&r, NULL, &e) == 0 || text_has_control(view_text(e.msg)))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (text == NULL)
        return 0;
    if (size != 0)
        memcpy(text, data, size);
    text[size] = '\0';
    times(text);
    urls(text);
    redirect(text);
    (void)http_type_is(text, "application/json");
    free(text);
    return 0;
}
