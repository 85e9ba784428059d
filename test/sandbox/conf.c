/* see conf.h; paths are absolute, so that the agent may be started from anywhere */
#include "test/sandbox/conf.h"
#include "test/sandbox/http.h"
#include "test/sandbox/intune.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEVICES  "/certsrv/mscep/mscep.dll"
#define RENEWALS "/certsrv/renew/mscep.dll"

static void write_ca(
    struct str *s, const char *type, const char *dir, unsigned port, const char *path)
{
    str_f(s, "\nca \"%s\" {\n  type = \"%s\"\n", type, type);
    str_f(s, "  url = \"https://127.0.0.1:%u%s\"\n", port, path);
    str_f(s, "  trust = \"%s/tls-ca.pem\"\n  anchors = \"%s/root-ca.pem\"\n", dir, dir);
    str_f(s, "  auth = \"basic\"\n  credentials_file = \"%s/ca-password.txt\"\n", dir);
    str_puts(s,
        "  templates = {\"ContosoUser\", \"WiFiUser\", \"ContosoComputer\", \"ManualUser\", "
        "\"DeniedUser\"}\n  pending_interval = 1\n}\n");
}

/* NULL: `why` */
static char *whole_path(const char *dir, char why[DIR_WHY])
{
    char *path = realpath(dir, NULL);

    if (path != NULL && strpbrk(path, "\"\\\n$") == NULL)
        return path;
    snprintf(why, DIR_WHY, "%s: %s", dir,
        path == NULL ? strerror(errno) : "a path that a configuration file cannot hold");
    free(path);
    return NULL;
}

bool conf_write(const char *dir, unsigned port, bool by_hand, char why[DIR_WHY])
{
    struct str s = { 0 };
    char *path = whole_path(dir, why);
    bool ok;

    if (path == NULL)
        return false;
    str_puts(&s, "# Written by certferry-sandbox at its start.\n");
    str_f(&s, "cloud {\n  url = \"https://127.0.0.1:%u/ccp\"\n  trust = \"%s/tls-ca.pem\"\n", port,
        path);
    if (by_hand)
        str_f(&s,
            "  client_certificate = \"%s/connector.pem\"\n  client_key = \"%s/connector.key\"\n",
            path, path);
    str_puts(&s, "  poll_interval = 2\n}\n");
    write_ca(&s, "adcs", path, port, "/certsrv/");
    write_ca(&s, "est", path, port, "");
    str_f(&s, "\nstore {\n  dir = \"%s/state\"\n}\n", path);
    str_puts(&s, "\nlog {\n  format = \"auto\"\n  level = \"info\"\n}\n");
    ok = dir_write(dir, "certferry.conf", &s, 0644, why);
    str_free(&s);
    free(path);
    return ok;
}

/* One that was free a moment ago. */
static bool find_port(unsigned *port, char why[DIR_WHY])
{
    int fd = *port != 0 ? -1 : http_listen(port, why, DIR_WHY);

    if (fd >= 0)
        close(fd);
    return *port != 0;
}

/* A SCEP endpoint with the pair of RA certificates in DIR. */
static void write_endpoint(
    struct str *s, const char *dir, const char *title, const char *path, const char *plugin)
{
    str_f(s, "\nscep \"%s\" {\n  paths = {\"%s\"}\n  ca = \"adcs\"\n  plugin = \"%s\"\n", title,
        path, plugin);
    str_puts(s, "  signature_template = \"WiFiUser\"\n  encryption_template = \"ContosoComputer\"\n"
                "  general_template = \"ContosoUser\"\n");
    str_f(
        s, "  ra_certificate = \"%s/scep-sign.pem\"\n  ra_key = \"%s/scep-sign.key\"\n", dir, dir);
    str_f(s,
        "  ra_encryption_certificate = \"%s/scep-encrypt.pem\"\n"
        "  ra_encryption_key = \"%s/scep-encrypt.key\"\n",
        dir, dir);
    str_puts(s, "  renewal_window = 0\n  failures_per_minute = 0\n}\n");
}

static void write_listener(struct str *s, unsigned scep_port)
{
    str_f(s, "\nlisten \"devices\" {\n  address = \"127.0.0.1:%u\"\n", scep_port);
    str_puts(s, "  connections_per_address = 1000\n  request_timeout = 5\n}\n");
}

/* A file of its own, to be put behind the other: an endpoint where no Intune is asked, so that there a
 * certificate is enough to renew it. */
static bool write_renewals(const char *dir, const char *path, char why[DIR_WHY])
{
    struct str s = { 0 };
    bool ok;

    str_puts(&s, "# Written by certferry-sandbox at its start.\n");
    write_endpoint(&s, path, "renewals", RENEWALS, "otp");
    str_puts(&s, "\nplugin \"otp\" {\n  path = \"otp\"\n}\n");
    ok = dir_write(dir, "scep-renewals.conf", &s, 0644, why);
    str_free(&s);
    return ok;
}

static void write_plugin(struct str *s, const char *dir, unsigned port)
{
    str_f(s, "\nplugin \"intune\" {\n  path = \"intune\"\n  trust = \"%s/tls-ca.pem\"\n", dir);
    str_f(
        s, "  client_id = \"" INTUNE_APP "\"\n  client_certificate = \"%s/intune-app.pem\"\n", dir);
    str_f(s, "  client_key = \"%s/intune-app.key\"\n", dir);
    str_f(s,
        "  settings = {\"tenant=" INTUNE_TENANT "\", \"login_url=https://127.0.0.1:%u\",\n"
        "    \"graph_url=https://127.0.0.1:%u\"}\n}\n",
        port, port);
}

static bool write_url(
    const char *dir, const char *name, unsigned port, const char *path, char why[DIR_WHY])
{
    struct str url = { 0 };
    bool ok;

    str_f(&url, "http://127.0.0.1:%u%s\n", port, path);
    ok = dir_write(dir, name, &url, 0644, why);
    str_free(&url);
    return ok;
}

bool conf_write_scep(const char *dir, unsigned port, unsigned scep_port, char why[DIR_WHY])
{
    struct str s = { 0 };
    char *path = whole_path(dir, why);
    bool ok = path != NULL && find_port(&scep_port, why);

    if (ok) {
        str_puts(&s, "# Written by certferry-sandbox at its start.\n");
        write_ca(&s, "adcs", path, port, "/certsrv/");
        write_ca(&s, "est", path, port, "");
        write_listener(&s, scep_port);
        write_endpoint(&s, path, "devices", DEVICES, "intune");
        write_plugin(&s, path, port);
        str_f(&s, "\nstore {\n  dir = \"%s/state\"\n}\n", path);
        ok = dir_write(dir, "certferry-scep.conf", &s, 0644, why) && write_renewals(dir, path, why)
             && write_url(dir, "scep-url", scep_port, DEVICES, why)
             && write_url(dir, "scep-renew-url", scep_port, RENEWALS, why);
    }
    str_free(&s);
    free(path);
    return ok;
}
