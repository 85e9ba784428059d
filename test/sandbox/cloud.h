#ifndef SANDBOX_CLOUD_H
#define SANDBOX_CLOUD_H
#include "test/sandbox/http.h"
#include "test/sandbox/js.h"
#include "test/sandbox/queue.h"

/* cloud.h - the CCP/1 face.  cloud_serve answers everything under /ccp/ and the discovery. */
bool cloud_owns(const char *path);
void cloud_serve(struct exchange *x);

/* One function an operation; the body has been read.  leases.c, upload.c, heartbeat.c */
void cloud_extend(struct exchange *x, struct json_object *body);
void cloud_release(struct exchange *x, struct json_object *body);
void cloud_upload(struct exchange *x, struct json_object *body);
void cloud_heartbeat(struct exchange *x, struct json_object *body);

void json_answer(struct exchange *x, int status); /* begins a JSON answer */
/* cloud_refuse - an error answer that also goes to the ledger. */
void cloud_refuse(struct exchange *x, int status, const char *code, const char *message);
#endif
