/* Every option there is, see conf.h.  The manual page and the sample are made from this table. */
#include "agent/conf/conf.h"

#define TOP(member) offsetof(struct conf, member)
#define CA(member)  offsetof(struct conf_ca, member)
#define LI(member)  offsetof(struct conf_listen, member)
#define SC(member)  offsetof(struct conf_scep, member)
#define PL(member)  offsetof(struct conf_plugin, member)

const char *const conf_section_help[][2] = {
    { "cloud", "The policy cloud that hands out requests and takes results." },
    { "proxy", "The way out: through which proxy the cloud, CAs and other services are reached." },
    { "ca", "An upstream CA; the title is the name requests use. May stand several times." },
    { "listen", "Where devices reach the service over HTTP or HTTPS. May stand several times." },
    { "scep", "A SCEP endpoint, as NDES serves it. May stand several times." },
    { "plugin", "A challenge plugin: who may have the certificate a SCEP request asks for? See "
                "certferry-plugin(5)." },
    { "keys", "How subscriber keys are made." },
    { "pkcs12", "The PKCS#12 files devices get." },
    { "store", "Where requests are kept until they are done." },
    { "log", "What is written about the service's work." },
    { "metrics", "Numbers for monitoring, in the OpenMetrics format." },
    { NULL, NULL },
};

