#ifndef CERTS_SAN_H
#define CERTS_SAN_H
#include "certs/der.h"
#include "certs/template.h"

/*
 * san.h - one subject alternative name (GeneralName, RFC 5280 4.2.1.6): checked, written, compared.
 *
 * For the files of this folder: template.h is what others use.
 * Threads: pure.
 */

/*
 * san_check - is this a value that the type can hold?  1..2048 bytes, no control characters.
 * fails ERR_INPUT: not an address, a host name, an absolute URI ...; the message has type and value
 */
int san_check(enum san_type type, const char *value, struct err *e) MUST;

void san_write(struct buf *out, enum san_type type, const char *value); /* value passed san_check */
void san_write_sid(
    struct buf *out, const char *sid); /* the URI tag:microsoft.com,2022-09-14:sid:<SID> */

/* san_same - do two GeneralNames mean the same?  Host names are compared without regard to case. */
bool san_same(struct der a, struct der b);

/* san_same_claim - the same, and UPNs without regard to ASCII case, as directories compare them. */
bool san_same_claim(struct der a, struct der b);

/*
 * san_read - which of the five kinds, and what it says: the text as it stands there, or the address bytes.
 * SAN_NONE: another kind, or an otherName that is no UPN in UTF-8.
 */
enum san_type san_read(struct der name, struct view *value);

/* san_sid - is it the URI with a SID, and which?  The SID is as it stands there, perhaps none at all. */
bool san_sid(struct der name, struct view *sid);

/* san_text - "DNS host.contoso.example", "EMAIL ...", "URI ...", "UPN ...", "IP 192.0.2.1", "IP 2001:db8:0:0:0:0:0:1",
 * for messages and plugins (certferry_plugin.h); bytes are as in the certificate. */
void san_text(struct der name, struct buf *out);
#endif
