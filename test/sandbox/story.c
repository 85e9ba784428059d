/* see story.h */
#include "test/sandbox/story.h"
#include "test/sandbox/commands.h"
#include "test/sandbox/js.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy(struct json_object *line, const char *name)
{
    const char *text = js_text(line, name);

    return text == NULL ? NULL : need_copy(text);
}

static void replace(char **to, struct json_object *line, const char *name)
{
    free(*to);
    *to = copy(line, name);
}

/* list must grow by one when its length is a power of two */
static void *grow(void *list, size_t count)
{
    return count == 0 || (count & (count - 1)) == 0
               ? need(realloc(list, (count == 0 ? 1 : 2 * count) * sizeof(void *)))
               : list;
}

static struct story_request *request_of(struct story *s, struct json_object *line)
{
    const char *id = js_text(line, "requestId");

    return id == NULL ? NULL : map_get_text(&s->by_id, id);
}

static void on_requested(struct story *s, struct json_object *line)
{
    struct story_request *r;

    if (js_text(line, "requestId") == NULL || js_text(line, "cn") == NULL)
        return;
    r = need(calloc(1, sizeof *r));
    r->id = copy(line, "requestId");
    r->cn = copy(line, "cn");
    r->ca = copy(line, "ca");
    r->template = copy(line, "template");
    r->key = copy(line, "key");
    r->platform = copy(line, "platform");
    r->mode = copy(line, "mode");
    s->request = grow(s->request, s->requests);
    s->request[s->requests++] = r;
    map_put_text(&s->by_id, r->id, r);
}

static struct story_key *key_of(struct story *s, const char *cn)
{
    struct story_key *k = map_get_text(&s->by_cn, cn);

    if (k == NULL) {
        k = need(calloc(1, sizeof *k));
        k->cn = need_copy(cn);
        s->key = grow(s->key, s->keys);
        s->key[s->keys++] = k;
        map_put_text(&s->by_cn, k->cn, k);
    }
    return k;
}

/* Certificates of the connector itself: nobody else is waiting for them, and both have one name. */
static bool is_ra(struct json_object *line)
{
    const char *template = js_text(line, "template");

    return template != NULL
           && (strcmp(template, "EnrollmentAgentOffline") == 0
               || strcmp(template, "CEPEncryption") == 0);
}

static void on_csr(struct story *s, struct json_object *line)
{
    const char *cn = js_text(line, "cn"), *spki = js_text(line, "spkiSha256");
    struct story_key *k;

    if (cn == NULL || spki == NULL || is_ra(line))
        return;
    k = key_of(s, cn);
    k->csrs++;
    if (k->first_spki == NULL)
        k->first_spki = need_copy(spki);
    if (k->spkis == 0 || strcmp(k->first_spki, spki) != 0)
        k->spkis++;
}

static void on_issued(struct story *s, struct json_object *line)
{
    struct story_cert *c;

    if (js_text(line, "serial") == NULL || js_text(line, "cn") == NULL || is_ra(line))
        return;
    c = need(calloc(1, sizeof *c));
    c->serial = copy(line, "serial");
    c->cn = copy(line, "cn");
    c->spki = copy(line, "spkiSha256");
    s->cert = grow(s->cert, s->certs);
    s->cert[s->certs++] = c;
    map_put_text(&s->by_serial, c->serial, c);
    key_of(s, c->cn)->certs++;
    key_of(s, c->cn)->fit += !js_is(line, "twisted");
}

static void on_result(struct story *s, struct json_object *line)
{
    struct story_request *r = request_of(s, line);
    const char *digest = js_text(line, "digest"), *state = js_text(line, "state");
    const char *serial = js_text(line, "serial"), *verdict = js_text(line, "verdict");
    const char *answer = js_text(line, "answer");
    struct story_cert *c = serial == NULL ? NULL : map_get_text(&s->by_serial, serial);

    if (r != NULL && !js_is(line, "accepted") && answer != NULL
        && strcmp(answer, "ConflictError") == 0)
        r->lost++;
    if (r == NULL || digest == NULL || !js_is(line, "accepted")
        || (state != NULL && strcmp(state, "issuePending") == 0))
        return;
    if (r->first_digest == NULL)
        r->first_digest = need_copy(digest);
    if (r->digests == 0 || strcmp(r->first_digest, digest) != 0)
        r->digests++;
    if (js_is(line, "duplicate"))
        return;
    r->final = true;
    r->succeeded = js_is(line, "succeeded");
    replace(&r->verdict, line, "verdict");
    replace(&r->error_code, line, "errorCode");
    replace(&r->serial, line, "serial");
    replace(&r->profile, line, "profile");
    js_int(line, "ms", &r->ms);
    if (c != NULL && r->succeeded && verdict != NULL
        && (strcmp(verdict, "ok") == 0 || strcmp(verdict, "sealed") == 0))
        c->delivered = true;
}

