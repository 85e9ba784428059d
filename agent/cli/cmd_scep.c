/* scep info, scep test: what a person sees of scep_probe.h. */
#include <stdio.h>
#include <string.h>
#include "agent/base/fs.h"
#include "agent/cli/cli.h"
#include "agent/probe/scep_probe.h"
#include "certs/name.h"
#include "certs/text.h"

enum { TEXT_MAX = 8192, DATA_MAX = 1 << 20, CHALLENGE_MAX = 8192, WAIT_S = 30, DAY_S = 86400 };

/* ---- certificates ------------------------------------------------------------------------------------------------ */

struct seen { /* one certificate as text */
    struct buf role, subject, issuer, serial, sha1, sha256, md5;
    char from[24], until[24], key[32];
};

static void hash_text(struct lib *l, struct view der, struct seen *s)
{
    uint8_t hash[32];
    struct err e;

    if (lib_sha1(l, der, hash, &e) == 0)
        hex_add(&s->sha1, view_of(hash, 20));
    if (lib_sha256(l, der, hash, &e) == 0)
        hex_add(&s->sha256, view_of(hash, 32));
    if (lib_md5(l, der, hash, &e) == 0)
        hex_add(&s->md5, view_of(hash, 16));
}

static void see(struct lib *l, const struct cert *c, unsigned role, struct seen *s)
{
    struct spki k;
    struct err e;

    *s = (struct seen){ BUF_INIT(TEXT_MAX), BUF_INIT(TEXT_MAX), BUF_INIT(TEXT_MAX),
        BUF_INIT(TEXT_MAX), BUF_INIT(64), BUF_INIT(72), BUF_INIT(64), "", "", "unknown" };
    scep_role_text(role, &s->role);
    name_text(c->subject, &s->subject);
    name_text(c->issuer, &s->issuer);
    cert_serial_hex(c, &s->serial);
    hash_text(l, c->der, s);
    time_text(c->not_before_at, s->from);
    time_text(c->not_after_at, s->until);
    if (spki_parse(c->spki, &k, &e) != 0)
        return;
    if (k.ec)
        (void)snprintf(s->key, sizeof s->key, "EC %s", k.group);
    else
        (void)snprintf(s->key, sizeof s->key, "RSA %zu", k.bits);
}

static void forget(struct seen *s)
{
    buf_free(&s->role);
    buf_free(&s->subject);
    buf_free(&s->issuer);
    buf_free(&s->serial);
    buf_free(&s->sha1);
    buf_free(&s->sha256);
    buf_free(&s->md5);
}

static void print_certs(struct lib *l, const char *title, const struct scep_certs *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct cert *c = &list->cert[i];
        struct seen s;

        see(l, c, list->role[i], &s);
        (void)printf("\n%s %zu: %s\n", title, i + 1, buf_text(&s.role));
        (void)printf("  subject  %s\n  issuer   %s\n  serial   %s\n", buf_text(&s.subject),
            buf_text(&s.issuer), buf_text(&s.serial));
        (void)printf("  valid    %s to %s, %lld days left\n  key      %s\n", s.from, s.until,
            (long long)((c->not_after_at - io_wall_s()) / DAY_S), s.key);
        (void)printf("  SHA-1    %s\n  SHA-256  %s\n  MD5      %s\n", buf_text(&s.sha1),
            buf_text(&s.sha256), buf_text(&s.md5));
        forget(&s);
    }
}

static void json_certs(
    struct lib *l, const char *name, const struct scep_certs *list, struct json_out *o)
{
    json_open(o, name, '[');
    for (size_t i = 0; i < list->count; i++) {
        struct seen s;

        see(l, &list->cert[i], list->role[i], &s);
        json_open(o, NULL, '{');
        json_put_text(o, "role", buf_text(&s.role));
        json_put_text(o, "subject", buf_text(&s.subject));
        json_put_text(o, "issuer", buf_text(&s.issuer));
        json_put_text(o, "serialNumber", buf_text(&s.serial));
        json_put_text(o, "notBefore", s.from);
        json_put_text(o, "notAfter", s.until);
        json_put_text(o, "key", s.key);
        json_put_text(o, "sha1", buf_text(&s.sha1));
        json_put_text(o, "sha256", buf_text(&s.sha256));
        json_put_text(o, "md5", buf_text(&s.md5));
        json_close(o, '}');
        forget(&s);
    }
    json_close(o, ']');
}

