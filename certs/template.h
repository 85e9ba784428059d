#ifndef CERTS_TEMPLATE_H
#define CERTS_TEMPLATE_H
#include "certs/key.h"
#include "certs/name.h"

/*
 * template.h - what one certificate is to look like: the CA's named template and everything the
 * request fills in.  csr.h builds the request from it, check.h holds the answer against it.
 *
 * The fields follow CCP/1 pkcsIssue (proto/ccp.md), which follows Intune's PKCS profile.
 * Threads: a plain value; no pointers into anything else.
 */
enum san_type {
    SAN_NONE,
    SAN_EMAIL, /* rfc822Name, IA5String */
    SAN_DNS,   /* dNSName, IA5String */
    SAN_URI,   /* uniformResourceIdentifier, IA5String */
    SAN_IP,    /* iPAddress, 4 or 16 bytes; text is dotted quad or RFC 4291 */
    SAN_UPN,   /* otherName 1.3.6.1.4.1.311.20.2.3, UTF8String */
    SAN_TYPE_COUNT
};

struct san {
    enum san_type type;
    char *value; /* UTF-8, owned */
};

/* KeyUsage bits as RFC 5280 4.2.1.3 numbers them.  <openssl/x509v3.h> has macros of these names with
 * other values: a file that includes it does not use them. */
enum {
    KU_DIGITAL_SIGNATURE = 1 << 0,
    KU_NON_REPUDIATION = 1 << 1,
    KU_KEY_ENCIPHERMENT = 1 << 2,
    KU_DATA_ENCIPHERMENT = 1 << 3,
    KU_KEY_AGREEMENT = 1 << 4
};

enum sid_encoding { SID_NONE, SID_URI = 1, SID_EXTENSION = 2, SID_BOTH = 3 };

enum { TEMPLATE_SAN_MAX = 500, TEMPLATE_EKU_MAX = 500 };

struct template
{
    char *name; /* the template's name at the CA (its cn), owned */
    struct name subject;
    struct san *sans; /* owned */
    size_t san_count;
    char *sid; /* "S-1-5-21-...", or NULL; owned */
    enum sid_encoding sid_encoding;
    unsigned key_usage; /* KU_ bits; 0 = leave it to the template */
    char **ekus;        /* dotted OIDs, owned */
    size_t eku_count;
    enum key_type key;
    enum hash hash;     /* of the request's signature */
    int64_t validity_s; /* asked for; 0 = the template's own */

    /* Set only when the CA's driver asks for the template inside the request (specification
     * [MS-WCCE] 2.2.2.7); all that are set must name the same template or the CA refuses. */
    bool in_csr_v1;   /* extension 1.3.6.1.4.1.311.20.2, BMPString name */
    char *in_csr_oid; /* extension 1.3.6.1.4.1.311.21.7, dotted OID, owned */
    uint32_t in_csr_major, in_csr_minor;
    bool in_csr_pair; /* attribute 1.3.6.1.4.1.311.13.2.1 CertificateTemplate=<name> */

    /* Set only where we ask by SCEP: attribute challengePassword (PKCS#9); secret, borrowed.  The request is
     * then a secret as well. */
    const char *challenge;
};

/* template_add_san, template_add_eku - append, checked; one that is there already is not added again.
 * fails ERR_INPUT: empty, control character, not an address, not an OID, too many; ERR_NOMEM */
int template_add_san(struct template *t, enum san_type type, const char *value, struct err *e) MUST;
int template_add_eku(struct template *t, const char *oid, struct err *e) MUST;

/* template_set_sid - a SID in text form.  fails ERR_INPUT: not a SID */
int template_set_sid(
    struct template *t, const char *sid, enum sid_encoding how, struct err *e) MUST;

/* template_write_sans - append the GeneralNames SEQUENCE of all SANs and, with SID_URI, the SID as
 * tag:microsoft.com,2022-09-14:sid:<SID>.  Nothing is appended when there are none. */
int template_write_sans(const struct template *t, struct buf *out, struct err *e) MUST;

void template_free(struct template *t); /* frees what it holds; t is empty afterwards */
#endif
