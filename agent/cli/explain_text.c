/* see explain_text.h.  The names of commands in here are checked by a test against the table of commands. */
#include <stddef.h>
#include "agent/cli/explain_text.h"

#define T(cls, means, todo) [cls] = { #cls, means, todo }

const struct explain_text explain_errors[ERR_CLASS_COUNT] = {
    T(ERR_NOMEM, "Memory ran out for something that a peer or a file asked for. It is tried again.",
        "see what else runs on the machine; raise a limit that the service manager sets"),
    T(ERR_NET,
        "No connection, no answer in time, an answer that was cut, or a server error (HTTP 5xx). "
        "It "
        "is tried again, with growing pauses, until the request expires.",
        "certferry doctor: rows NET and TLS say how far a connection comes"),
    T(ERR_BUSY, "The peer asked us to wait (HTTP 429 or 503). Its Retry-After is honoured.",
        "nothing; if it stays so, ask who runs the peer"),
    T(ERR_INTERCEPTED,
        "The answer came from something in between: a captive portal, a filter's page, a proxy "
        "that "
        "opens TLS. Nothing of it was believed.",
        "certferry doctor: row NET-06 shows who answers; let this machine pass without being "
        "filtered"),
    T(ERR_STORE, "The store could not be read or written: disk full, permissions, damage.",
        "look at free space, owner and mode of store.dir; certferry doctor: rows ST and PERM"),
    T(ERR_TRUST,
        "The peer's certificate is not one we trust: unknown issuer, wrong name, expired, or TLS "
        "opened on the way.",
        "certferry doctor: rows TLS show the chain; name the right roots with option trust of the "
        "section"),
    T(ERR_AUTH, "The peer did not accept who we say we are (HTTP 401).",
        "at the cloud: certferry whoami, then certferry sign-in; at a CA: option credentials_file "
        "or client_certificate of its section"),
    T(ERR_FORBIDDEN, "The peer knows us and does not allow this (HTTP 403).",
        "give this account the right: enrolment at the CA, the connector's role at the cloud"),
    T(ERR_PROXY, "The proxy refused the connection, or wants a sign-in (HTTP 407).",
        "certferry proxy test; certferry proxy set URL --credentials-file FILE"),
    T(ERR_PROXY_DOWN,
        "The proxy does not answer: its port is closed, it is overloaded, or something else "
        "listens there. Tried again like any other outage.",
        "is it running, and is its address right?  certferry proxy test; certferry proxy set URL"),
    T(ERR_CONFIG, "The configuration is wrong, or does not fit what the peer does.",
        "certferry config validate; certferry config explain KEY"),
    T(ERR_OPERATOR, "An administrator has to decide. The request is held and not given up.",
        "certferry requests show ID, then certferry requests retry ID or cancel ID"),
    T(ERR_INPUT, "What was asked for is not valid: a request, an argument, a value.",
        "correct what the message names; a request has to be made again by who made it"),
    T(ERR_VARIABLE, "A variable in the profile's subject has no value for this user or device.",
        "fill in the attribute in the directory, or take the variable out of the profile"),
    T(ERR_UNSUPPORTED, "Something that this program does not do.",
        "change the profile, the template or the command; the manual says what there is"),
    T(ERR_TOO_LARGE, "Larger than a limit of ours or of the peer (HTTP 413, 414, 431).",
        "make it smaller; for SCEP, let long URLs through or use POST"),
    T(ERR_PROTO, "The peer's answer is not what its protocol prescribes.",
        "certferry doctor; is the URL that of the right service and version?"),
    T(ERR_DENIED, "The CA looked at the request and refused it. Its reason is in the message.",
        "look at the CA's log of failed requests; mend template, permission or subject"),
    T(ERR_TEMPLATE, "The CA does not offer the template that the request names.",
        "publish it at the CA, let the service's account enrol, and list it in option templates"),
    T(ERR_CHALLENGE, "The challenge of a SCEP request was refused: wrong, used up or expired.",
        "let the device ask for its profile again; certferry plugin test NAME"),
    T(ERR_MISMATCH,
        "The CA issued a certificate that is not what was asked for. It was not handed out.",
        "compare the template with the profile: subject, key, key usages; certferry orphans list"),
    T(ERR_EXPIRED, "The time of the request was over before it was done.",
        "find out what it waited for (certferry requests show ID) and let it be asked again"),
    T(ERR_GONE,
        "It is not there: the peer does not know it any more (HTTP 404, 410), or there is "
        "nothing of that name.",
        "look at the name or number; a request has been ended by its cloud"),
    T(ERR_CONFLICT,
        "The state of things does not allow it: somebody else has it (HTTP 409), or it "
        "has ended, or exists already.",
        "the message says who or what; for a request: certferry requests show ID"),
    T(ERR_CRYPTO, "The cryptographic library failed, or a key or file does not open.",
        "is the file whole, and is it the key that belongs to it? certferry check"),
};