/* ---- both commands ---------------------------------------------------------------------------------------------- */

static void print(const struct cli *c, struct scep_probe *p)
{
    for (int i = 0; i < SCEP_STAGE_COUNT; i++)
        if (p->found[i].grade != GRADE_NONE && (!c->quiet || p->found[i].grade == GRADE_FAIL))
            finding_print(&p->found[i], scep_stage_text((enum scep_stage)i));
}

static void json(struct scep_probe *p, const char *schema, int code)
{
    struct buf data = BUF_INIT(DATA_MAX);
    struct json_out o = { .to = &data };

    json_open(&o, NULL, '{');
    json_put_text(&o, "url", p->to.url);
    json_open(&o, "stages", '[');
    for (int i = 0; i < SCEP_STAGE_COUNT; i++) {
        if (p->found[i].grade == GRADE_NONE)
            continue;
        json_open(&o, NULL, '{');
        json_put_text(&o, "name", scep_stage_name((enum scep_stage)i));
        finding_json(&p->found[i], &o);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    if (p->bare_status != 0)
        json_put_int(&o, "bareStatus", p->bare_status);
    json_put_text(&o, "capabilities", buf_text(&p->caps));
    json_certs(p->lib, "certificates", &p->certs, &o);
    json_certs(p->lib, "nextCertificates", &p->next, &o);
    json_close(&o, '}');
    cli_envelope(schema, &data, scep_probe_worst(p), code);
    buf_free(&data);
}

static int code_of(const struct scep_probe *p)
{
    const struct finding *worst = scep_probe_worst(p);

    return worst != NULL ? (int)exit_code_of(worst->cls) : p->pending ? EXIT_TIMEOUT : EXIT_OK;
}

static int run(struct cli *c, struct lib *l, struct scep_probe *p, const char *schema, bool certs)
{
    struct err e;
    int code;

    if (scep_probe_run(p, l, &e) != 0) {
        code = cli_fail(
            c, &e, "give the whole URL, as http://scep.contoso.example/certsrv/mscep/mscep.dll");
    } else {
        code = code_of(p);
        if (c->json)
            json(p, schema, code);
        else {
            print(c, p);
            if (certs) {
                print_certs(l, "Certificate", &p->certs);
                print_certs(l, "Next certificate", &p->next);
            }
        }
    }
    scep_probe_end(p);
    return code;
}

int cmd_scep_info(struct cli *c)
{
    struct scep_probe p = { .stages = SCEP_LOOK,
        .to = { .url = c->args[0], .trust = cli_given(c, "--trust") } };
    struct lib *l;
    int code = cli_io(c, &l);

    if (code != 0)
        return code;
    code = run(c, l, &p, "certferry.scep-info/1", !c->quiet);
    cli_io_end(l);
    return code;
}

int cli_scep_test(struct cli *c, struct lib *l, const struct scep_client_conf *to)
{
    const char *file = cli_given(c, "--challenge-file"), *subject = cli_given(c, "--subject");
    struct buf challenge = BUF_SECRET(CHALLENGE_MAX);
    struct scep_probe p = { .to = *to,
        .stages = SCEP_ENROL | 1u << SCEP_STAGE_LONG,
        .subject = subject != NULL ? subject : "CN=certferry-test",
        .wait_s = cli_seconds(c, "--wait", WAIT_S) };
    struct err e;
    int code;

    if (file != NULL && fs_read_secret_line(file, &challenge, &e) != 0)
        code = cli_fail(c, &e, "put the challenge alone into a file and: chmod 600 FILE");
    else {
        p.challenge = file != NULL ? buf_text(&challenge) : NULL;
        code = run(c, l, &p, "certferry.scep-test/1", false);
    }
    buf_free(&challenge);
    return code;
}

int cmd_scep_test(struct cli *c)
{
    const struct scep_client_conf to = { .url = c->args[0], .trust = cli_given(c, "--trust") };
    struct lib *l;
    int code = cli_io(c, &l);

    if (code != 0)
        return code;
    code = cli_scep_test(c, l, &to);
    cli_io_end(l);
    return code;
}
