#ifndef AGENT_CONF_H
#define AGENT_CONF_H
#include "agent/base/io.h"
#include "certs/key.h"

/*
 * conf.h - the configuration, const once loaded; the one door to libconfuse.
 *
 * One file, then the drop-ins of <file's folder>/conf.d/ in the order of their names, then the environment
 * (conf_environment); the last one that sets a key wins.  Every option is a row of conf_options (conf_options.c): the parser, the manual page
 * certferry.conf(5) and the sample file are all made from it.  Errors read
 * `file:line: key: what is wrong, what was meant`.
 */
enum { CONF_CA_MAX = 64, CONF_SECTIONS_MAX = 16, CONF_LIST_MAX = 256, CONF_NAME_MAX = 63 };

struct conf_list {
    char **at;
    size_t count;
};

struct conf;
struct conf_cloud {
    const struct conf *all; /* what it is a part of; NULL: made by itself */
    char *url, *trust, *client_certificate, *client_key, *token_file, *group, *agent_id;
    char *proxy;            /* "" = section proxy's way */
    char *proxy_credential; /* for that proxy alone */
    int64_t poll_interval;  /* seconds between polls when the cloud says nothing else */
    int64_t wait;           /* seconds the cloud may hold a poll until there is work */
    int64_t heartbeat;      /* seconds between two */
};

struct conf_ca {
    char *name;             /* the section's title; requests name it */
    const struct conf *all; /* as in conf_cloud */
    char *type;             /* a driver's kind */
    char *url, *trust, *anchors, *auth, *credentials_file, *client_certificate, *client_key, *label;
    char *proxy;            /* "" = section proxy's way */
    char *proxy_credential; /* for that proxy alone */
    char *subject;          /* "request" or "ca": who decides the subject */
    char *template_in_csr;  /* "no", "name", "pair" */
    struct conf_list templates;
    int64_t max_in_flight, pending_interval, timeout, validity_max, max_duplicates;
};

struct conf_listen { /* where devices and monitors reach us */
    char *name, *address;
    char *certificate, *key, *certificate2, *key2; /* the second pair: another kind of key */
    struct conf_list trusted_proxies;
    int64_t connections_max, connections_per_address, request_timeout, idle_timeout, body_max_kib;
};

struct conf_scep {                        /* one SCEP endpoint */
    char *name, *ca, *plugin, *challenge; /* challenge: "plugin" or "none" */
    struct conf_list paths;
    char *signature_template, *encryption_template, *general_template;
    char *ra_certificate, *ra_key, *ra_encryption_certificate, *ra_encryption_key;
    struct conf_list ra_previous; /* PEM files, certificate and key in each: still decrypts */
    char *ra_signing_template, *ra_encryption_template, *ra_subject;
    char *reply_chain; /* "none", "chain", "root": what a CertRep holds besides the certificate */
    char *next_ca;     /* PEM file of the CA that comes next */
    char *admin_password; /* file with user:password for mscep_admin */
    struct conf_list ekus, key_usage, extensions, attributes;
    int64_t rsa_min_bits, wait, ca_probe, renewal_window, resend, failures_per_minute,
        failure_floor_ms;
    bool des3, sha1, ndes, renewal, renewal_foreign, utf16_bom;
};

struct conf_plugin {
    char *name, *path;
    struct conf_list settings, secrets; /* "name=value", "name=file" */
    char *trust, *client_id, *client_secret_file, *client_certificate, *client_key;
    char *decryption_certificate, *decryption_key, *signer_certificate;
    char *program;
    int64_t timeout, memory_mib;
};

struct conf_proxy { /* the way out; see proxy.h */
    char *url, *credential, *auth, *trust;
    struct conf_list no_proxy;
};

struct conf_origin; /* below */

struct conf {
    char *path;             /* the file it came from */
    struct conf_list files; /* it and the drop-ins, in the order they were read */
    struct conf_origin *origins;
    size_t origin_count, origin_room;
    struct conf_cloud cloud;
    struct conf_proxy proxy;
    struct conf_ca *cas;
    size_t ca_count;
    struct conf_listen *listens;
    size_t listen_count;
    struct conf_scep *sceps;
    size_t scep_count;
    struct conf_plugin *plugins;
    size_t plugin_count;
    struct {
        char *generation; /* "primes", "fast", "openssl" */
        int64_t pool, workers;
    } keys;
    struct {
        int64_t iterations;
        bool include_root;
    } pkcs12;
    struct {
        char *dir, *master_key;
        int64_t grace, min_free_mib;
    } store;
    struct {
        char *format, *level;
    } log;
    struct {
        char *listen; /* NULL: no metrics */
    } metrics;
};

