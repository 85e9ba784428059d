#ifndef AGENT_IO_SCRUB_H
#define AGENT_IO_SCRUB_H
#include "certs/buf.h"

/*
 * io_scrub.h - what we showed to prove who we are, taken out of an answer.
 *
 * Some servers and many debugging pages repeat the request in a refusal; its text goes to logs and people, and our
 * password must not come along.  Nor what an answer of 200 says, in which some services refuse, too; but that may be a
 * certificate, and is only touched for what stands in it by no chance.
 *
 * Each function takes the least length of what is a secret: IO_SCRUB_REFUSAL, IO_SCRUB_ANSWER.
 */
enum { IO_SCRUB_REFUSAL = 6, IO_SCRUB_ANSWER = 16 };

/* io_scrub - overwrite each occurrence with '*', also as JSON escapes it. */
void io_scrub(struct buf *body, struct view secret, size_t least);

/* io_scrub_credential - "user:password" or a token: as it is, the password alone, and both as Basic sends them. */
void io_scrub_credential(struct buf *body, struct view credential, size_t least);

/* io_scrub_header - "Authorization: SCHEME VALUE": the value; "NAME: VALUE" with a name that speaks of a key, token, secret,
 * password, cookie or authorization: the value; any other header: nothing. */
void io_scrub_header(struct buf *body, const char *line, size_t least);

/* io_scrub_form - the values of a form that prove who we are: client_secret, client_assertion, device_code ...: only of
 * refusals, an answer may give the same back to us. */
void io_scrub_form(struct buf *body, struct view form);
#endif
