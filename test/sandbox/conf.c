/* see conf.h; paths are absolute, so that the agent may be started from anywhere */
#include "test/sandbox/conf.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool conf_write(const char *dir, unsigned port, char why[DIR_WHY])
{
    struct str s = { 0 };
    char *path = realpath(dir, NULL);
    bool ok;

    if (path == NULL || strpbrk(path, "\"\\\n$") != NULL) {
        snprintf(why, DIR_WHY, "%s: %s", dir,
            path == NULL ? strerror(errno) : "a path that a configuration file cannot hold");
        free(path);
        return false;
    }
    str_puts(&s, "# Written by certferry-sandbox at its start.\n");
    str_f(&s, "cloud {\n  url = \"https://127.0.0.1:%u/ccp\"\n  trust = \"%s/tls-ca.pem\"\n", port,
        path);
    str_f(&s, "  client_certificate = \"%s/connector.pem\"\n  client_key = \"%s/connector.key\"\n",
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
