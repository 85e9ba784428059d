/* see scep_load.h: the command line */
#include "test/bench/scep_load.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const kind_names[KIND_COUNT] = { "good", "signature", "garbage", "challenge", "cut",
    "type" };

static int usage(void)
{
    (void)fprintf(stderr, "usage: scep_load make --recipient PEM --keys FILE --key-count N --out "
                          "FILE --count N [--first N]\n"
                          "                      [--challenge TEXT] [--subject TEXT] [--kind NAME] "
                          "[--hostile-every N]\n"
                          "       scep_load send --port N --path PATH --in FILE [--skip N] "
                          "[--count N] [--clients N]\n"
                          "                      [--tls yes] [--keep yes]\n");
    return 2;
}

struct option {
    const char *name;
    const char **text;
    unsigned *number;
    bool *flag;
    enum kind *kind;
};

static bool take_number(const char *text, unsigned *to)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    *to = (unsigned)n;
    return end != text && *end == '\0' && n <= 100000000;
}

static bool take_kind(const char *text, enum kind *to)
{
    for (unsigned k = 0; k < KIND_COUNT; k++)
        if (strcmp(text, kind_names[k]) == 0) {
            *to = (enum kind)k;
            return true;
        }
    return false;
}

static bool take(const struct option *o, const char *value)
{
    if (o->text != NULL) {
        *o->text = value;
        return true;
    }
    if (o->number != NULL)
        return take_number(value, o->number);
    if (o->kind != NULL)
        return take_kind(value, o->kind);
    *o->flag = strcmp(value, "yes") == 0;
    return true;
}

static bool read_options(const struct option *all, int argc, char **argv)
{
    for (int i = 2; i < argc; i += 2) {
        const struct option *o = all;

        while (o->name != NULL && strcmp(argv[i] + strspn(argv[i], "-"), o->name) != 0)
            o++;
        if (o->name == NULL || i + 1 == argc || !take(o, argv[i + 1]))
            return false;
    }
    return true;
}

static int run_make(int argc, char **argv)
{
    struct making m = { .key_count = 8, .subject = "device" };
    const struct option all[] = { { "recipient", &m.recipient, NULL, NULL, NULL },
        { "challenge", &m.challenge, NULL, NULL, NULL }, { "out", &m.out, NULL, NULL, NULL },
        { "keys", &m.keys, NULL, NULL, NULL }, { "subject", &m.subject, NULL, NULL, NULL },
        { "first", NULL, &m.first, NULL, NULL }, { "count", NULL, &m.count, NULL, NULL },
        { "key-count", NULL, &m.key_count, NULL, NULL },
        { "hostile-every", NULL, &m.hostile_every, NULL, NULL },
        { "kind", NULL, NULL, NULL, &m.kind }, { NULL, NULL, NULL, NULL, NULL } };

    if (!read_options(all, argc, argv) || m.recipient == NULL || m.out == NULL || m.keys == NULL
        || m.key_count == 0 || m.key_count > KEYS_MAX)
        return usage();
    return make(&m) ? 0 : 1;
}

static int run_send(int argc, char **argv)
{
    struct sending s = { .clients = 1 };
    const struct option all[] = { { "path", &s.path, NULL, NULL, NULL },
        { "in", &s.in, NULL, NULL, NULL }, { "port", NULL, &s.port, NULL, NULL },
        { "clients", NULL, &s.clients, NULL, NULL }, { "skip", NULL, &s.skip, NULL, NULL },
        { "count", NULL, &s.count, NULL, NULL }, { "tls", NULL, NULL, &s.tls, NULL },
        { "keep", NULL, NULL, &s.keep, NULL }, { NULL, NULL, NULL, NULL, NULL } };

    if (!read_options(all, argc, argv) || s.path == NULL || s.in == NULL || s.port == 0
        || s.port > 65535 || s.clients == 0 || s.clients > 512)
        return usage();
    return send_all(&s) ? 0 : 1;
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && strcmp(argv[1], "make") == 0)
        return run_make(argc, argv);
    if (argc > 1 && strcmp(argv[1], "send") == 0)
        return run_send(argc, argv);
    return usage();
}
