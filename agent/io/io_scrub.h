#ifndef AGENT_IO_SCRUB_H
#define AGENT_IO_SCRUB_H
#include "certs/buf.h"

/*
 * io_scrub.h - what we showed to prove who we are, taken out of an answer.
 *
 * Some servers and many debugging pages repeat the request in a refusal; its text goes to logs and people, and our
 * password must not come along.
 */

/* io_scrub - overwrite each occurrence with '*', also as JSON escapes it.  Less than 6 bytes are nobody's secret, and
 * left. */
void io_scrub(struct buf *body, struct view secret);

/* io_scrub_credential - "user:password" or a token: as it is, the password alone, and both as Basic sends them. */
void io_scrub_credential(struct buf *body, struct view credential);

/* io_scrub_header - "Authorization: SCHEME VALUE": the value; any other header: nothing. */
void io_scrub_header(struct buf *body, const char *line);

/* io_scrub_form - the values of a form that prove who we are: client_secret, client_assertion, device_code ... */
void io_scrub_form(struct buf *body, struct view form);
#endif
