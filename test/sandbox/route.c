/* see control.h: which path is whose */
#include "test/sandbox/cloud.h"
#include "test/sandbox/control.h"
#include "test/sandbox/faces.h"
#include "test/sandbox/intune.h"
#include "test/sandbox/sandbox.h"
#include "test/sandbox/signin.h"

static const struct {
    bool (*owns)(const char *path);
    void (*serve)(struct exchange *x);
} parts[] = {
    { cloud_owns, cloud_serve },
    { adcs_owns, adcs_serve },
    { est_owns, est_serve },
    { token_owns, token_serve },
    { intune_owns, intune_serve },
    { login_owns, login_serve },
    { control_owns, control_serve },
};

void route(struct exchange *x)
{
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        bool intune = parts[i].serve == token_serve || parts[i].serve == intune_serve;
        bool there = (!intune || x->sandbox->intune != NULL)
                     && (parts[i].serve != login_serve || x->sandbox->signin != NULL);

        if (there && parts[i].owns(x->path)) {
            parts[i].serve(x);
            return;
        }
    }
    answer_text(x, 404, "The sandbox has nothing here.\n");
}
