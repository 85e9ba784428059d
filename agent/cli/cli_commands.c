/* see cli.h.  What there is to type: the parser, help, the manual and shell completion are made from these tables. */
#include "agent/cli/cli.h"
#include "agent/conf/conf.h"

const struct command cli_commands[] = {
    { "run", NULL, "", "",
        "Run the service in the foreground until SIGTERM or SIGINT; SIGHUP takes a changed "
        "configuration over.",
        cmd_run },
    { "once", NULL, "", "--wait",
        "Take what the cloud has, finish it, and exit. Requests that wait for approval stay. A "
        "cloud "
        "that does not answer within --wait is a failure.",
        cmd_once },
    { "check", NULL, "", "", "Check the configuration and every file it names. Contacts nobody.",
        cmd_check },
    { "sign-in", NULL, "",
        "--cloud --name --bootstrap-file --token-file --client-id --client-secret-file "
        "--client-certificate "
        "--client-key --scope --trust --yes",
        "Make this machine a connector of a policy cloud: by a code that a person types somewhere, "
        "by a client's secret or certificate, or by a bootstrap token. The key is made here and "
        "stays here; "
        "the token serves to enrol and is forgotten.",
        cmd_sign_in },
    { "sign-out", NULL, "", "--yes",
        "Destroy the connector's identity. Requests wait until somebody signs in again.",
        cmd_sign_out },
    { "whoami", NULL, "", "",
        "Who this connector is to the cloud, how it proves that, and until when.", cmd_whoami },
    { "reconcile", NULL, "", "--this-one",
        "After a backup was restored or the machine was copied: what is compared with the cloud, "
        "and whether another service lives under the same identity.",
        cmd_reconcile },
    { "status", NULL, "", "--watch --wait --timeout --html",
        "What the service is doing, how its peers answer, what waits for whom. Without a service: "
        "what its store holds.",
        cmd_status },
    { "requests", "list", "", "--all --state --stuck --since",
        "Open requests; with --all also those that have ended; with --stuck those that need "
        "somebody: held, overdue, or "
        "failing for an hour.",
        cmd_requests_list },
    { "requests", "show", "ID", "", "Everything about one request, with its history.",
        cmd_requests_show },
    { "requests", "retry", "[ID]", "--all --state",
        "Try a held or waiting request again now; with --all and --state all of that state.",
        cmd_requests_retry },
    { "requests", "hold", "ID", "",
        "Do nothing more about this request until it is released. It still expires.",
        cmd_requests_hold },
    { "requests", "release", "ID", "", "Let a held request go on.", cmd_requests_release },
    { "requests", "cancel", "ID", "--yes",
        "End a request here. Its key is destroyed; a certificate it may have becomes an "
        "orphan.",
        cmd_requests_cancel },
    { "orphans", "list", "", "--all",
        "Certificates that were, or may have been, issued and reached nobody; with --all also "
        "those that are dealt with.",
        cmd_orphans_list },
    { "orphans", "show", "REQUEST", "", "Everything about the orphans of one request.",
        cmd_orphans_show },
    { "orphans", "adopt", "REQUEST", "--note",
        "Record that the orphans of this request are dealt with: revoked at the CA, or known to be "
        "in use.",
        cmd_orphans_adopt },
    { "orphans", "revoke", "REQUEST", "",
        "Have the CA revoke it, where its protocol can; says what to do where it cannot.",
        cmd_orphans_revoke },
    { "audit", "verify", "[HASH]", "",
        "Is the audit log whole? Names the first record that is not as it was; with the head of an "
        "earlier time, whether it still has that record.",
        cmd_audit_verify },
    { "audit", "export", "", "--since", "The audit log, a JSON object a line.", cmd_audit_export },
    { "ra", "show", "", "",
        "Certificates of the registration authorities: thumbprints, validity, what is being "
        "renewed.",
        cmd_ra_show },
    { "ra", "renew", "ENDPOINT", "",
        "Enrol new certificates for the registration authority of this scep section now. What "
        "devices "
        "encrypt to the old one is still read.",
        cmd_ra_renew },
    { "doctor", NULL, "", "--external --url --trust --only --fix --dry-run",
        "Check the whole installation, row by row, from its files to its peers: what is wrong, "
        "what "
        "was seen, what to do. Changes nothing, but for what --fix mends.",
        cmd_doctor },
    { "try", "pkcs", "", "--ca --template --subject --submit",
        "Rehearse a PKCS request: key, request, what the CA would be sent. With --submit it is "
        "sent, "
        "and the certificate put into a PKCS#12 file, which is opened again and thrown away.",
        cmd_try_pkcs },
    { "try", "scep", "[ENDPOINT]", "--trust --challenge-file --subject --wait",
        "Rehearse an enrolment at an endpoint of this service, as scep test does.", cmd_try_scep },
    { "scep", "info", "URL", "--trust",
        "Look at any SCEP server: capabilities, certificates, what monitoring sees, long URLs.",
        cmd_scep_info },
    { "scep", "test", "URL", "--trust --challenge-file --subject --wait",
        "Rehearse an enrolment at any SCEP server, with the challenge of --challenge-file; "
        "without one, with a challenge that is made up and must be refused.",
        cmd_scep_test },
    { "plugin", "list", "", "", "Challenge plugins: those configured, and those shipped.",
        cmd_plugin_list },
    { "plugin", "test", "NAME", "--generate",
        "Open a configured plugin with its settings, and say whether it can judge.",
        cmd_plugin_test },
    { "proxy", "show", "", "",
        "The way out: settings and where they come from, and the way to each destination.",
        cmd_proxy_show },
    { "proxy", "set", "URL", "--credentials-file --no-proxy --force",
        "Reach cloud, CAs and other services through this proxy: http://, https:// or "
        "socks5://host:port, none, or auto (the service's environment). It is tested first; one "
        "that does not work changes nothing.",
        cmd_proxy_set },
    { "proxy", "test", "[URL]", "",
        "Go to each destination as the service does, or to URL: is the way open?", cmd_proxy_test },
    { "proxy", "clear", "", "", "No proxy; its credential is forgotten.", cmd_proxy_clear },
    { "secret", "set", "NAME", "--file",
        "Keep a secret for the service, sealed; an option names it as secret:NAME. It is typed "
        "twice "
        "unseen, or read from a file or from standard input; never an argument.",
        cmd_secret_set },
    { "secret", "list", "", "",
        "Names of the secrets, when each was set, and which options use it. Never a value.",
        cmd_secret_list },
    { "secret", "delete", "NAME", "--force", "Forget a secret. Refused while an option uses it.",
        cmd_secret_delete },
    { "config", "get", "KEY", "", "The value in use of one option: cloud.url, ca.NAME.url.",
        cmd_config_get },
    { "config", "set", "KEY VALUE...", "--dry-run --force",
        "Set an option, in conf.d/90-config.conf. The whole configuration is loaded with the "
        "change "
        "first; a wrong one changes nothing.",
        cmd_config_set },
    { "config", "unset", "KEY", "--dry-run --force",
        "Take back what config set has set. What other files say counts again.", cmd_config_unset },
    { "config", "list", "", "--all --origin", "Options that are set; secrets as references only.",
        cmd_config_list },
    { "config", "explain", "KEY", "",
        "What an option, or every option of a section, means, and where it is set.",
        cmd_config_explain },
    { "config", "validate", "[FILE]", "",
        "The same as check, of this file; and variables of the environment that mean nothing.",
        cmd_config_validate },
    { "config", "path", "", "", "The files the configuration is read from, in their order.",
        cmd_config_path },
    { "keys", "rotate", "", "",
        "Exchange the master key: everything sealed with it is sealed again, the old one is "
        "overwritten. At any time, also while the service runs.",
        cmd_keys_rotate },
    { "store", "backup", "FILE", "",
        "The store as it is now in one new file, also while the service runs: requests, secrets "
        "and "
        "identity, sealed; not the master key.",
        cmd_store_backup },
    { "store", "restore", "FILE", "--yes",
        "Put what a backup holds in the place of the store, while no service runs. What was there "
        "is "
        "kept beside it.",
        cmd_store_restore },
    { "bugreport", NULL, "", "--out --preview --since",
        "Gather what helps to find a fault into one archive: versions, settings without secrets, "
        "status, metrics, "
        "requests without names, doctor. Sends it nowhere.",
        cmd_bugreport },
    { "logs", NULL, "[WORD...]", "--since",
        "The service's log in the journal, as journalctl prints it; words go to journalctl, as "
        "CC_CHANNEL=Admin.",
        cmd_logs },
    { "logs", "level", "LEVEL", "--for",
        "Set the log level of the running service: error, warning, info or debug; until --for is "
        "over, it is set again, or the service begins anew. The configuration stays.",
        cmd_logs_level },
    { "service", "install", "", "--root",
        "Make this program a service of systemd: unit, user and folders where no package did, and "
        "enable it. Does "
        "not start it.",
        cmd_service_install },
    { "service", "uninstall", "", "--root",
        "Stop and disable the service, and remove what install wrote. Configuration and store "
        "stay.",
        cmd_service_uninstall },
    { "service", "start", "", "", "Start it, and wait until it is ready.", cmd_service_start },
    { "service", "stop", "", "", "Let it finish what is under way, and stop it.",
        cmd_service_stop },
    { "service", "restart", "", "", "Stop and start it.", cmd_service_restart },
    { "service", "reload", "", "",
        "Let the running service take over a changed configuration: all of it, or nothing if it is "
        "wrong. Waits for "
        "the outcome.",
        cmd_service_reload },
    { "service", "status", "", "",
        "Is it installed, enabled, running; what the last reload came to.", cmd_service_status },
    { "version", NULL, "", "", "Versions of the program and of the libraries it runs with.",
        cmd_version },
    { "explain", NULL, "[CODE]", "",
        "What a code means that a command, doctor or the log has printed, and what to do. Asks "
        "nobody.",
        cmd_explain },
    { "completion", NULL, "SHELL", "",
        "A script for bash, zsh or fish that completes commands, options, configuration keys and "
        "requests.",
        cmd_completion },
    { "help", NULL, "[TOPIC...]", "", "This list; help COMMAND: what it takes; help topics.",
        cmd_help },
    { "complete", NULL, "[WORD...]", "",
        "What may stand in place of the last word; for completion.", cmd_complete },
    { "manual", NULL, "PART [NOUN]", "",
        "Print a part of the manual pages, made from the program's own tables.", cmd_manual },
    { NULL, NULL, NULL, NULL, NULL, NULL },
};

