/* Every option there is, see conf.h.  The manual page and the sample are made from this table. */
#include "agent/conf.h"

#define TOP(member) offsetof(struct conf, member)
#define CA(member)  offsetof(struct conf_ca, member)

const char *const conf_section_help[][2] = {
    { "cloud", "The policy cloud that hands out requests and takes results." },
    { "ca", "An upstream CA; the title is the name requests use. May stand several times." },
    { "keys", "How subscriber keys are made." },
    { "pkcs12", "The PKCS#12 files devices get." },
    { "store", "Where requests are kept until they are done." },
    { "log", "What is written about the service's work." },
    { NULL, NULL },
};

const struct conf_option conf_options[] = {
    { "cloud", "url", CONF_TEXT, TOP(cloud.url), NULL, 0, 0, NULL, NULL,
        "Base URL of the cloud's CCP/1 interface, https, without user name." },
    { "cloud", "trust", CONF_FILE, TOP(cloud.trust), "", 0, 0, NULL, NULL,
        "PEM file with the only roots trusted for this URL. Unset: those of the system." },
    { "cloud", "client_certificate", CONF_FILE, TOP(cloud.client_certificate), "", 0, 0, NULL, NULL,
        "PEM file with the connector's certificate, and its chain if the cloud needs it." },
    { "cloud", "client_key", CONF_FILE, TOP(cloud.client_key), "", 0, 0, NULL, NULL,
        "PEM file with its private key, readable by the service alone." },
    { "cloud", "token_file", CONF_FILE, TOP(cloud.token_file), "", 0, 0, NULL, NULL,
        "File with a bearer token, used instead of a client certificate." },
    { "cloud", "group", CONF_TEXT, TOP(cloud.group), "", 0, 0, NULL, NULL,
        "Take only requests of this agent group." },
    { "cloud", "agent_id", CONF_TEXT, TOP(cloud.agent_id), "", 0, 0, NULL, NULL,
        "The connector's id at the cloud, sent with the heartbeat. Unset: no heartbeat." },
    { "cloud", "poll_interval", CONF_INT, TOP(cloud.poll_interval), "30", 1, 86400, NULL, "seconds",
        "Pause between polls that found nothing, unless the cloud names another." },
    { "cloud", "wait", CONF_INT, TOP(cloud.wait), "50", 0, 60, NULL, "seconds",
        "How long the cloud may hold a poll until there is work. 0: it answers at once." },

    { "ca", "type", CONF_CHOICE, CA(type), NULL, 0, 0, "adcs|est", NULL,
        "The protocol: AD CS web enrolment, or EST (RFC 7030)." },
    { "ca", "url", CONF_TEXT, CA(url), NULL, 0, 0, NULL, NULL,
        "adcs: the /certsrv/ URL. est: scheme, host and port." },
    { "ca", "trust", CONF_FILE, CA(trust), "", 0, 0, NULL, NULL,
        "PEM file with the only roots trusted for this URL. Unset: those of the system." },
    { "ca", "anchors", CONF_FILE, CA(anchors), NULL, 0, 0, NULL, NULL,
        "PEM file with the roots that issued certificates must lead to, and intermediates that the "
        "CA "
        "does not send." },
    { "ca", "auth", CONF_CHOICE, CA(auth), "none", 0, 0, "none|basic|ntlm|negotiate", NULL,
        "How the CA knows us, beside a client certificate. negotiate uses the service's own "
        "Kerberos "
        "ticket." },
    { "ca", "credentials_file", CONF_FILE, CA(credentials_file), "", 0, 0, NULL, NULL,
        "File with user:password on its first line, readable by the service alone." },
    { "ca", "client_certificate", CONF_FILE, CA(client_certificate), "", 0, 0, NULL, NULL,
        "PEM file with the certificate shown to the CA." },
    { "ca", "client_key", CONF_FILE, CA(client_key), "", 0, 0, NULL, NULL,
        "PEM file with its private key, readable by the service alone." },
    { "ca", "templates", CONF_LIST, CA(templates), NULL, 0, 0, NULL, NULL,
        "Names of the templates requests may use at this CA. No other is accepted." },
    { "ca", "label", CONF_TEXT_OR_EMPTY, CA(label), "{template}", 0, 0, NULL, NULL,
        "est: the path label; {template} stands for the template's name, an empty text for no "
        "label." },
    { "ca", "subject", CONF_CHOICE, CA(subject), "request", 0, 0, "request|ca", NULL,
        "Who decides the subject: with \"ca\" the issued subject is not compared with the "
        "request's." },
    { "ca", "template_in_csr", CONF_CHOICE, CA(template_in_csr), "no", 0, 0, "no|name|pair", NULL,
        "Put the template's name into the CSR too: as the version 1 extension, or as an enrolment "
        "name "
        "and value pair." },
    { "ca", "max_in_flight", CONF_INT, CA(max_in_flight), "32", 1, 4096, NULL, NULL,
        "Requests worked on at once at this CA." },
    { "ca", "pending_interval", CONF_INT, CA(pending_interval), "60", 1, 86400, NULL, "seconds",
        "First pause before asking again for a request that awaits approval; later ones grow to "
        "six "
        "hours." },
    { "ca", "timeout", CONF_INT, CA(timeout), "120", 1, 3600, NULL, "seconds",
        "Longest time one answer of the CA may take." },
    { "ca", "validity_max", CONF_INT, CA(validity_max), "0", 0, 4000, NULL, "days",
        "Refuse certificates that live longer. 0: only what the request says counts." },
    { "ca", "max_duplicates", CONF_INT, CA(max_duplicates), "3", 0, 1000, NULL, NULL,
        "How often a CSR may be sent again when the outcome of a submission is unknown and the CA "
        "cannot "
        "be asked. Beyond, the request is held for an administrator." },

    { "keys", "generation", CONF_CHOICE, TOP(keys.generation), "primes", 0, 0,
        "primes|fast|openssl", NULL,
        "How RSA keys are made: from the library's primes, by a faster search of our own, or by "
        "the "
        "library's key generation." },
    { "keys", "pool", CONF_INT, TOP(keys.pool), "16", 0, 100000, NULL, NULL,
        "RSA keys of each size in use that idle threads keep ready." },
    { "keys", "workers", CONF_INT, TOP(keys.workers), "0", 0, 256, NULL, NULL,
        "Threads for cryptography. 0: one for each processor." },

    { "pkcs12", "iterations", CONF_INT, TOP(pkcs12.iterations), "2048", 1, 1000000, NULL, NULL,
        "Rounds of key derivation. The passwords are random and 190 bits long, so more rounds cost "
        "time "
        "and win nothing." },
    { "pkcs12", "include_root", CONF_BOOL, TOP(pkcs12.include_root), "false", 0, 0, NULL, NULL,
        "Put the root into the file too." },

    { "store", "dir", CONF_FILE, TOP(store.dir), "/var/lib/certferry", 0, 0, NULL, NULL,
        "Folder of the store, closed to all other users." },
    { "store", "master_key", CONF_FILE, TOP(store.master_key), "", 0, 0, NULL, NULL,
        "File with the key that seals secrets. Unset: the service manager's credential "
        "certferry.master, else master.key in the store's folder." },
    { "store", "grace", CONF_INT, TOP(store.grace), "86400", 0, 31536000, NULL, "seconds",
        "How long a delivered result stays, so that a cloud that asks again gets the same bytes." },
    { "store", "min_free_mib", CONF_INT, TOP(store.min_free_mib), "64", 0, 1000000, NULL, "MiB",
        "Take no new requests while the file system has less free space." },

    { "log", "format", CONF_CHOICE, TOP(log.format), "auto", 0, 0, "auto|human|json", NULL,
        "auto: for people on a terminal, JSON lines elsewhere." },
    { "log", "level", CONF_CHOICE, TOP(log.level), "info", 0, 0, "error|warning|info|debug", NULL,
        "The least important event that is written." },
};
const size_t conf_option_count = sizeof conf_options / sizeof conf_options[0];
