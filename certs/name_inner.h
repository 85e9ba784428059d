#ifndef CERTS_NAME_INNER_H
#define CERTS_NAME_INNER_H
#include "certs/der.h"
#include "certs/name.h"

/* name_inner.h - the attribute types, for name.c and name_read.c. */
struct name_kind {
    const char *type, *alias; /* alias: another spelling, or NULL */
    const char *oid;
    uint8_t tag;        /* of the DER value */
    size_t least, most; /* characters */
};

enum { NAME_VALUE_MAX = 255 }; /* characters, where RFC 5280 names no bound */

const struct name_kind *name_kind_of_type(const char *type); /* NULL: unknown */
const struct name_kind *name_kind_of_oid(struct der oid);    /* NULL: unknown */
/* name_value_utf8 - append a DirectoryString or IA5String as UTF-8 (TeletexString as Latin-1, which is what
 * everyone writes into it); false: not a string we know, or a broken one.  A NUL is a character. */
bool name_value_utf8(struct der value, struct buf *out);
#endif
