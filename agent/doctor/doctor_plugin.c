/* see doctor.h.  PLG-01: every configured challenge plugin, opened here with its settings. */
#include <stdio.h>
#include "agent/agent.h"
#include "agent/challenge/plugin.h"
#include "agent/doctor/doctor.h"
#include "agent/doctor/doctor_status.h"

static void look(struct doctor *d, struct agent *a, const struct conf_plugin *conf)
{
    char about[100];
    struct plugin *p;
    struct err e;

    (void)snprintf(about, sizeof about, "plugin \"%s\"", conf->name);
    doctor_begin(d);
    if (doctor_failed(d, "PERM-06", about) != NULL) {
        doctor_skip(d, "PLG-01", about, "needs PERM-06");
        return;
    }
    if ((p = plugin_open(a, conf, &e)) == NULL && doctor_failed(d, "PERM-02", NULL) != NULL)
        doctor_needs(d, "PLG-01", about, doctor_failed(d, "PERM-02", NULL));
    else if (p == NULL)
        doctor_fail(d, "PLG-01", about, e.cls,
            "mend the plugin's section; certferry-plugin(5) has its settings", "%s", e.msg);
    else if (plugin_serving(p, &e) != 0)
        doctor_fail(d, "PLG-01", about, e.cls, "the plugin's documentation says what it needs",
            "%s", e.msg);
    else
        doctor_pass(d, "PLG-01", about, "it opens, and can judge");
    plugin_close(p);
}

void doctor_plugin(struct doctor *d)
{
    struct agent a = { .conf = d->conf, .lib = d->lib, .secrets = d->secrets, .lock = -1 };
    struct err e;

    if (d->conf->plugin_count == 0)
        doctor_skip(d, "PLG-01", "", "no plugin is configured");
    else if (!doctor_running(d)) /* a service has it alone */
        a.store = store_open(d->conf->store.dir, true, &e);
    for (size_t i = 0; i < d->conf->plugin_count; i++)
        look(d, &a, &d->conf->plugins[i]);
    store_close(a.store);
}