/* The first three belong to every command. */
const struct cli_option cli_options[] = {
    { "--config", "FILE", "Configuration file; default " CONF_DEFAULT_PATH "." },
    { "--json", NULL, "Machine-readable output: one JSON document with schema, data and error." },
    { "--quiet", NULL, "Nothing on standard error but errors." },
    { "--all", NULL,
        "requests list: ended requests too. requests retry: all of --state. orphans list: also "
        "those dealt with. config list: options that nobody has set, too." },
    { "--origin", NULL, "config list: where each value was set: file and line, or environment." },
    { "--dry-run", NULL, "Say what would change, and change nothing." },
    { "--force", NULL,
        "config: also what leaves a sign-in, requests or secrets behind, as another store.dir. "
        "proxy set: also one that does not work. secret "
        "delete: also while an option uses it." },
    { "--state", "STATE", "requests list, retry: only those in this state." },
    { "--stuck", NULL, "requests list: only those that need somebody." },
    { "--since", "DURATION", "Only what has come within this time, as 2h or 7d." },
    { "--for", "DURATION", "logs level: after this time it is log.level again, as 15m." },
    { "--out", "FILE",
        "bugreport: write it there; default certferry-bugreport-TIME.tar.gz in this folder." },
    { "--preview", NULL, "bugreport: show what would stand in it, write nothing." },
    { "--note", "TEXT", "orphans adopt: what was done, for those who look later." },
    { "--wait", "DURATION|ready|idle",
        "once: how long to wait for a cloud that does not answer, and for requests that are not "
        "finished; default 10. scep test: how "
        "long to poll while the CA has not decided; default 30. status: until the service is ready "
        "to work, or has "
        "nothing to do but to wait for others." },
    { "--timeout", "DURATION", "status: how long --wait may take; default 60." },
    { "--watch", NULL, "status: on the terminal, anew every two seconds until Ctrl-C." },
    { "--html", "FILE", "status: write it as a page, without script, in the place of FILE." },
    { "--challenge-file", "FILE",
        "scep test: the challenge is the first line of this file, readable by you alone. A "
        "certificate is issued." },
    { "--subject", "SUBJECT",
        "scep test, try: subject of the request; default CN=certferry-test." },
    { "--ca", "NAME", "try pkcs: the section ca; default the first." },
    { "--template", "NAME", "try pkcs: a template of that section; default its first." },
    { "--submit", NULL, "try pkcs: send the request to the CA. A certificate is issued." },
    { "--trust", "FILE",
        "scep, doctor, sign-in: PEM file with the only roots trusted for https; default those of "
        "the "
        "system." },
    { "--external", "URL",
        "doctor: the public address of the service, as \"https://scep.contoso.example\"; default "
        "its own listeners." },
    { "--url", "URL", "doctor: the same as --external." },
    { "--only", "CODES",
        "doctor: only the rows with these codes or beginnings, as SCEP-02 or net,ca." },
    { "--fix", NULL,
        "doctor: mend what is local and safe: modes of our own files, missing folders; says what "
        "it did." },
    { "--credentials-file", "FILE",
        "proxy set: user:password for the proxy, the first line of a file readable by you alone. "
        "It is kept as secret:proxy." },
    { "--no-proxy", "LIST",
        "proxy set: destinations reached without it, with commas: names, addresses, ranges such "
        "as 10.0.0.0/8." },
    { "--file", "FILE",
        "secret set: the secret is the content of this file, readable by you alone, without its "
        "last "
        "end of line." },
    { "--cloud", "URL", "sign-in: the policy cloud; default cloud.url of the configuration." },
    { "--name", "NAME", "sign-in: what the cloud's administrators see; default the host's name." },
    { "--bootstrap-file", "FILE",
        "sign-in: a one-time token of the cloud, in a file readable by you alone, or "
        "secret:NAME." },
    { "--token-file", "FILE",
        "sign-in: an access token that something else has got, in a file readable by you alone." },
    { "--client-id", "ID",
        "sign-in: the application at the identity provider; default certferry-sign-in. With a "
        "secret or a "
        "certificate nobody has to type anything." },
    { "--client-secret-file", "FILE",
        "sign-in: the application's secret, in a file readable by you alone, or secret:NAME." },
    { "--client-certificate", "FILE",
        "sign-in: PEM file with a certificate registered with the application, instead of a "
        "secret." },
    { "--client-key", "FILE", "sign-in: PEM file with its key; default the certificate's file." },
    { "--scope", "SCOPE", "sign-in: what is asked for; default ccp.enroll." },
    { "--this-one", NULL,
        "reconcile: this is the service that lives, the other one is stopped; go on." },
    { "--yes", NULL, "Do not ask, at a terminal, whether it is meant." },
    { "--root", "FOLDER",
        "service install, uninstall: of a system that is not running, as an image." },
    { "--generate", NULL,
        "plugin test: let it make a challenge, for the first endpoint that uses it. The service "
        "must not be running." },
    { NULL, NULL, NULL },
};
