#ifndef PROTO_SCEP_QUERY_H
#define PROTO_SCEP_QUERY_H
#include "certs/buf.h"

/*
 * scep_query.h - what a SCEP request's URL says (RFC 8894 4.1), with every way real clients write it.
 *
 * Parameter names without regard to case and in any order, a stray '?' in front, unknown ones ignored.
 * The message of a PKIOperation by GET is base64 in any of five dresses: %2B %2F %3D, raw + / =, '+' that became
 * a blank, base64url, line ends (%0A) anywhere, padding or none.
 *
 * Threads: pure.
 */
enum scep_operation {
    SCEP_OP_NONE, /* no operation parameter: the health check */
    SCEP_GET_CA_CAPS,
    SCEP_GET_CA_CERT,
    SCEP_GET_NEXT_CA_CERT,
    SCEP_PKI_OPERATION,
    SCEP_OP_UNKNOWN,
};

struct scep_query {
    enum scep_operation operation;
    bool has_message;
    struct view message; /* raw, still encoded */
};
/* scep_query_parse - never fails: what cannot be understood is SCEP_OP_UNKNOWN.  An operation or a message
 * given twice is unknown.  Views point into `query`. */
void scep_query_parse(struct view query, struct scep_query *q);

/* scep_query_message - the message's bytes, appended.  fails ERR_PROTO: not base64; ERR_TOO_LARGE */
int scep_query_message(struct view raw, struct buf *out, struct err *e) MUST;

/*
 * scep_path_same - is this path (raw, percent-encoded) the one configured?  Without regard to case, to a trailing
 * '/', and to a trailing "/pkiclient.exe".  A configured ".../mscep.dll" also answers to its folder, with and
 * without '/', as NDES does.  An encoded '/' or NUL, and "..", are never the same as anything.
 */
bool scep_path_same(struct view path, const char *configured);
#endif