const struct explain_text explain_doctor[] = {
    { "CONF", "Whether the configuration can be read and is complete.",
        "certferry config validate" },
    { "VER", "Versions of the program, its libraries and its store.",
        "install the updates of the distribution; certferry version" },
    { "PERM", "Who may read and change the files of the service.",
        "set owner and mode as the row says" },
    { "ST", "The store: is it whole, is there room, how fast is the disk, how old is the backup?",
        "mend the disk or make room; a damaged store is restored from its backup" },
    { "P12", "Key files as devices get them, made and read again on the spot.",
        "certferry version; report it, with what the row says" },
    { "PLG", "Challenge plugins: do they open, and can they judge?", "certferry plugin test NAME" },
    { "SVC", "The service itself: running, its watchdog, restarts.",
        "certferry status; start it, or read its log" },
    { "NET", "The way to each peer: names, connections, proxy, and who stands in between.",
        "mend the first one that fails: the later ones need it" },
    { "TIME", "The clock against those of the peers.",
        "let the system keep time (NTP): certificates and tokens need it" },
    { "TLS", "Certificates of servers: version, chain, name, days left.",
        "renew the certificate, or name the right roots with option trust" },
    { "CLOUD", "The policy cloud: does it speak CCP/1?",
        "look at cloud.url: certferry config explain cloud.url" },
    { "AUTH", "Who we are to the cloud, and whether it believes that.",
        "certferry whoami, then certferry sign-in" },
    { "CA", "Upstream CAs: do they answer, do they know the templates, may we enrol?",
        "certferry config explain ca, and the CA's own permissions" },
    { "RA", "Certificates of the registration authorities, which SCEP answers are signed with.",
        "certferry ra show; certferry ra renew ENDPOINT" },
    { "SCEP", "The SCEP endpoints, asked as a device would ask, through every listener.",
        "certferry doctor --only SCEP; with --external through the public address" },
    { NULL, NULL, NULL },
};

const struct explain_text explain_exits[] = {
    { "0", "It was done; doctor: every row is PASS or SKIP.", "nothing" },
    { "1", "Something failed that has no number of its own.", "read the message" },
    { "2", "The command line or a value in it is wrong. Nothing was done.", "certferry help" },
    { "3", "The service works, but something needs attention.", "certferry status" },
    { "4", "A peer was not reached, or not through the proxy.", "certferry doctor --only NET" },
    { "5", "A peer refused who we say we are, or nobody has signed in.", "certferry sign-in" },
    { "6", "The configuration does not load, or does not fit.", "certferry config validate" },
    { "7", "What was printed is from the store: no service is running to be asked.",
        "start the service" },
    { "8", "The CA, or the rules for a certificate, said no.",
        "certferry requests show ID has the reason" },
    { "9", "The store, or the disk it is on, failed.", "certferry doctor --only ST" },
    { "10", "A certificate of a peer is not trusted.", "certferry doctor --only TLS" },
    { "11", "The time given for waiting was over; nothing was broken off.",
        "wait longer: --wait or --timeout" },
    { "12", "This user may not do that.", "run it as root, or as the service's user" },
    { "13", "There is nothing of that name or number.", "look at the list of the same noun" },
    { "14", "It exists already, has ended, or somebody else has it.", "read the message" },
    { "70", "The program found itself in a state that cannot be.",
        "report it, with the log; the service manager starts it again" },
    { "75", "The service could not start now, but may later. The service manager tries again.",
        "is another service using this store? is the disk full?" },
    { "78",
        "The service cannot start before something is mended. It is not started again by "
        "itself.",
        "certferry check" },
    { "130", "It was interrupted from the keyboard.", "nothing" },
    { NULL, NULL, NULL },
};

const struct explain_warning explain_warnings[] = {
    { "INCOMPLETE", "Every value is valid, but the service would not start with it.",
        "certferry config validate says what is missing", "the configuration lacks something" },
    { "OVERRIDDEN",
        "Flags win over the environment, that over drop-ins in the order of their names, those "
        "over "
        "the file.",
        "certferry config list --origin", "another place sets the same option, and wins" },
    { "UNREADABLE", "What does not depend on it was printed all the same.",
        "certferry config validate", "the configuration does not load" },
    { "VARIABLE",
        "CERTFERRY_SECTION_KEY, or CERTFERRY_SECTION_NAME_KEY, sets an option of a section that "
        "exists.",
        "certferry config explain KEY shows an option's variable",
        "a variable of the environment means nothing" },
    { NULL, NULL, NULL, NULL },
};
