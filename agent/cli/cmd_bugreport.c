/* bugreport: gathers what bugreport.h allows, shows it, writes it. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "agent/base/fs.h"
#include "agent/base/io.h"
#include "agent/cli/bugreport.h"
#include "agent/cli/cli.h"
#include "agent/doctor/doctor.h"
#include "agent/store/store.h"
#include "certs/lib.h"
#include "certs/text.h"

enum { REQUESTS_MAX = 100, UNIT_MAX = 64 << 10, REPORT_MODE = 0600 };
#define SINCE_S (7 * 86400)

static void progress(const struct cli *c, const char *what)
{
    if (!c->quiet && !c->json && isatty(STDERR_FILENO) == 1)
        (void)fprintf(stderr, "gathering: %s\n", what);
}

/* ---- the files -------------------------------------------------------------------------------------------------- */

static void put_version(struct bugreport *r)
{
    struct json_out o = { .to = bugreport_file(r, "version.json",
                              "versions of the program, its libraries and the system") };
    struct utsname u;

    json_open(&o, NULL, '{');
    json_put_text(&o, "version", CERTFERRY_VERSION);
    json_put_text(&o, "openssl", lib_version());
    json_put_text(&o, "io", io_versions());
    json_put_text(&o, "store", store_library());
    if (uname(&u) == 0) {
        json_put_text(&o, "system", u.sysname);
        json_put_text(&o, "release", u.release);
        json_put_text(&o, "machine", u.machine);
    }
    json_close(&o, '}');
    buf_add_byte(o.to, '\n');
}

/* One answer of the service or the store, as far as it is allowed. */
static void put_answer(
    struct cli *c, struct bugreport *r, const char *command, const char *file, const char *why)
{
    struct json *answer = NULL;
    struct json_out o = { .to = NULL };
    bool json = c->json;

    progress(c, file);
    c->json = false;
    (void)cli_ask(c, command, false, &answer);
    c->json = json;
    if (answer == NULL)
        return;
    o.to = bugreport_file(r, file, why);
    bugreport_copy(r, answer, &o);
    buf_add_byte(o.to, '\n');
    json_free(answer);
}

static void put_metrics(struct cli *c, struct bugreport *r)
{
    struct json *answer = NULL;
    bool json = c->json;

    c->json = false;
    (void)cli_ask(c, "{\"command\":\"metrics\"}", false, &answer);
    c->json = json;
    if (answer != NULL) {
        struct buf *to = bugreport_file(r, "metrics.txt", "numbers of the service, OpenMetrics");
        const char *text = json_string(json_get(json_get(answer, "data"), "openmetrics"));

        buf_add_text(to, text != NULL ? text : "");
    }
    json_free(answer);
}

static void put_history(struct cli *c, struct bugreport *r, const char *id, struct json_out *o)
{
    struct json *answer = NULL;
    struct buf q = BUF_INIT(1024);
    struct json_out ask = { .to = &q };

    json_open(&ask, NULL, '{');
    json_put_text(&ask, "command", "requests.show");
    json_put_text(&ask, "id", id);
    json_close(&ask, '}');
    (void)cli_ask(c, buf_text(&q), false, &answer);
    if (answer != NULL)
        bugreport_copy(r, json_get(answer, "data"), o);
    json_free(answer);
    buf_free(&q);
}

static void put_requests(struct cli *c, struct bugreport *r)
{
    struct json_out o = { .to = bugreport_file(r, "requests.json",
                              "requests with their steps and times, under a hash of their ids") };
    struct json *answer = NULL;
    const struct json *list;
    bool json = c->json;
    char question[200];

    progress(c, "requests.json");
    c->json = false;
    (void)snprintf(question, sizeof question,
        "{\"command\":\"requests.list\",\"all\":true,\"limit\":%d,\"since\":%lld}", REQUESTS_MAX,
        (long long)(r->at - cli_seconds(c, "--since", SINCE_S)));
    (void)cli_ask(c, question, false, &answer);
    list = json_get(json_get(answer, "data"), "requests");
    json_open(&o, NULL, '{');
    json_open(&o, "requests", '[');
    for (size_t i = 0; i < json_count(list); i++)
        put_history(c, r, cli_text(json_at(list, i), "id"), &o);
    json_close(&o, ']');
    json_close(&o, '}');
    buf_add_byte(o.to, '\n');
    json_free(answer);
    c->json = json;
}

