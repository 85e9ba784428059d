#ifndef AGENT_BUGREPORT_H
#define AGENT_BUGREPORT_H
#include "agent/conf/conf.h"
#include "proto/json.h"

/*
 * bugreport.h - what somebody else needs to see of an installation to find a fault, and nothing more.
 *
 * Everything in it is on a list: a member of a status, a setting of a kind whose value cannot be secret.  What is not on
 * a list is left out, so a new setting or a new member is absent until somebody has thought about it.  Secrets are there
 * as references ("secret:proxy"), URLs without user, query and fragment, requests under a hash of their id with a salt
 * that is made for each report and kept nowhere; texts that peers or requests said are left out.
 *
 * Nothing is sent anywhere.  The archive is ustar by our own hand, because it is forty lines for regular files
 * with short names and every tool reads it, compressed by zlib, which libcurl brings into the program anyway.
 */
enum { BUGREPORT_FILES_MAX = 16, BUGREPORT_FILE_MAX = 4 << 20, BUGREPORT_MAX = 32 << 20 };

struct bugreport_file {
    const char *name, *why; /* static */
    struct buf content;
};
struct bugreport {
    struct bugreport_file files[BUGREPORT_FILES_MAX];
    size_t count;
    char salt[33];
    struct lib *lib;
    int64_t at;
};

/* bugreport_file - the next one, to be written into. */
struct buf *bugreport_file(struct bugreport *r, const char *name, const char *why);
void bugreport_free(struct bugreport *r);

/* bugreport_manifest - {"files": [{file, bytes, sha256, why}]} of all there are */
int bugreport_manifest(const struct bugreport *r, struct buf *out, struct err *e) MUST;
/* bugreport_pack - manifest.json and all files, under one folder, as tar.gz */
int bugreport_pack(const struct bugreport *r, struct buf *out, struct err *e) MUST;

/* bugreport_conf - every setting that may be shown, in effect, with its default marked. */
void bugreport_conf(const struct conf *c, struct buf *out);
/* bugreport_copy - the members of v whose names are on the list, and all that is below "data"; ids hashed. */
void bugreport_copy(const struct bugreport *r, const struct json *v, struct json_out *o);
void bugreport_hash(const struct bugreport *r, const char *id, char out[20]);
/* bugreport_url - without user, query and fragment; "" if it is none */
void bugreport_url(const char *url, char *out, size_t size);
#endif
