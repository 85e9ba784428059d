/* What strangers and administrators write about addresses: X-Forwarded-For, ranges, addresses to listen at. */
#include "agent/base/io_address.h"
#include "certs/mem.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken for an address can be written and read again. */
static void there_and_back(const struct io_address *a)
{
    char text[IO_ADDRESS_TEXT];
    struct io_address back;

    io_address_text(a, text);
    if (!io_address_parse(&back, view_text(text)) || !io_address_equal(a, &back))
        abort();
}

static void forwarded(const char *text)
{
    struct io_range proxy[2];
    struct io_address a;
    struct err e;

    if (io_range_parse(&proxy[0], "10.0.0.0/8", &e) != 0
        || io_range_parse(&proxy[1], "2001:db8::/32", &e) != 0
        || !io_address_parse(&a, view_text("10.0.0.1")))
        abort();
    io_address_forwarded(&a, text, proxy, 2);
    there_and_back(&a);
    (void)io_address_parse(&a, view_text("192.0.2.1")); /* nobody we would believe */
    io_address_forwarded(&a, text, proxy, 2);
    if (!io_address_parse(&proxy[0].base, view_text("192.0.2.1"))
        || !io_address_equal(&a, &proxy[0].base))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xcalloc(size + 1, 1);
    struct sockaddr_storage sa;
    socklen_t len = 0;
    struct io_range r;
    struct io_address a;
    struct err e;

    if (size > 0)
        memcpy(text, data, size);
    forwarded(text);
    if (io_address_parse(&a, view_of(data, size)))
        there_and_back(&a);
    if (io_range_parse(&r, text, &e) == 0 && (r.bits > 128 || !io_range_has(&r, 1, &r.base)))
        abort();
    if (io_address_listen(text, &sa, &len, &e) == 0
        && (len == 0 || !io_address_of(&a, (struct sockaddr *)&sa)))
        abort();
    free(text);
    return 0;
}
