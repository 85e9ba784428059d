/* see demo.h: as many requests as wanted, each made from its number whenever it is needed */
#include "test/sandbox/demo.h"
#include "test/sandbox/item.h"
#include "test/sandbox/queue.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOAD_MAX = 10000000 };

static bool word(const char *text, size_t len, const char *const *among, const char **out)
{
    for (; *among != NULL; among++) {
        if (strlen(*among) == len && strncmp(text, *among, len) == 0) {
            *out = *among;
            return true;
        }
    }
    return false;
}

bool load_read(const char *text, struct options *o)
{
    static const char *const keys[] = { "rsa2048", "rsa3072", "rsa4096", "ecP256", "ecP384",
        "ecP521", "ed25519", NULL };
    static const char *const cas[] = { "adcs", "est", "both", NULL };
    static const char *const devices[] = { "rsa", "ec", NULL };
    const char *device = "rsa";
    char *end;
    unsigned long count = strtoul(text, &end, 10);

    if (end == text || *end != ':' || count < 1 || count > LOAD_MAX)
        return false;
    text = end + 1;
    if (!word(text, strcspn(text, ","), keys, &o->load_key))
        return false;
    o->load_ca = "both";
    for (text += strcspn(text, ","); *text == ','; text += strcspn(text, ",")) {
        text++;
        if (strncmp(text, "ca=", 3) == 0
            && word(text + 3, strcspn(text + 3, ","), cas, &o->load_ca))
            continue;
        if (strncmp(text, "device=", 7) == 0
            && word(text + 7, strcspn(text + 7, ","), devices, &device))
            continue;
        return false;
    }
    o->load_ec_device = strcmp(device, "ec") == 0;
    o->load = (unsigned)count;
    return true;
}

/* The same number always gives the same request. */
static void make(struct sandbox *s, unsigned number, struct item *i, char cn[24])
{
    struct prng r = { (uint64_t)s->opt.seed * 1000003u + number };
    bool both = strcmp(s->opt.load_ca, "both") == 0;

    snprintf(cn, 24, "load-%06u", number);
    *i = (struct item){ .cn = cn,
        .key = s->opt.load_key,
        .template = "ContosoUser",
        .ca = !both             ? s->opt.load_ca
              : number % 2 != 0 ? "adcs"
                                : "est",
        .device = s->opt.load_ec_device ? DEVICE_EC : DEVICE_RSA,
        .upn = "load@contoso.example",
        .friendly_name = "Load",
        .created_at = s->started_at };
    guid_from(&r, i->id);
    guid_from(&r, i->user);
    guid_from(&r, i->device_id);
}

void load_write(struct sandbox *s, unsigned number, struct str *out)
{
    struct item i;
    char cn[24];

    make(s, number, &i, cn);
    item_write(out, &i, &s->setup);
}

static void note(struct sandbox *s, const struct item *i)
{
    ledger_begin(s->ledger, "requested");
    ledger_text(s->ledger, "requestId", i->id);
    ledger_text(s->ledger, "cn", i->cn);
    ledger_text(s->ledger, "ca", i->ca);
    ledger_text(s->ledger, "template", i->template);
    ledger_text(s->ledger, "key", i->key);
    ledger_text(s->ledger, "platform", "windows10AndLater");
    ledger_text(s->ledger, "mode", "passwordToDevice");
    ledger_text(s->ledger, "device", i->device == DEVICE_EC ? "ec" : "rsa");
    ledger_end(s->ledger);
}

void load_more(struct sandbox *s, size_t n)
{
    for (; n > 0 && s->load_given < s->opt.load; n--) {
        struct item i;
        struct request *r;
        char cn[24];

        make(s, ++s->load_given, &i, cn);
        r = queue_add(s->queue, i.id, need_copy(cn), NULL, s->started_at + 86400);
        if (r != NULL) {
            r->load_number = s->load_given;
            note(s, &i);
        }
    }
}