const struct conf_option conf_options[] = {
    { "cloud", "url", CONF_TEXT, TOP(cloud.url), "", 0, 0, NULL, NULL,
        "Base URL of the cloud's CCP/1 interface, https, without user name. Unset: the service "
        "only "
        "serves SCEP." },
    { "cloud", "trust", CONF_FILE, TOP(cloud.trust), "", 0, 0, NULL, NULL,
        "PEM file with the only roots trusted for this URL. Unset: those of the system." },
    { "cloud", "client_certificate", CONF_FILE, TOP(cloud.client_certificate), "", 0, 0, NULL, NULL,
        "PEM file with the connector's certificate, and its chain if the cloud needs it." },
    { "cloud", "client_key", CONF_FILE, TOP(cloud.client_key), "", 0, 0, NULL, NULL,
        "PEM file with its private key, readable by the service alone." },
    { "cloud", "token_file", CONF_SECRET, TOP(cloud.token_file), "", 0, 0, NULL, NULL,
        "File with a bearer token, used instead of a client certificate." },
    { "cloud", "group", CONF_TEXT, TOP(cloud.group), "", 0, 0, NULL, NULL,
        "Take only requests of this agent group." },
    { "cloud", "agent_id", CONF_TEXT, TOP(cloud.agent_id), "", 0, 0, NULL, NULL,
        "The connector's id at the cloud, sent with the heartbeat. Unset: no heartbeat." },
    { "cloud", "poll_interval", CONF_INT, TOP(cloud.poll_interval), "30", 1, 86400, NULL, "seconds",
        "Pause between polls that found nothing, unless the cloud names another." },
    { "cloud", "heartbeat", CONF_INT, TOP(cloud.heartbeat), "900", 1, 3600, NULL, "seconds",
        "Longest pause between two heartbeats. After a backup was restored, requests from before "
        "wait "
        "somewhat longer than that, until it is certain that no other service works on them." },
    { "cloud", "wait", CONF_INT, TOP(cloud.wait), "50", 0, 60, NULL, "seconds",
        "How long the cloud may hold a poll until there is work. 0: it answers at once." },

    { "cloud", "proxy", CONF_PROXY, TOP(cloud.proxy), "", 0, 0, NULL, NULL,
        "Another way to the cloud than section proxy says: a proxy, or none." },
    { "cloud", "proxy_credential", CONF_SECRET, TOP(cloud.proxy_credential), "", 0, 0, NULL, NULL,
        "user:password for the proxy of this section, as proxy.credential." },

    { "proxy", "url", CONF_PROXY, TOP(proxy.url), "none", 0, 0, NULL, NULL,
        "The proxy as http://host:port, https://host:port or socks5://host:port, without user and "
        "password; none; or "
        "auto: what the service's environment says (https_proxy, all_proxy, no_proxy)." },
    { "proxy", "no_proxy", CONF_LIST, TOP(proxy.no_proxy), "", 0, 0, NULL, NULL,
        "Destinations reached without it: host names, which stand for everything below them too, "
        "addresses, ranges as "
        "10.0.0.0/8, any of these with :port, or *." },
    { "proxy", "credential", CONF_SECRET, TOP(proxy.credential), "", 0, 0, NULL, NULL,
        "user:password for the proxy: secret:NAME, or a file readable by the service alone. It is "
        "sent to this proxy "
        "only." },
    { "proxy", "auth", CONF_CHOICE, TOP(proxy.auth), "any", 0, 0, "any|basic|digest|ntlm|negotiate",
        NULL,
        "How to sign in at the proxy. any: the strongest it offers of Digest, NTLM and Basic. "
        "negotiate: by the service's own Kerberos ticket." },
    { "proxy", "trust", CONF_FILE, TOP(proxy.trust), "", 0, 0, NULL, NULL,
        "PEM file with the only roots trusted for an https proxy. Unset: those of the system." },

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
    { "ca", "credentials_file", CONF_SECRET, CA(credentials_file), "", 0, 0, NULL, NULL,
        "File with user:password on its first line, readable by the service alone." },
    { "ca", "proxy", CONF_PROXY, CA(proxy), "", 0, 0, NULL, NULL,
        "Another way to this CA than section proxy says: a proxy, or none." },
    { "ca", "proxy_credential", CONF_SECRET, CA(proxy_credential), "", 0, 0, NULL, NULL,
        "user:password for the proxy of this section, as proxy.credential." },
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

    { "listen", "address", CONF_TEXT, LI(address), NULL, 0, 0, NULL, NULL,
        "Address and port, as \"0.0.0.0:80\" or \"[::]:443\"; or \"systemd:NAME\" for a socket "
        "that the "
        "service manager passes under that name." },
    { "listen", "certificate", CONF_FILE, LI(certificate), "", 0, 0, NULL, NULL,
        "PEM file with the server's certificate and its chain. Unset: plain HTTP, which SCEP "
        "allows." },
    { "listen", "key", CONF_FILE, LI(key), "", 0, 0, NULL, NULL,
        "PEM file with its private key, readable by the service alone." },
    { "listen", "certificate2", CONF_FILE, LI(certificate2), "", 0, 0, NULL, NULL,
        "A second server certificate with another kind of key: EC beside RSA." },
    { "listen", "key2", CONF_FILE, LI(key2), "", 0, 0, NULL, NULL,
        "PEM file with its private key." },
    { "listen", "trusted_proxies", CONF_LIST, LI(trusted_proxies), "", 0, 0, NULL, NULL,
        "Addresses or networks of reverse proxies whose X-Forwarded-For is believed." },
    { "listen", "connections_max", CONF_INT, LI(connections_max), "1024", 1, 100000, NULL, NULL,
        "Connections at once." },
    { "listen", "connections_per_address", CONF_INT, LI(connections_per_address), "64", 1, 100000,
        NULL, NULL,
        "Connections at once of one address; those of trusted proxies are not limited." },
    { "listen", "request_timeout", CONF_INT, LI(request_timeout), "30", 1, 3600, NULL, "seconds",
        "Time in which a request must have come, or an answer been taken, as a whole." },
    { "listen", "idle_timeout", CONF_INT, LI(idle_timeout), "15", 1, 3600, NULL, "seconds",
        "How long a connection without a request stays open." },
    { "listen", "body_max_kib", CONF_INT, LI(body_max_kib), "256", 16, 16384, NULL, "KiB",
        "Longest body of a request." },

    { "scep", "paths", CONF_LIST, SC(paths), "/certsrv/mscep/mscep.dll", 0, 0, NULL, NULL,
        "URL paths. Case, a trailing / and /pkiclient.exe do not count, and a path to mscep.dll "
        "answers in its folder too." },
    { "scep", "ca", CONF_TEXT, SC(ca), NULL, 0, 0, NULL, NULL,
        "Title of the ca section that issues." },
    { "scep", "signature_template", CONF_TEXT, SC(signature_template), "", 0, 0, NULL, NULL,
        "Template for requests with key usage digitalSignature alone. Unset: such requests are "
        "refused." },
    { "scep", "encryption_template", CONF_TEXT, SC(encryption_template), "", 0, 0, NULL, NULL,
        "Template for requests with key usage keyEncipherment alone. Unset: such requests are "
        "refused." },
    { "scep", "general_template", CONF_TEXT, SC(general_template), NULL, 0, 0, NULL, NULL,
        "Template for requests with both, or without a key usage." },
    { "scep", "plugin", CONF_TEXT, SC(plugin), "", 0, 0, NULL, NULL,
        "Title of the plugin section that judges challenges." },
    { "scep", "challenge", CONF_CHOICE, SC(challenge), "plugin", 0, 0, "plugin|none", NULL,
        "\"none\": whoever reaches the endpoint gets a certificate with any name. For "
        "laboratories." },
    { "scep", "ra_certificate", CONF_FILE, SC(ra_certificate), "", 0, 0, NULL, NULL,
        "PEM file with the registration authority's signing certificate, and its chain; RSA." },
    { "scep", "ra_key", CONF_FILE, SC(ra_key), "", 0, 0, NULL, NULL,
        "PEM file with its private key, readable by the service alone." },
    { "scep", "ra_encryption_certificate", CONF_FILE, SC(ra_encryption_certificate), "", 0, 0, NULL,
        NULL,
        "PEM file with the registration authority's encryption certificate. Unset: the signing one "
        "serves both." },
    { "scep", "ra_encryption_key", CONF_FILE, SC(ra_encryption_key), "", 0, 0, NULL, NULL,
        "PEM file with its private key, readable by the service alone." },
    { "scep", "ra_previous", CONF_LIST, SC(ra_previous), "", 0, 0, NULL, NULL,
        "PEM files, each with an earlier encryption certificate and its key: what devices encrypt "
        "to "
        "it is still read." },
    { "scep", "ra_signing_template", CONF_TEXT, SC(ra_signing_template), "", 0, 0, NULL, NULL,
        "Instead of files: the service enrols its signing certificate from the CA with this "
        "template, "
        "and renews it." },
    { "scep", "ra_encryption_template", CONF_TEXT, SC(ra_encryption_template), "", 0, 0, NULL, NULL,
        "The same for the encryption certificate." },
    { "scep", "ra_subject", CONF_TEXT, SC(ra_subject), "CN=certferry-MSCEP-RA", 0, 0, NULL, NULL,
        "Subject of the certificates enrolled so." },
    { "scep", "next_ca", CONF_FILE, SC(next_ca), "", 0, 0, NULL, NULL,
        "PEM file with the CA certificates that come next. The answer to GetNextCACert is signed "
        "by "
        "the registration authority. Unset: not offered." },
    { "scep", "reply_chain", CONF_CHOICE, SC(reply_chain), "none", 0, 0, "none|chain|root", NULL,
        "What a reply holds behind the issued certificate: nothing, the issuers, or these and the "
        "root. Apple takes the first, some want no more than one." },
    { "scep", "ekus", CONF_LIST, SC(ekus), "1.3.6.1.5.5.7.3.2", 0, 0, NULL, NULL,
        "Extended key usages a request may ask for, as dotted OIDs." },
    { "scep", "key_usage", CONF_LIST, SC(key_usage), "digitalSignature keyEncipherment", 0, 0, NULL,
        NULL, "Key usages a request may ask for." },
    { "scep", "extensions", CONF_LIST, SC(extensions), "", 0, 0, NULL, NULL,
        "OIDs of further extensions a request may carry. Others are refused, not dropped." },
    { "scep", "attributes", CONF_LIST, SC(attributes),
        "1.3.6.1.4.1.311.13.2.3 1.3.6.1.4.1.311.13.2.2 1.3.6.1.4.1.311.21.20 1.2.840.113549.1.9.20",
        0, 0, NULL, NULL,
        "OIDs of further attributes a request may carry. The default is what Windows adds: its "
        "version, the provider of the key, the client; and a friendly name, which certmonger "
        "adds." },
    { "scep", "rsa_min_bits", CONF_INT, SC(rsa_min_bits), "2048", 1024, 8192, NULL, "bits",
        "Smallest RSA key of a device." },
    { "scep", "des3", CONF_BOOL, SC(des3), "true", 0, 0, NULL, NULL,
        "Offer and accept triple DES, which older devices need. Single DES never is." },
    { "scep", "sha1", CONF_BOOL, SC(sha1), "true", 0, 0, NULL, NULL,
        "Offer and accept SHA-1 in messages and requests, which older devices need. MD5 never "
        "is." },
    { "scep", "ndes", CONF_BOOL, SC(ndes), "false", 0, 0, NULL, NULL,
        "Answer as NDES does where RFC 8894 differs: capabilities without AES, a content of one "
        "zero "
        "byte and the Windows error number in refusals, no certificates in replies." },
    { "scep", "renewal", CONF_BOOL, SC(renewal), "true", 0, 0, NULL, NULL,
        "Let the holder of a certificate renew it by signing with it." },
    { "scep", "renewal_window", CONF_INT, SC(renewal_window), "50", 0, 100, NULL, "percent",
        "Part of a certificate's life that must be over. Earlier, a request needs a challenge as "
        "if "
        "it were the first." },
    { "scep", "renewal_foreign", CONF_BOOL, SC(renewal_foreign), "false", 0, 0, NULL, NULL,
        "Renew certificates of the same CA that were not issued here: those of the NDES that stood "
        "here before." },
    { "scep", "wait", CONF_INT, SC(wait), "20", 0, 300, NULL, "seconds",
        "How long a device's request is held while its certificate is on the way; then it is told "
        "to "
        "poll." },
    { "scep", "ca_probe", CONF_INT, SC(ca_probe), "2", 0, 3600, NULL, "seconds",
        "How often the CA is looked at when nothing else has asked it, so that the health URL can "
        "say "
        "503 when it is away. 0: only requests find out." },
    { "scep", "resend", CONF_INT, SC(resend), "3600", 0, 31536000, NULL, "seconds",
        "How long the same request gets the same certificate again." },
    { "scep", "failures_per_minute", CONF_INT, SC(failures_per_minute), "30", 0, 1000000, NULL,
        NULL,
        "Refused requests of one address in a minute; beyond, it is answered 429 without a look. "
        "0: no limit." },
    { "scep", "failure_floor_ms", CONF_INT, SC(failure_floor_ms), "25", 0, 10000, NULL,
        "milliseconds",
        "A refusal before the challenge was found good takes at least so long, so that its time "
        "says "
        "nothing about its reason." },
    { "scep", "admin_password", CONF_SECRET, SC(admin_password), "", 0, 0, NULL, NULL,
        "File with user:password for the page /certsrv/mscep_admin/ that hands out challenges, "
        "over "
        "HTTPS only. Unset: there is no such page." },
    { "scep", "utf16_bom", CONF_BOOL, SC(utf16_bom), "true", 0, 0, NULL, NULL,
        "Begin that page with a byte order mark." },

    { "plugin", "path", CONF_TEXT, PL(path), NULL, 0, 0, NULL, NULL,
        "Name of a shipped plugin (intune, ccp, otp, signed, webhook, exec), or the absolute path "
        "of a "
        "shared object that nobody but root or the service may write." },
    { "plugin", "settings", CONF_LIST, PL(settings), "", 0, 0, NULL, NULL,
        "The plugin's own settings, each \"name=value\"." },
    { "plugin", "secrets", CONF_LIST, PL(secrets), "", 0, 0, NULL, NULL,
        "The plugin's secrets, each \"name=secret:NAME\", or \"name=file\": the first line of a "
        "file "
        "readable by the service alone." },
    { "plugin", "trust", CONF_FILE, PL(trust), "", 0, 0, NULL, NULL,
        "PEM file with the only roots trusted for what the plugin asks. Unset: those of the "
        "system." },
    { "plugin", "client_id", CONF_TEXT, PL(client_id), "", 0, 0, NULL, NULL,
        "Client id for access tokens." },
    { "plugin", "client_secret_file", CONF_SECRET, PL(client_secret_file), "", 0, 0, NULL, NULL,
        "File with the client's secret on its first line, readable by the service alone." },
    { "plugin", "client_certificate", CONF_FILE, PL(client_certificate), "", 0, 0, NULL, NULL,
        "PEM file with a certificate that proves the client instead of a secret." },
    { "plugin", "client_key", CONF_FILE, PL(client_key), "", 0, 0, NULL, NULL,
        "PEM file with its private key, readable by the service alone." },
    { "plugin", "decryption_certificate", CONF_FILE, PL(decryption_certificate), "", 0, 0, NULL,
        NULL, "signed: PEM file with the certificate that challenges are encrypted to." },
    { "plugin", "decryption_key", CONF_FILE, PL(decryption_key), "", 0, 0, NULL, NULL,
        "signed: PEM file with its private key, readable by the service alone." },
    { "plugin", "signer_certificate", CONF_FILE, PL(signer_certificate), "", 0, 0, NULL, NULL,
        "signed: PEM file with the certificate that challenges are signed with." },
    { "plugin", "program", CONF_FILE, PL(program), "", 0, 0, NULL, NULL,
        "exec: the program to run, writable by nobody but root or the service." },
    { "plugin", "timeout", CONF_INT, PL(timeout), "15", 1, 300, NULL, "seconds",
        "Longest time one question of the plugin may take." },
    { "plugin", "memory_mib", CONF_INT, PL(memory_mib), "256", 16, 65536, NULL, "MiB",
        "exec: memory the program may use." },

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

    { "log", "format", CONF_CHOICE, TOP(log.format), "auto", 0, 0, "auto|human|json|journal", NULL,
        "auto: for people on a terminal, fields in the journal under systemd, JSON lines "
        "elsewhere." },
    { "log", "level", CONF_CHOICE, TOP(log.level), "info", 0, 0, "error|warning|info|debug", NULL,
        "The least important event that is written." },

    { "metrics", "listen", CONF_TEXT, TOP(metrics.listen), "", 0, 0, NULL, NULL,
        "Address and port for /metrics, /ready and /healthz, as \"127.0.0.1:9464\". Unset: none." },
};
const size_t conf_option_count = sizeof conf_options / sizeof conf_options[0];
