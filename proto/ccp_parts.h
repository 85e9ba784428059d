#ifndef PROTO_CCP_PARTS_H
#define PROTO_CCP_PARTS_H
#include "proto/ccp.h"

/*
 * ccp_parts.h - the parts that CCP messages are made of; for the ccp_*.c files only.
 *
 * Like json_text and its kin: an absent member that need not be there leaves *out alone.
 */
enum { CCP_CODE_MAX = 64, CCP_POLL_MAX_S = 86400 };

/* part_text - json_text, and no control character in it.  fails also ERR_INPUT */
int part_text(const struct json *object, const char *name, bool must, size_t text_max,
    const char **out, struct err *e) MUST;

/* part_copy - the same, as an owned copy; *out was NULL and stays so for an empty text, which is
 * ERR_PROTO if the member must be there. */
int part_copy(const struct json *object, const char *name, bool must, size_t text_max, char **out,
    struct err *e) MUST;

/* part_guid - a GUID, in lower case.  fails ERR_PROTO: not one */
int part_guid(const struct json *object, const char *name, bool must, char out[CCP_ID_LEN + 1],
    struct err *e) MUST;

/*
 * part_choice - one of a list of names, ended by NULL: its index in *out.
 * fails ERR_UNSUPPORTED: another one; the message names the member, the value and the list
 */
int part_choice(const struct json *object, const char *name, bool must, const char *const *names,
    int *out, struct err *e) MUST;

/* part_array - an array of at most `max` elements; *out stays NULL without one. */
int part_array(const struct json *object, const char *name, bool must, size_t max,
    const struct json **out, struct err *e) MUST;

/* part_object - the same for an object. */
int part_object(const struct json *object, const char *name, bool must, const struct json **out,
    struct err *e) MUST;

/* part_poll_after - pollAfterSeconds, cut at a day; -1 stays if it is absent. */
int part_poll_after(const struct json *object, int64_t *out, struct err *e) MUST;

/* part_put_features - the request types a connector can do. */
void part_put_features(struct json_out *o, const enum ccp_type *types, size_t count);

/* part_head - what every item has; *bad is the first fault (class ERR_NONE: none). */
void part_head(const struct json *item, struct ccp_head *out, struct err *bad);

/* part_names - subject, alternative names and SID of `parameters`, into out->template, whose EKUs are
 * read already: what a device may assert depends on them. */
int part_names(const struct json *parameters, struct ccp_item *out, struct err *e) MUST;

/* part_delivery - parameters.delivery. */
int part_delivery(const struct json *delivery, struct ccp_item *out, struct err *e) MUST;
#endif