static void put_doctor(const struct cli *c, struct bugreport *r, struct conf *conf)
{
    struct json_out o = { .to = bugreport_file(r, "doctor.json", "what doctor found") };
    struct doctor d = { .conf = conf, .lib = r->lib };
    struct vault keys = { 0 };

    progress(c, "doctor.json");
    d.secrets = cli_secrets(c, conf, r->lib, &keys);
    (void)doctor_run(&d);
    json_open(&o, NULL, '{');
    json_open(&o, "rows", '[');
    for (size_t i = 0; i < d.count;
         i++) { /* facts and fixes are texts: they may hold a peer's words */
        json_open(&o, NULL, '{');
        json_put_text(&o, "row", d.rows[i].code);
        json_put_text(&o, "check", doctor_text(d.rows[i].code));
        json_put_text(&o, "grade", grade_name(d.rows[i].found.grade));
        json_put_text(
            &o, "class", d.rows[i].found.cls != ERR_NONE ? err_name(d.rows[i].found.cls) : NULL);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
    buf_add_byte(o.to, '\n');
    doctor_free(&d);
    secrets_close(d.secrets);
    vault_close(&keys);
}

/* The package's own; what an administrator added beside it may hold anything. */
static void put_unit(struct bugreport *r)
{
    static const char *const places[] = { "/lib/systemd/system/certferry.service",
        "/usr/lib/systemd/system/certferry.service" };
    struct err e;

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (fs_readable(places[i], false, &e) == 0) {
            struct buf *to = bugreport_file(r, "certferry.service", "the unit file of the package");

            if (fs_read(places[i], to, &e) != 0)
                buf_reset(to);
            return;
        }
}

static void gather(struct cli *c, struct bugreport *r, struct conf *conf)
{
    put_version(r);
    bugreport_conf(conf, bugreport_file(r, "config.json",
                             "settings in effect; secrets as references, free text left out"));
    put_answer(c, r, "{\"command\":\"status\"}", "status.json", "what the service was doing");
    put_metrics(c, r);
    put_requests(c, r);
    put_answer(c, r, "{\"command\":\"audit.verify\"}", "audit.json", "is the audit log whole");
    put_doctor(c, r, conf);
    put_unit(r);
}

/* ---- the command -------------------------------------------------------------------------------------------------- */

static int show(const struct bugreport *r)
{
    static const char *const heads[] = { "FILE", "BYTES", "WHY" };
    struct cli_table *t = cli_table_new(heads, 3);

    for (size_t i = 0; i < r->count; i++) {
        char bytes[24];
        const char *const row[] = { r->files[i].name, bytes, r->files[i].why };

        (void)snprintf(bytes, sizeof bytes, "%zu", r->files[i].content.len);
        cli_table_row(t, row);
    }
    cli_table_print(t);
    return EXIT_OK;
}

static int write_report(struct cli *c, const struct bugreport *r)
{
    struct buf out = BUF_INIT(BUGREPORT_MAX);
    const char *path = cli_given(c, "--out");
    char name[80], at[24];
    struct err e;
    int code = EXIT_OK;

    time_text(r->at, at);
    (void)snprintf(name, sizeof name, "certferry-bugreport-%s.tar.gz", at);
    path = path != NULL ? path : name;
    if (bugreport_pack(r, &out, &e) != 0 || fs_replace(path, buf_view(&out), REPORT_MODE, &e) != 0)
        code = cli_fail(c, &e, "certferry bugreport --out FILE, where this user may write");
    else if (!c->quiet)
        (void)fprintf(stderr,
            "%s: %zu files, %zu bytes; look at manifest.json before you hand it on\n", path,
            r->count + 1, out.len);
    buf_free(&out);
    return code;
}

static int print_manifest(const struct bugreport *r)
{
    struct buf b = BUF_INIT(BUGREPORT_FILE_MAX);
    struct err e;
    int rc = bugreport_manifest(r, &b, &e);

    if (rc == 0)
        (void)fputs(buf_text(&b), stdout);
    buf_free(&b);
    return rc == 0 ? EXIT_OK : EXIT_FAILED;
}

int cmd_bugreport(struct cli *c)
{
    struct bugreport r = { .at = io_wall_s() };
    struct buf salt = BUF_INIT(sizeof r.salt);
    uint8_t bytes[16];
    struct conf *conf;
    struct err e;
    int code;

    if ((conf = conf_load(c->config, &e)) == NULL)
        return cli_fail(c, &e, "certferry check --config %s", c->config);
    if ((code = cli_io(c, &r.lib)) == 0) {
        if (lib_random(r.lib, bytes, sizeof bytes, &e) != 0) {
            code = cli_fail(c, &e, "try again");
        } else {
            hex_add(&salt, view_of(bytes, sizeof bytes));
            (void)snprintf(r.salt, sizeof r.salt, "%s", buf_text(&salt));
            gather(c, &r, conf);
            code = cli_given(c, "--preview") == NULL ? write_report(c, &r)
                   : c->json                         ? print_manifest(&r)
                                                     : show(&r);
        }
        bugreport_free(&r);
        cli_io_end(r.lib);
    }
    buf_free(&salt);
    conf_free(conf);
    return code;
}
