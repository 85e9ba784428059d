#ifndef AGENT_JOB_SCEP_H
#define AGENT_JOB_SCEP_H
#include "agent/requests/job.h"
#include "proto/scep.h"

/*
 * job_scep.h - a certificate for a device that asks by SCEP.
 *
 * scepd has opened and checked the message, reserved its challenge in memory, and begins the job; the steps:
 * ask (the plugin), find, submit, collect, issuer (the CA), check (a worker), notify (the plugin), end.  The first
 * commit is that of the submission, or of a wait: a request that is refused before leaves no trace in the store.
 * The device is answered by scepd when the job is parked: not before what it says is stored, and with a
 * certificate not before notify was accepted.
 *
 * BLOB_ITEM  {"v":1,"endpoint","transaction","remote","challenge" (a hash),"renewal","hash","ec","bits"}
 * BLOB_CSR   as the device sent it      BLOB_SIGNER  the certificate that signs the message
 * BLOB_NOTES first byte 'a' once the plugin has allowed it, 'A' once it passed our checks as well, else '-'; then the
 *            plugin's memo
 * BLOB_RESULT the issued certificate and its issuers, DER
 */
extern const struct job_kind job_scep;

struct scep_item { /* BLOB_ITEM */
    char endpoint[64], transaction[520], remote[64], challenge[72];
    bool renewal;
    char hash[8]; /* of the request's own signature */
    bool ec;
    int64_t key_bits;
};
void scep_item_write(struct buf *out, const struct scep_item *i);
int scep_item_parse(struct view json, struct scep_item *i, struct err *e) MUST;

/* job_scep_said - of a request that was refused: what the device is told. */
void job_scep_said(const struct job *j, enum scep_fail *fail, uint32_t *hresult);

/* job_scep_remote - the address that asked first; "" = not known */
const char *job_scep_remote(const struct job *j);

#endif
