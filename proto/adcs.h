#ifndef PROTO_ADCS_H
#define PROTO_ADCS_H
#include "proto/http.h"

/*
 * adcs.h - AD CS Web Enrolment (/certsrv/): the form we post and the pages we get.
 *
 * Pages are told apart by element ids, which survive translation, never by their text (html.h).
 * Threads: pure.
 */
enum adcs_outcome {
    ADCS_ISSUED = 1, /* id is set: fetch certnew.cer */
    ADCS_PENDING,    /* id is set: ask again later, never submit again */
    ADCS_DENIED, /* message and hresult say why, adcs_class what to do; id if there was one.  Also
                      * when the front end failed: then the class is one to try again */
    ADCS_UNKNOWN_ID, /* the CA has no such request, or nothing issued under it */
};

struct adcs_answer {
    enum adcs_outcome outcome;
    char id[16];       /* request id, decimal; "" if none */
    uint32_t hresult;  /* 0 if the page has none */
    char message[160]; /* disposition message, one line, cleaned */
};

/*
 * adcs_attributes - the CertAttrib lines: CertificateTemplate:<name>, and the validity as
 * ValidityPeriod and ValidityPeriodUnits if validity_s is not 0 (a CA without EDITF_ATTRIBUTEENDDATE
 * ignores them silently).  From a day on in whole days, rounded down.  Names never travel here, only
 * in the CSR.
 * fails    ERR_INPUT: the name is empty, not UTF-8 or has a control character; all of it is longer than
 *          1536 UTF-16 units; a negative validity
 */
int adcs_attributes(
    const char *template_name, int64_t validity_s, struct buf *out, struct err *e) MUST;

/* adcs_submit_body - the form of POST certfnsh.asp. */
void adcs_submit_body(struct view csr, struct view attributes, struct buf *out);

/* The paths, relative to the /certsrv/ URL. */
#define ADCS_SUBMIT_PATH "certfnsh.asp"
void adcs_fetch_path(
    const char *id, struct buf *out); /* certnew.cer?ReqID=<id>&Enc=bin; id is ok */
bool adcs_id_ok(const char *id);      /* 1..10 digits */

/*
 * adcs_submit_parse - the page that answers a submit.
 * fails    ERR_INTERCEPTED a page, but none of the CA's: the message quotes its title, cleaned; over 1 MiB
 *          ERR_NET         the page is cut; pending, but without an id; the CA's error page, but it says
 *                          neither disposition nor error code
 *          ERR_PROTO       not a page; links to two requests
 */
int adcs_submit_parse(struct view body, struct adcs_answer *out, struct err *e) MUST;

/*
 * adcs_fetch_parse - the answer to certnew.cer.  A certificate (decided by the bytes, not the
 * header): outcome ADCS_ISSUED and *certificate is the body, for chain_read; else *certificate is not
 * touched and the outcome is the page's, as adcs_submit_parse.
 * fails    as adcs_submit_parse, and ERR_NET for a certificate that is cut
 */
int adcs_fetch_parse(
    struct view body, struct view *certificate, struct adcs_answer *out, struct err *e) MUST;

/*
 * adcs_templates - the page of an advanced request, ADCS_TEMPLATES_PATH, lists what this account may enrol for: fn for each
 * template's name, as it stands there.  For diagnoses alone.  false: the page has no such list
 */
#define ADCS_TEMPLATES_PATH "certrqxt.asp"
bool adcs_templates(struct view body, void (*fn)(void *arg, struct view name), void *arg);

/* adcs_class - which class of err.h an HRESULT is: ERR_TEMPLATE, ERR_FORBIDDEN, ERR_NET ...; ERR_DENIED
 * for one that is not in the table. */
enum err_class adcs_class(uint32_t hresult);
const char *adcs_hresult_name(uint32_t hresult); /* "CERTSRV_E_UNSUPPORTED_CERT_TYPE", or NULL */
#endif
