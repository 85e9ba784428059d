#ifndef SANDBOX_ITEM_H
#define SANDBOX_ITEM_H
#include "test/sandbox/js.h"
#include "test/sandbox/sandbox.h"

/*
 * item.h - a request as the cloud hands it out, without the lease members.
 *
 * NULL or 0 means "not in the item", except where a default is given.
 */
struct request;
struct item {
    char id[GUID_TEXT], user[GUID_TEXT], device_id[GUID_TEXT];
    const char *cn;
    const char *organisation, *country, *unit; /* further RDNs, before the CN */
    const char *email, *upn, *dns, *uri, *ip;
    const char *sid, *sid_encoding;
    const char *ca, *template;
    const char *key;      /* "rsa2048", "ecP256", "ed25519" ...; default rsa2048 */
    const char *platform; /* default windows10AndLater */
    bool machine, blob;
    enum device device;
    const char *content, *transport; /* default aes256-gcm, rsaOaepSha256 */
    const char *friendly_name;
    int validity_days;
    bool for_mail; /* EKU secure e-mail as well */
    int64_t created_at;
};
void item_write(struct str *out, const struct item *i, const struct setup *s);
bool item_key_ok(const char *key); /* one of the names above */

/* item_add - into the queue, from an item in full (text is taken over).
 * false: no requestId, no subject to be made, or the id is there already; `why` */
bool item_add(struct sandbox *s, char *text, struct str *why);

/* item_from - defaults laid under a partial item; device names as recipients become certificates. */
char *item_from(struct sandbox *s, struct json_object *partial);

/* item_text - JSON of a request, wherever it is kept; the caller frees it. */
char *item_text(struct sandbox *s, const struct request *r);

/* item_note - the ledger's line about a new request. */
void item_note(struct sandbox *s, const char *cn, struct json_object *item);
#endif
