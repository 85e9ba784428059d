/* Answers as they go out. */
#include "test/t.h"
#include "certs/buf.h"
#include "proto/http1.h"

static void answers(void **state)
{
    struct http1_answer a = {
        .status = 200, .type = "text/plain", .body = view_text("AES"), .extra = "Retry-After: 5"
    };
    struct buf out = BUF_INIT(1000);

    (void)state;
    http1_write(&out, &a);
    assert_string_equal(buf_text(&out),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"
        "Cache-Control: no-store\r\nRetry-After: 5\r\nConnection: keep-alive\r\n\r\nAES");
    buf_reset(&out);
    a.head = a.close = true;
    a.extra = "X: a\r\nY: b"; /* never two lines */
    http1_write(&out, &a);
    assert_string_equal(buf_text(&out),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n");
    buf_reset(&out);
    a = (struct http1_answer){ .status = 400, .close = true, .body = view_text("not sent") };
    http1_write(&out, &a);
    assert_string_equal(buf_text(&out), "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
                                        "Cache-Control: no-store\r\nConnection: close\r\n\r\n");
    buf_reset(&out);
    a = (struct http1_answer){ .status = 100 };
    http1_write(&out, &a);
    assert_string_equal(buf_text(&out), "HTTP/1.1 100 Continue\r\n\r\n");
    buf_reset(&out);
    a = (struct http1_answer){ .status = 299 };
    http1_write(&out, &a);
    assert_memory_equal(buf_text(&out), "HTTP/1.1 299 Status\r\n", 21);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(answers) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
