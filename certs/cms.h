#ifndef CERTS_CMS_H
#define CERTS_CMS_H
#include "certs/lib.h"

/*
 * cms.h - encrypt to a device's certificate (CMS, RFC 5652, 5083, 5753, 8017).
 *
 *   recipient  RSA: KeyTransRecipientInfo, OAEP with SHA-256 (MGF1 SHA-256) or PKCS#1 v1.5
 *              EC:  KeyAgreeRecipientInfo, ephemeral-static ECDH, key wrap AES-256
 *              named by issuerAndSerialNumber
 *   content    AES-256-GCM as AuthEnvelopedData; AES-256-CBC, AES-128-CBC or 3DES-CBC as EnvelopedData
 *
 * Threads: any, with that thread's lib.
 */
enum cms_content { CMS_CONTENT_NONE, CMS_AES256_GCM, CMS_AES256_CBC, CMS_DES3_CBC, CMS_AES128_CBC };
enum cms_transport {
    CMS_TRANSPORT_NONE,
    CMS_RSA_OAEP_SHA256,
    CMS_RSA_PKCS1,
    CMS_RSA_PKCS1_SIGNER /* PKCS#1, whatever its key usage says: SCEP answers to whoever has signed */
};

/*
 * cms_envelope - append the DER ContentInfo that carries `content` to the holder of `recipient`.
 *
 * recipient  DER certificate; devices make their first one themselves, so it may be one that cert_parse
 *            refuses (cms_cert.h)
 * content    at most 16 MiB
 * transport  for RSA recipients; an EC recipient always uses ECDH, whatever stands here
 * fails      ERR_INPUT   not a certificate, RSA below 2048 bits or with exponent 1,
 *                        keyUsage forbids it, content or transport unknown
 *            ERR_UNSUPPORTED a key that is neither RSA nor EC P-256/384/521
 *            ERR_CRYPTO  the library refused
 */
int cms_envelope(struct lib *l, struct view recipient, enum cms_content c, enum cms_transport t,
    struct view content, struct buf *out, struct err *e) MUST;

/*
 * cms_certs - the certificates of a certs-only SignedData (RFC 5652 5.2), DER or BER, appended one
 * behind the other as they stand in it; they are not looked into.
 *
 * in       at most 1 MiB
 * count    how many, 1..32
 * fails    ERR_PROTO: not a SignedData, signed after all, trailing bytes, no or too many certificates
 * Threads: pure.
 */
int cms_certs(struct view in, struct buf *out, size_t *count, struct err *e) MUST;
#endif
