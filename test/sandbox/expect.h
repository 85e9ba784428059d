#ifndef SANDBOX_EXPECT_H
#define SANDBOX_EXPECT_H
#include <openssl/x509v3.h>
#include "test/sandbox/js.h"

/*
 * expect.h - what the certificate of a request must say, read from the request's JSON; and the same
 * things read from a certificate, so that both can be compared as text.
 *
 * Alternative names are lines "email:ada@contoso.example", "upn:", "dns:", "uri:", "ip:" (hexadecimal),
 * or "other:" for a kind that no request can ask for; sorted, each ends in a newline.
 */

/* expect_subject - from `subject`, subjectNameFormat or subjectNameFormatString with `variables`.
 * NULL: `why` says what cannot be understood */
X509_NAME *expect_subject(struct json_object *parameters, struct str *why);
bool expect_names(struct json_object *parameters, struct str *lines, struct str *why);

/* expect_text - a text with {{Variables}} replaced.  false: one has no value */
bool expect_text(struct json_object *variables, const char *text, struct str *out, struct str *why);

/* The common name in a Name, "" if it has none. */
void name_cn(X509_NAME *n, char *out, size_t room);
/* name_one_line - for people. */
void name_one_line(X509_NAME *n, struct str *out);
/* name_same - same RDNs, same types, exactly the same characters. */
bool name_same(X509_NAME *a, X509_NAME *b);

/* cert_names - the alternative names of a certificate as lines.  false: it has some it cannot decode */
bool cert_names(X509 *x, struct str *lines);
bool names_lines(GENERAL_NAMES *all, struct str *lines); /* the same of a list; NULL: empty */
void lines_sort(struct str *lines);

/* expect_compare - everything a request can ask for, held against the certificate.
 * false: the first difference is in `why` */
bool expect_compare(struct json_object *parameters, X509 *x, struct str *why);
#endif
