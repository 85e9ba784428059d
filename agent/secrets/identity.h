#ifndef AGENT_IDENTITY_H
#define AGENT_IDENTITY_H
#include "certs/key.h"

/*
 * identity.h - a certificate and its private key, from the administrator's PEM files.
 *
 * The key is PKCS#8 ("PRIVATE KEY"), not encrypted, in a file that passes fs_readable(secret).
 */
struct identity {
    struct buf certificate; /* DER, the first of the file */
    struct key *key;        /* usable with the lib it was opened with */
};

/*
 * identity_open - key_file NULL: the key is in the certificate's file.
 *
 * fails    ERR_CONFIG: a file is missing, readable by others, has nothing of the kind in it, or the two do
 *          not belong together; the message names the file.  Nothing is left to close then.
 */
int identity_open(struct identity *i, struct lib *l, const char *certificate_file,
    const char *key_file, struct err *e) MUST;
/* identity_read - from PEM in memory; without a certificate it stays empty.  fails ERR_CONFIG as above */
int identity_read(struct identity *i, struct lib *l, struct view certificate, struct view key,
    struct err *e) MUST;
void identity_close(struct identity *i); /* zeros, or opened; may be called again */

/* identity_certificate - the first certificate of a PEM or DER file, appended.  fails ERR_CONFIG */
int identity_certificate(struct lib *l, const char *file, struct buf *out, struct err *e) MUST;
#endif
