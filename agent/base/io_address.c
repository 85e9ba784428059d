/* see io_address.h */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/io_address.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool begins_with(const struct io_address *a, const uint8_t *prefix, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    return view_equal(view_of(a->b, whole), view_of(prefix, whole))
           && (rest == 0 || ((a->b[whole] ^ prefix[whole]) & (0xff00u >> rest) & 0xff) == 0);
}

static bool is_ipv4(const struct io_address *a)
{
    return begins_with(a, mapped, 96);
}

static void set_ipv4(struct io_address *a, const void *four)
{
    memcpy(a->b, mapped, sizeof mapped);
    memcpy(a->b + sizeof mapped, four, 4);
}

bool io_address_of(struct io_address *a, const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        set_ipv4(a, &((const struct sockaddr_in *)(const void *)sa)->sin_addr);
    else if (sa->sa_family == AF_INET6)
        memcpy(a->b, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, sizeof a->b);
    else
        return false;
    return true;
}

/* The address itself, as inet_pton wants it. */
static bool parse_text(struct io_address *a, struct view v)
{
    char text[IO_ADDRESS_TEXT];
    struct in_addr four;

    if (v.len == 0 || v.len >= sizeof text)
        return false;
    memcpy(text, v.p, v.len);
    text[v.len] = '\0';
    if (strlen(text) != v.len)
        return false;
    if (inet_pton(AF_INET, text, &four) == 1) {
        set_ipv4(a, &four);
        return true;
    }
    return inet_pton(AF_INET6, text, a->b) == 1;
}

bool io_address_parse(struct io_address *a, struct view v)
{
    struct io_address found;
    const uint8_t *end;

    if (v.len > 0 && v.p[0] == '[') {
        if ((end = memchr(v.p, ']', v.len)) == NULL)
            return false;
        v = view_of(v.p + 1, (size_t)(end - v.p) - 1);
    } else if (v.len > 0 && (end = memchr(v.p, ':', v.len)) != NULL
               && memchr(end + 1, ':', v.len - (size_t)(end + 1 - v.p)) == NULL) {
        v.len = (size_t)(end - v.p); /* one colon: a port follows */
    }
    if (!parse_text(&found, v))
        return false;
    *a = found;
    return true;
}

void io_address_text(const struct io_address *a, char out[IO_ADDRESS_TEXT])
{
    if (is_ipv4(a))
        (void)inet_ntop(AF_INET, a->b + sizeof mapped, out, IO_ADDRESS_TEXT);
    else
        (void)inet_ntop(AF_INET6, a->b, out, IO_ADDRESS_TEXT);
}

struct io_address io_address_group(const struct io_address *a)
{
    struct io_address g = *a;

    if (!is_ipv4(a))
        memset(g.b + 8, 0, 8);
    return g;
}

bool io_address_is_local(const struct io_address *a)
{
    static const uint8_t zeros[16], link[2] = { 0xfe, 0x80 };
    const uint8_t *four = a->b + sizeof mapped;

    if (is_ipv4(a) || begins_with(a, zeros, 96)) /* compatible: ::, ::1 and ::a.b.c.d */
        return four[0] == 127 || four[0] == 0 || (four[0] == 169 && four[1] == 254);
    return begins_with(a, link, 10);
}

bool io_address_equal(const struct io_address *a, const struct io_address *b)
{
    return begins_with(a, b->b, 128);
}

/* A decimal number of at most three digits after the '/'. */
static bool parse_bits(const char *text, unsigned most, unsigned *bits)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 3 || text[digits] != '\0')
        return false;
    *bits = (unsigned)strtoul(text, NULL, 10);
    return *bits <= most;
}

int io_range_parse(struct io_range *r, const char *text, struct err *e)
{
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    unsigned most, bits;

    if (!parse_text(&r->base, view_of(text, len)))
        return err_set(e, ERR_CONFIG, "\"%s\" is no address and no range such as 10.0.0.0/8", text);
    most = memchr(text, ':', len) == NULL ? 32 : 128;
    bits = most;
    if (slash != NULL && !parse_bits(slash + 1, most, &bits))
        return err_set(e, ERR_CONFIG, "\"%s\": behind the / a number up to %u", text, most);
    r->bits = 128 - most + bits;
    for (unsigned i = r->bits; i < 128; i++)
        if ((r->base.b[i / 8] >> (7 - i % 8) & 1) != 0)
            return err_set(e, ERR_CONFIG,
                "\"%s\": the address has bits behind the first %u; is the mask meant so?", text,
                bits);
    return 0;
}

bool io_range_has(const struct io_range *ranges, size_t count, const struct io_address *a)
{
    for (size_t i = 0; i < count; i++)
        if (begins_with(a, ranges[i].base.b, ranges[i].bits))
            return true;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '"';
}

void io_address_forwarded(
    struct io_address *a, const char *header, const struct io_range *proxies, size_t count)
{
    const char *end = header + strlen(header);

    while (io_range_has(proxies, count, a)) {
        const char *begin, *p;

        while (end > header && is_blank(end[-1]))
            end--;
        for (p = end; p > header && p[-1] != ','; p--)
            ;
        for (begin = p; begin < end && is_blank(*begin); begin++)
            ;
        if (!io_address_parse(a, view_of(begin, (size_t)(end - begin))) || p == header)
            return;
        end = p - 1; /* the comma */
    }
}

int io_address_listen(const char *text, struct sockaddr_storage *sa, socklen_t *len, struct err *e)
{
    const char *colon = strrchr(text, ':');
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)sa;
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)sa;
    char host[IO_ADDRESS_TEXT + 2];
    size_t host_len, digits;
    unsigned long port;

    if (colon == NULL || (host_len = (size_t)(colon - text)) >= sizeof host)
        goto bad;
    digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 5 || colon[1 + digits] != '\0')
        goto bad;
    if ((port = strtoul(colon + 1, NULL, 10)) > 65535)
        goto bad;
    memcpy(host, text, host_len);
    host[host_len] = '\0';
    memset(sa, 0, sizeof *sa);
    if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
        *len = sizeof *four;
        return 0;
    }
    if (host_len > 2 && host[0] == '[' && host[host_len - 1] == ']') {
        host[host_len - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, &six->sin6_addr) == 1) {
            six->sin6_family = AF_INET6;
            six->sin6_port = htons((uint16_t)port);
            *len = sizeof *six;
            return 0;
        }
    }
bad:
    return err_set(e, ERR_CONFIG,
        "\"%s\" is no address to listen at; such as 0.0.0.0:80, [::]:443 or systemd:NAME", text);
}