/* Intune was told, so the device has it, or asks again for the same. */
static void on_scep_success(struct story *s, struct json_object *line)
{
    const char *serial = js_text(line, "serial"), *code = js_text(line, "code");
    struct story_cert *c = serial == NULL ? NULL : map_get_text(&s->by_serial, serial);

    if (c != NULL && code != NULL && strcmp(code, "Success") == 0)
        c->delivered = true;
}

static void on_line(struct story *s, struct json_object *line)
{
    const char *event = js_text(line, "event");

    if (event == NULL)
        return;
    if (strcmp(event, "start") == 0)
        js_int(line, "openEvery", &s->open_every);
    else if (strcmp(event, "requested") == 0)
        on_requested(s, line);
    else if (strcmp(event, "csr-received") == 0)
        on_csr(s, line);
    else if (strcmp(event, "issued") == 0)
        on_issued(s, line);
    else if (strcmp(event, "result") == 0)
        on_result(s, line);
    else if (strcmp(event, "scep-success") == 0)
        on_scep_success(s, line);
    else if (strcmp(event, "lease-refused") == 0 && request_of(s, line) != NULL)
        request_of(s, line)->lost++;
    s->conflicts += strcmp(event, "conflicting-result") == 0;
    s->refused += strcmp(event, "refused") == 0;
    s->faults += strcmp(event, "fault") == 0;
    s->handed_out += strcmp(event, "handed-out") == 0;
}

/* A sandbox that still runs may have lines in memory; asking for its summary writes them out. */
static void settle(const char *dir)
{
    struct str summary = { 0 };
    char ignored[DIR_WHY];
    int status;

    if (dir_has(dir, "ready"))
        tls_ask(dir, "GET", "/sandbox/summary", NULL, &status, &summary, ignored);
    str_free(&summary);
}

bool story_read(const char *dir, struct story *s, char why[DIR_WHY])
{
    struct str text = { 0 };
    char reason[128] = "";
    const char *p;
    bool ok;

    *s = (struct story){ .open_every = 1 };
    settle(dir);
    ok = dir_read(dir, "ledger.jsonl", &text, why);
    for (p = text.p; ok && *p != '\0';) {
        size_t len = strcspn(p, "\n");
        struct json_object *line = js_parse(p, len, reason, sizeof reason);

        s->lines++;
        if (line != NULL) {
            on_line(s, line);
        } else if (p[len] != '\0') { /* a last line without its end was being written */
            snprintf(why, DIR_WHY, "ledger.jsonl:%zu: %s", s->lines, reason);
            ok = false;
        }
        js_free(line);
        p += len + (p[len] == '\n');
    }
    str_free(&text);
    return ok;
}

static void free_request(struct story_request *r)
{
    char *const texts[] = { r->id, r->cn, r->ca, r->template, r->key, r->platform, r->mode,
        r->verdict, r->error_code, r->serial, r->profile, r->first_digest };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    free(r);
}

void story_done(struct story *s)
{
    for (size_t i = 0; i < s->requests; i++)
        free_request(s->request[i]);
    for (size_t i = 0; i < s->certs; i++) {
        free(s->cert[i]->serial);
        free(s->cert[i]->cn);
        free(s->cert[i]->spki);
        free(s->cert[i]);
    }
    for (size_t i = 0; i < s->keys; i++) {
        free(s->key[i]->cn);
        free(s->key[i]->first_spki);
        free(s->key[i]);
    }
    free(s->request);
    free(s->cert);
    free(s->key);
    map_done(&s->by_id);
    map_done(&s->by_serial);
    map_done(&s->by_cn);
}

struct story_key *story_key(const struct story *s, const char *cn)
{
    return map_get_text(&s->by_cn, cn);
}

enum story_end story_end(const struct story *s, const struct story_request *r)
{
    const struct story_key *k = story_key(s, r->cn);

    if (!r->final)
        return ENDED_OPEN;
    if (r->succeeded)
        return ENDED_DELIVERED;
    if (k != NULL && k->certs > 0)
        return k->fit > 0 ? ENDED_LOST : ENDED_UNFIT;
    return r->error_code != NULL && strcmp(r->error_code, "DeniedByCA") == 0 ? ENDED_DENIED
                                                                             : ENDED_FAILED;
}
