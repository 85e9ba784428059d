#ifndef SANDBOX_FACES_H
#define SANDBOX_FACES_H
#include "test/sandbox/ca.h"
#include "test/sandbox/http.h"

/* faces.h - the two faces of the CA.  Each answers every path that it owns. */
bool adcs_owns(const char *path); /* /certsrv/ */
void adcs_serve(struct exchange *x);
bool est_owns(const char *path); /* /.well-known/est/ */
void est_serve(struct exchange *x);

/* face_login - Basic credentials, or the 401 is filled in. */
bool face_login(struct exchange *x);

/* fault_cn - the common name in a request, for faults; "" while none is armed there: reading a
 * request twice would cost a quarter of issuing. */
void fault_cn(struct exchange *x, unsigned at, const struct str *csr, char *out, size_t room);

/*
 * pages.c: the pages of AD CS web enrolment, laid out with the element ids that real ones have; the
 * words are ours, in English or German.
 */
enum page_lang { ENGLISH, GERMAN };
void page_issued(struct str *out, enum page_lang lang, unsigned id);
void page_pending(struct str *out, enum page_lang lang, unsigned id);
void page_denied(
    struct str *out, enum page_lang lang, unsigned id, uint32_t hresult, const char *message);
/* page_error - what certnew.cer says instead of a certificate. */
struct page_error {
    unsigned disposition; /* 2 denied, 5 under submission ... */
    const char *message;  /* disposition message */
    uint32_t hresult;     /* last status */
    const char *mode;     /* what was tried */
};
void page_error(struct str *out, enum page_lang lang, const struct page_error *e);
void page_welcome(struct str *out, enum page_lang lang);
/* page_advanced - certrqxt.asp, with what may be enrolled for. */
void page_advanced(struct str *out, enum page_lang lang);
void page_carc(struct str *out, enum page_lang lang);
void page_unauthorized(struct str *out);
#endif
