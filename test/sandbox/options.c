/* see options.h */
#include "test/sandbox/options.h"
#include "test/sandbox/demo.h"
#include <getopt.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void usage(void)
{
    fputs(
        "usage: certferry-sandbox --dir DIR [option ...]\n"
        "  --port N              listen there (any free port)\n"
        "  --demo COUNT          the first COUNT of 25 requests of the demonstration\n"
        "  --load COUNT:KEYTYPE[,ca=adcs|est|both][,device=rsa|ec]\n"
        "  --lease SECONDS       how long a request may be worked on (300)\n"
        "  --ca-delay MS         the CA answers that much later\n"
        "  --manual-polls N      ManualUser is issued at the N-th poll (demo: 2; else: approve)\n"
        "  --open-every N        devices open each N-th result (1; with --load: 20)\n"
        "  --seed N              repeat GUIDs and chances of an earlier run\n"
        "  --journal FILE        append every CCP message to FILE\n"
        "  --ca-key p256|rsa     key of the CA, when DIR is new\n"
        "  --lang en|de          language of the AD CS pages\n"
        "  --require-client-cert the cloud takes no bearer token\n"
        "  --scep PORT           Intune's SCEP services too; the agent will listen there (0: any)\n"
        "  --sign-in mtls|jwt    connectors must enrol; how they prove who they are then\n"
        "  --certificate SECONDS life of their certificates (31536000)\n"
        "  --issuer URL --jwks FILE  who signs in people, and its keys: not the sandbox itself\n"
        "  --quiet\n"
        "       certferry-sandbox ctl DIR summary|ledger|faults [JSON]|clear-faults|requests "
        "FILE|\n"
        "                             request ID|approve all|CN|expire-leases|wait SECONDS|stop|\n"
        "                             scep-challenge CLAIMS|\n"
        "                             approve-code|deny-code|expire-code CODE|any|bootstrap|\n"
        "                             agents|revoke AGENT|all|counter N\n"
        "       certferry-sandbox check DIR [--orphans FILE]\n"
        "       certferry-sandbox table DIR\n",
        stderr);
}

static bool number(const char *name, const char *text, int64_t min, int64_t max, int64_t *out)
{
    char *end;

    *out = strtoll(text, &end, 10);
    if (end != text && *end == '\0' && *out >= min && *out <= max)
        return true;
    fprintf(stderr, "certferry-sandbox: --%s %s: a number from %lld to %lld is wanted\n", name,
        text, (long long)min, (long long)max);
    return false;
}

static bool choice(const char *name, const char *text, const char *no, const char *yes, bool *out)
{
    *out = strcmp(text, yes) == 0;
    if (*out || strcmp(text, no) == 0)
        return true;
    fprintf(stderr, "certferry-sandbox: --%s %s: %s or %s is wanted\n", name, text, no, yes);
    return false;
}

static bool load(const char *text, struct options *o)
{
    if (load_read(text, o))
        return true;
    fprintf(stderr,
        "certferry-sandbox: --load %s: COUNT:KEYTYPE[,ca=adcs|est|both][,device=rsa|ec], "
        "KEYTYPE is rsa2048, rsa3072, rsa4096, ecP256, ecP384, ecP521 or ed25519\n",
        text);
    return false;
}

static const struct option longs[] = {
    { "dir", required_argument, NULL, 'd' },
    { "port", required_argument, NULL, 'p' },
    { "demo", required_argument, NULL, 'n' },
    { "load", required_argument, NULL, 'l' },
    { "lease", required_argument, NULL, 'e' },
    { "ca-delay", required_argument, NULL, 'w' },
    { "manual-polls", required_argument, NULL, 'm' },
    { "open-every", required_argument, NULL, 'o' },
    { "seed", required_argument, NULL, 's' },
    { "journal", required_argument, NULL, 'j' },
    { "ca-key", required_argument, NULL, 'k' },
    { "lang", required_argument, NULL, 'g' },
    { "require-client-cert", no_argument, NULL, 'c' },
    { "scep", required_argument, NULL, 'r' },
    { "sign-in", required_argument, NULL, 'S' },
    { "certificate", required_argument, NULL, 'C' },
    { "issuer", required_argument, NULL, 'I' },
    { "jwks", required_argument, NULL, 'J' },
    { "quiet", no_argument, NULL, 'q' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static bool one(int c, struct options *o)
{
    int64_t n = 0;
    bool ok, jwt;

    switch (c) {
    case 'd':
        o->dir = optarg;
        return true;
    case 'p':
        ok = number("port", optarg, 0, 65535, &n);
        o->port = (unsigned)n;
        return ok;
    case 'n':
        ok = number("demo", optarg, 0, DEMO_MAX, &n);
        o->demo = (unsigned)n;
        return ok;
    case 'l':
        return load(optarg, o);
    case 'e':
        return number("lease", optarg, 1, 86400, &o->lease_s);
    case 'w':
        return number("ca-delay", optarg, 0, 600000, &o->ca_delay_ms);
    case 'm':
        return number("manual-polls", optarg, 1, 1000000, &o->manual_polls);
    case 'o':
        return number("open-every", optarg, 1, 1000000, &o->open_every);
    case 's':
        return number("seed", optarg, 1, INT64_MAX, &o->seed);
    case 'j':
        o->journal = optarg;
        return true;
    case 'k':
        return choice("ca-key", optarg, "p256", "rsa", &o->ca_rsa);
    case 'g':
        return choice("lang", optarg, "en", "de", &o->german);
    case 'c':
        o->need_client_cert = true;
        return true;
    case 'r':
        o->scep = true;
        ok = number("scep", optarg, 0, 65535, &n);
        o->scep_port = (unsigned)n;
        return ok;
    case 'S':
        ok = choice("sign-in", optarg, "mtls", "jwt", &jwt);
        o->sign_in = jwt ? SIGN_IN_JWT : SIGN_IN_MTLS;
        return ok;
    case 'C':
        return number("certificate", optarg, 5, 315360000, &o->certificate_s);
    case 'I':
        o->issuer = optarg;
        return true;
    case 'J':
        o->jwks = optarg;
        return true;
    case 'q':
        o->quiet = true;
        return true;
    default:
        usage();
        return false;
    }
}

/* A run without --seed must not repeat the request ids of the run before: they mean the same request
 * to a connector that remembers them. */
static void defaults(struct options *o)
{
    uint32_t r = 0;

    if (o->seed == 0) {
        need(RAND_bytes((unsigned char *)&r, sizeof r) == 1 ? o : NULL);
        o->seed = (int64_t)r + 1;
    }
    if (o->open_every == 0)
        o->open_every = o->load > 0 ? 20 : 1;
    if (o->manual_polls == 0)
        o->manual_polls = o->demo > 0 ? 2 : -1;
}

bool options_read(int argc, char **argv, struct options *o)
{
    int c;

    *o = (struct options){ .lease_s = 300, .certificate_s = 31536000 };
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (!one(c, o))
            return false;
    }
    if (optind < argc || o->dir == NULL) {
        fprintf(stderr, "certferry-sandbox: %s\n",
            o->dir == NULL ? "--dir DIR is missing" : "too many words on the command line");
        usage();
        return false;
    }
    if ((o->issuer == NULL) != (o->jwks == NULL) || (o->issuer != NULL && o->sign_in == 0)) {
        fputs("certferry-sandbox: --issuer, --jwks and --sign-in go together\n", stderr);
        return false;
    }
    defaults(o);
    return true;
}
