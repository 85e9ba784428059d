#ifndef AGENT_IO_ADDRESS_H
#define AGENT_IO_ADDRESS_H
#include <netinet/in.h>
#include <sys/socket.h>
#include "certs/buf.h"

/*
 * io_address.h - who is asking: addresses, ranges of them, and what a proxy says of whom it speaks for.
 *
 * An IPv4 address is kept as ::ffff:a.b.c.d, which is also how it comes through a socket for both families: one
 * form to compare, and "10.0.0.0/8" means the same on either socket.
 *
 * Threads: pure.
 */
enum { IO_ADDRESS_TEXT = INET6_ADDRSTRLEN };

struct io_address {
    uint8_t b[16];
};
struct io_range {
    struct io_address base;
    unsigned bits; /* of the 128 */
};

/* false: neither IPv4 nor IPv6 */
bool io_address_of(struct io_address *a, const struct sockaddr *sa);
/* "192.0.2.7", "2001:db8::7"; also as a proxy may write it: in brackets, with a port behind it */
bool io_address_parse(struct io_address *a, struct view text);
void io_address_text(const struct io_address *a, char out[IO_ADDRESS_TEXT]);

/* io_address_group - one customer: the address of IPv4, the /64 of IPv6, where one host has 2^64 of them. */
struct io_address io_address_group(const struct io_address *a);
/* io_address_is_local - this machine, or what only those on its link can be: loopback, unspecified, link-local, where
 * clouds hand out credentials; also as the IPv4 address in an IPv6 one */
bool io_address_is_local(const struct io_address *a);
bool io_address_equal(const struct io_address *a, const struct io_address *b);

/* io_range_parse - "10.0.0.0/8", "::1".  fails ERR_CONFIG: also for bits set behind the mask */
int io_range_parse(struct io_range *r, const char *text, struct err *e) MUST;
bool io_range_has(const struct io_range *ranges, size_t count, const struct io_address *a);

/*
 * io_address_forwarded - *a came with this X-Forwarded-For: who is the client?
 *
 * Read from the right, as each proxy appends whom it heard from: the first that is not a proxy we trust.
 * What stands left of that one was written by a stranger.  Where an entry is no address the one before it
 * is the best that is known.
 */
void io_address_forwarded(
    struct io_address *a, const char *header, const struct io_range *proxies, size_t count);

/* io_address_listen - "192.0.2.1:80", "[::]:443" as a socket address.  fails ERR_CONFIG */
int io_address_listen(
    const char *text, struct sockaddr_storage *sa, socklen_t *len, struct err *e) MUST;
#endif
