#ifndef AGENT_DOCTOR_CA_H
#define AGENT_DOCTOR_CA_H
#include "agent/doctor/doctor_look.h"

/*
 * doctor_ca.h - between doctor_ca.c, which says the rows, and doctor_ca_ask.c, which asks the CAs, all at once.
 *
 * Nothing is submitted: a CA is asked for its own certificates and, where the protocol has a way, for the templates
 * that our account may use.
 */
enum { DOCTOR_TEMPLATES_MAX = CONF_LIST_MAX };

struct doctor_ca {
    const struct conf_ca *conf;
    struct lib *lib;
    struct doctor_end *end;
    struct ca *ca;    /* NULL: it does not open, `why` */
    struct err why;   /* of opening, or of its certificates; ERR_NONE: well */
    bool answered;    /* HTTP came back */
    struct buf chain; /* its certificates, DER */
    int64_t ms;

    /* the templates of the section, in its order */
    enum {
        DOCTOR_TEMPLATE_UNASKED,
        DOCTOR_TEMPLATE_YES,
        DOCTOR_TEMPLATE_NO
    } known[DOCTOR_TEMPLATES_MAX];
    bool listed;         /* the CA has shown a list of what we may enrol for */
    char asked_why[200]; /* why it could not be asked */
    size_t at;           /* the template asked about now */
    uint64_t since_ms;
    struct op *op;
};

/* doctor_ca_ask - fill all of them; those whose end is broken are left as they are. */
void doctor_ca_ask(struct doctor *d, struct doctor_ca *cas, size_t count);
#endif
