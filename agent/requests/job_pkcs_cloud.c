/* The steps of a pkcsIssue request that tell the cloud: notice, report.  See job_pkcs_inner.h. */
#include "agent/base/crash.h"
#include "agent/base/log.h"
#include "agent/requests/job_pkcs_inner.h"

enum { CLOUD_TIMEOUT_MS = 60000 };

/* ---- NOTICE: tell the cloud once that the CA has not decided.  No more than a courtesy. ----------------------- */

bool pkcs_notice_done(const struct job *j)
{
    return j->r.noticed != 1 || job_has(j, BLOB_CHAIN);
}

enum verdict pkcs_notice_begin(struct job *j)
{
    struct buf result = BUF_INIT(64 << 10), body = BUF_INIT(64 << 10);
    struct op *op = NULL;

    ccp_result_write(&result, &(struct ccp_result){ .head = &pkcs_of(j)->item.head,
                                  .context = pkcs_of(j)->item.context,
                                  .issuance_state = "issuePending",
                                  .activity_id = j->r.activity,
                                  .ca = j->r.ca });
    ccp_upload_write(&body, j->r.lease, buf_view(&result));
    if (buf_check(&result, &j->why) == 0 && buf_check(&body, &j->why) == 0)
        op = cloud_post(&j->a->cloud, "results/upload", j->r.activity, buf_view(&body),
            CLOUD_TIMEOUT_MS, job_wake, j, &j->why);
    buf_free(&result);
    buf_free(&body);
    return job_ask(j, op);
}

enum verdict pkcs_notice_end(struct job *j, const struct result *r)
{
    struct err e;

    if (cloud_judge(&j->a->cloud, r, &e) == 0)
        j->r.noticed = 2;
    else
        log_err(EV_UPLOAD_FAILED, j->r.id, "cloud", &e);
    return j->wait_s > 0 ? V_LATER : V_NEXT;
}

/* ---- REPORT: the certificate, or the reason there is none.  May be sent twice; the bytes are the same. ------- */

void pkcs_report_before(struct job *j)
{
    struct buf result = BUF_INIT(64 << 10);
    static const char *const states[] = { "requestSubmitFailed", "issueFailed" };

    if (job_has(j, BLOB_RESULT))
        return;
    ccp_result_write(&result, &(struct ccp_result){ .head = &pkcs_of(j)->item.head,
                                  .context = pkcs_of(j)->item.context,
                                  .issuance_state = states[j->r.submits > 0],
                                  .activity_id = j->r.activity,
                                  .why = &j->r.why,
                                  .ca = j->r.ca });
    if (!result.bad)
        job_put(j, BLOB_RESULT, &result);
    buf_free(&result);
}

enum verdict pkcs_report_begin(struct job *j)
{
    struct buf body = BUF_INIT(CCP_BATCH_MAX);
    struct op *op = NULL;

    crash_point(11);
    ccp_upload_write(&body, j->r.lease, buf_view(&j->blob[BLOB_RESULT]));
    crash_point(12);
    if (buf_check(&body, &j->why) == 0)
        op = cloud_post(&j->a->cloud, "results/upload", j->r.activity, buf_view(&body),
            CLOUD_TIMEOUT_MS, job_wake, j, &j->why);
    crash_soon(13);
    buf_free(&body);
    return job_ask(j, op);
}

/* A cloud says no in JSON.  A page with 404, 400 ... is of something in front of it, which may not find it just now. */
static bool is_page(const struct result *r)
{
    const char *type = r->http != NULL ? r->http->content_type : NULL;

    return r->http != NULL && r->http->status / 100 == 4
           && (type == NULL || !http_type_is(type, "application/json"));
}

/* Whether it was recorded nobody knows: the same bytes again are answered the same way (proto/ccp.md 4.4). */
static enum verdict unrecorded(struct job *j, const struct result *r)
{
    bool page = is_page(r) && j->why.cls != ERR_TOO_LARGE && err_action(j->why.cls) == ERR_DO_FAIL;

    if (page || j->why.cls == ERR_PROTO) {
        j->why.cls = ERR_NET;
        (void)err_wrap(
            &j->why, page ? "not the cloud's own answer" : "the cloud's answer cannot be read");
    }
    return V_FAILED;
}

enum verdict pkcs_report_end(struct job *j, const struct result *r)
{
    crash_point(14);
    if (cloud_judge(&j->a->cloud, r, &j->why) != 0
        || ccp_upload_parse(r->http->body, j->r.id, &j->why) != 0)
        return unrecorded(j, r);
    log_event(
        EV_UPLOADED, j->r.id, "cloud", "%s", j->r.failed ? "reason of the failure" : "certificate");
    return V_NEXT;
}
