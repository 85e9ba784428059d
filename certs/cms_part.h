#ifndef CERTS_CMS_PART_H
#define CERTS_CMS_PART_H
#include "certs/cms.h"
#include "certs/cms_cert.h"
#include "certs/spki.h"

/*
 * cms_part.h - what the files behind cms_envelope share; for cms.c and cms_*.c only.
 */
struct cms_recipient {
    struct cms_cert cert;
    struct spki key;
};

/*
 * cms_recipient_read - views into `der`.  fails ERR_INPUT, ERR_UNSUPPORTED as cms.h says; pure
 */
int cms_recipient_read(
    struct view der, enum cms_transport t, struct cms_recipient *r, struct err *e) MUST;

/*
 * cms_recipient_write - append the RecipientInfo that carries the content-encryption key `cek` (16 to
 * 32 bytes) to r: KeyTransRecipientInfo for RSA, KeyAgreeRecipientInfo for EC (t does not count).
 *
 * out      may turn bad; the caller calls buf_finish
 * fails    ERR_INPUT the key is none; ERR_CRYPTO, ERR_NOMEM
 */
int cms_recipient_write(struct lib *l, const struct cms_recipient *r, enum cms_transport t,
    struct view cek, struct buf *out, struct err *e) MUST;
#endif
