#ifndef CERTS_CMS_CONTENT_H
#define CERTS_CMS_CONTENT_H
#include "certs/buf.h"

/*
 * cms_content.h - what of a CMS message its holder cannot write another way.
 *
 * Who has a signed or encrypted message, and no key, can still write it in many ways that say the same: other lengths
 * (BER), more certificates, unsigned attributes, another recipient, bytes behind it.  What was signed or encrypted stays.
 *
 *   SignedData                          all of eContent: another one has no signature
 *   EnvelopedData, AuthEnvelopedData    the first 128 bytes of encryptedContent: in CBC mode blocks can be put behind it,
 *                                       which readers that ignore what is behind a message do not see; in front of the
 *                                       end every change breaks what is inside
 *
 * Only the way there is read, as leniently as BER allows: what nobody vouches for must not decide whether it is found.
 * Nothing is verified.  Takes time linear in the input; no recursion.
 */
enum { CMS_CONTENT_FRONT = 128 };

/* cms_content - append it.  false: no such message, or one without content; out is as it was.  Threads: pure. */
bool cms_content(struct view in, struct buf *out);
#endif
