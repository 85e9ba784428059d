#ifndef PROTO_SCEP_PART_H
#define PROTO_SCEP_PART_H
#include "proto/scep.h"

/* scep_part.h - the attributes that SCEP messages are made of (RFC 8894 3.2.1); for the scep*.c files only. */
#define SCEP_OID_MESSAGE_TYPE    "2.16.840.1.113733.1.9.2"
#define SCEP_OID_STATUS          "2.16.840.1.113733.1.9.3"
#define SCEP_OID_FAIL            "2.16.840.1.113733.1.9.4"
#define SCEP_OID_SENDER_NONCE    "2.16.840.1.113733.1.9.5"
#define SCEP_OID_RECIPIENT_NONCE "2.16.840.1.113733.1.9.6"
#define SCEP_OID_TRANSACTION     "2.16.840.1.113733.1.9.7"
#define SCEP_OID_HRESULT         "1.3.6.1.4.1.311.21.33"

enum { SCEP_FRESH_NONCE = 16 };

/* scep_attr_text - a PrintableString, UTF8String or IA5String; `must` makes absence ERR_PROTO, else *text
 * stays empty.  fails ERR_PROTO: said twice, another type */
int scep_attr_text(const struct signed_data *s, const char *oid, const char *what, bool must,
    struct view *text, struct err *e) MUST;

/* scep_attr_octets - the same for an OCTET STRING of at most SCEP_NONCE_MAX bytes. */
int scep_attr_octets(const struct signed_data *s, const char *oid, const char *what, bool must,
    struct view *octets, struct err *e) MUST;

/* ---- writing: attributes are added, then handed to signed_write with the rest ---- */
struct scep_attrs {
    struct buf der; /* BUF_INIT(SCEP_ATTRS_MAX); buf_free when done */
    struct {
        const char *oid;
        size_t end;
    } row[8];
    size_t count;
};
enum { SCEP_ATTRS_MAX = 2048 };

void scep_add_text(struct scep_attrs *a, const char *oid, struct view text); /* PrintableString */
void scep_add_octets(struct scep_attrs *a, const char *oid, struct view octets);
int scep_add_fresh_nonce(struct lib *l, struct scep_attrs *a, struct err *e) MUST;

/* scep_sign - signed_write(o) with these attributes. */
int scep_sign(struct lib *l, const struct scep_attrs *a, struct signed_out *o, struct buf *out,
    struct err *e) MUST;
#endif
