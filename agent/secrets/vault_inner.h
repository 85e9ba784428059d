#ifndef AGENT_VAULT_INNER_H
#define AGENT_VAULT_INNER_H
#include "agent/secrets/vault.h"

/* vault_inner.h - between vault.c and vault_exchange.c. */

/* vault_aad - the place a sealed value belongs to; it opens nowhere else. */
int vault_aad(struct buf *b, const char *id, const char *what, struct err *e) MUST;
/* vault_take_new - the key of this file seals from now on, and what sealed before opens. */
int vault_take_new(struct vault *v, struct lib *l, const char *path, struct err *e) MUST;
#endif