enum conf_type {
    CONF_TEXT,
    CONF_TEXT_OR_EMPTY,
    CONF_FILE,
    CONF_SECRET, /* a file only we may read, or "secret:NAME"; see secret.h */
    CONF_PROXY,  /* "none", "auto", scheme://host:port, host:port; see proxy.h */
    CONF_INT,
    CONF_BOOL,
    CONF_LIST,
    CONF_CHOICE
};

struct conf_option {
    const char *section, *key;
    enum conf_type type;
    size_t offset;        /* into struct conf, or the section's struct if it has a title */
    const char *fallback; /* default as text; NULL = must be set, "" = may be unset; lists: words */
    int64_t min, max;     /* CONF_INT */
    const char *choices;  /* CONF_CHOICE: "a|b|c" */
    const char *unit;     /* "seconds"; NULL = none */
    const char *help;     /* one or two sentences */
};
extern const struct conf_option conf_options[];
extern const size_t conf_option_count;
extern const char *const conf_section_help[][2]; /* name, one sentence; NULL-ended */

/* conf_secrets - fn for each option that names a secret: what: `ca "issuing1".credentials_file`; ref: a path or
 * "secret:NAME".  In plugin.secrets each entry is one. */
typedef void conf_secret_fn(void *arg, const char *what, const char *ref);
void conf_secrets(const struct conf *c, conf_secret_fn *fn, void *arg);

/*
 * conf_load - read, check every value, resolve files against the folder of `path`.
 *
 * Opens no key and contacts nobody; does not check that files exist (service_check does).
 * fails    ERR_CONFIG; the message has file and line
 */
struct conf *conf_load(const char *path, struct err *e) MUST;
void conf_free(struct conf *c);

/*
 * conf_load_incomplete - the same of a configuration that still lacks something: for commands that show it or
 * complete it.
 *
 * missing  what conf_load would fail with; cls ERR_NONE: with nothing
 * fails    ERR_CONFIG: a value, or a text, that is wrong by itself
 */
struct conf *conf_load_incomplete(const char *path, struct err *missing, struct err *e) MUST;

/* ---- sections and where values come from, for what shows or changes them ---- */
enum conf_layer { CONF_FROM_DEFAULT, CONF_FROM_FILE, CONF_FROM_DROP_IN, CONF_FROM_ENVIRONMENT };

struct conf_origin {
    const struct conf_option *option;
    char *title; /* NULL: its section has none */
    enum conf_layer layer;
    char *file;           /* or the variable's name */
    int line;             /* 0: has none */
    struct conf_list raw; /* as it is written there: one text, or the entries of a list */
};
/* conf_origin - where the value in use was set.  NULL: nowhere, it is the default */
const struct conf_origin *conf_origin(
    const struct conf *c, const struct conf_option *o, const char *title);

/*
 * conf_environment - "NAME=value" texts, NULL-ended, borrowed for good: CERTFERRY_SECTION_KEY, of a section with a
 * title CERTFERRY_SECTION_TITLE_KEY, in capitals, with _ for all that is no letter or digit; entries of a list between
 * blanks or commas.  They make no section.  Without this call the environment does not count.
 */
void conf_environment(char *const *environment);
void conf_environment_name(const struct conf_option *o, const char *title, char *out, size_t size);
/* conf_environment_unknown - names that begin with CERTFERRY_ and are no option's; false: there is none.  They are no
 * error: container managers set such variables for services of that name. */
typedef void conf_variable_fn(void *arg, const char *name);
bool conf_environment_unknown(const struct conf *c, conf_variable_fn *fn, void *arg);

bool conf_has_titles(const char *section);
size_t conf_section_count(const struct conf *c, const char *section); /* 1 if it has no title */
const char *conf_section_title(const struct conf *c, const char *section, size_t i); /* or NULL */
/*
 * conf_stamp - of everything the service takes up only at its start: every value, and identity, size and time of every
 * file they name.  Not of the files that are read again under a running service: certificates and keys of listeners
 * and of registration authorities.
 */
uint64_t conf_stamp(const struct conf *c);

/* conf_store_dir - store.dir; of a configuration that does not load, as far as it can be seen. */
void conf_store_dir(const char *path, char *out, size_t size);

bool conf_list_has(const struct conf_list *l, const char *text);
const struct conf_plugin *conf_plugin(const struct conf *c, const char *name); /* NULL: no such */
const struct conf_ca *conf_ca(const struct conf *c, const char *name); /* NULL: no such section */
bool conf_ca_offers(const struct conf_ca *ca, const char *template_name);
enum keygen conf_keygen(const struct conf *c);
enum io_auth conf_auth(const struct conf_ca *ca);

#define CONF_DEFAULT_PATH "/etc/certferry/certferry.conf"
#endif
