#ifndef CERTFERRY_PLUGIN_H
#define CERTFERRY_PLUGIN_H
#include <stddef.h>
#include <stdint.h>

/*
 * certferry_plugin.h - challenge plugins: who may have the certificate that a SCEP request asks for?
 *
 * A plugin is a shared object with one exported function, certferry_plugin_v1(), that returns a table
 * of functions.  The shape is that of Microsoft's INDESPolicy (Initialize, GenerateChallenge,
 * VerifyRequest, Notify, Uninitialize), but a plugin never waits: it holds no thread, socket, file or
 * loop.  Asked about a request it answers ALLOW, DENY or ASK; with ASK it describes one HTTPS request, or
 * one program to run, and is called again with what came back, until it says ALLOW or DENY.  The host
 * does the IO with its own TLS rules, proxy, deadlines and access tokens, and keeps the plugin's state.
 *
 * Everything the plugin is given is borrowed and valid during the call only.  Everything it sets in a
 * verdict must stay valid until the next call of any of its functions (static buffers in *self will do).
 * All calls come from one thread.  A plugin that wants to be contained should be a program behind the
 * shipped `exec` plugin: a shared object that crashes takes the service with it, which then restarts.
 *
 * Silence is refusal: a verdict starts as DENY, and so do errors, timeouts, more than
 * CERTFERRY_ROUNDS_MAX questions, and answers of an unknown kind.
 *
 * Text is UTF-8 with a NUL; times are UTC seconds.  A plugin is built with
 *     cc -shared -fPIC -o mine.so mine.c
 */
#ifdef __cplusplus
extern "C" {
#endif

#define CERTFERRY_PLUGIN_ABI   1u
#define CERTFERRY_PLUGIN_ENTRY "certferry_plugin_v1"

enum { CERTFERRY_ROUNDS_MAX = 8, CERTFERRY_MEMO_SIZE = 2048, CERTFERRY_HEADERS_MAX = 8 };

struct certferry_bytes {
    const uint8_t *p;
    size_t n;
};

/* ---- what the plugin is asked about ------------------------------------------------------------------ */

/* KeyUsage bits of RFC 5280 4.2.1.3: bit n is 1 << n (digitalSignature 1, keyEncipherment 4). */
struct certferry_request {
    uint32_t size;        /* of this struct as the host knows it */
    const char *endpoint; /* the title of the scep section */
    const char *ca;       /* the title of the ca section */
    const char *template_name;
    const char *transaction_id;    /* as the device chose it: printable ASCII, not unique */
    const char *remote_address;    /* "192.0.2.7"; of the client, also behind a trusted proxy */
    const char *challenge;         /* challengePassword, decoded; NULL if there is none */
    struct certferry_bytes pkcs10; /* the DER request, bytes as the device sent them */
    struct certferry_bytes signing_cert; /* DER, on a renewal: proven, ours and valid; else n = 0 */
    struct certferry_bytes spki;         /* SubjectPublicKeyInfo of the request */

    /* The request decoded, so that a plugin needs no ASN.1.  subject is for people: whether a name is the
     * right one is better left to the claims of a verdict, which are compared attribute by attribute. */
    const char *subject; /* "CN=Ada, O=Contoso", in the order of the encoding */
    const char *const *
        sans; /* "DNS host.contoso.example", "UPN ada@contoso.example", "IP ...", "URI ...", "EMAIL ..." */
    size_t san_count;
    const char *const *ekus; /* dotted OIDs */
    size_t eku_count;
    unsigned key_usage;   /* 0 = the request has no such extension */
    const char *key_type; /* "rsa", "ec" */
    unsigned key_bits;
    const char *hash; /* of the request's own signature: "sha1", "sha256" ... */
};

/* ---- what the plugin answers --------------------------------------------------------------------------- */

enum certferry_answer {
    CERTFERRY_DENY = 0,  /* final for this request */
    CERTFERRY_ALLOW = 1, /* or, from notify: noted */
    CERTFERRY_ASK = 2,   /* carry out `ask`, then call again */
    CERTFERRY_LATER = 3, /* cannot say now; again in `later_s`; the device is told to poll */
};

enum certferry_fail { /* RFC 8894 3.2.1.4 */
    CERTFERRY_BAD_ALG = 0,
    CERTFERRY_BAD_MESSAGE_CHECK = 1,
    CERTFERRY_BAD_REQUEST = 2,
    CERTFERRY_BAD_TIME = 3,
    CERTFERRY_BAD_CERT_ID = 4,
};

struct certferry_header {
    const char *name, *value;
};

struct certferry_ask {
    /* HTTPS: method is set.  Redirects are not followed. */
    const char *method; /* "GET", "POST" */
    const char *url;    /* https://...; http:// never */
    struct certferry_header header[CERTFERRY_HEADERS_MAX];
    size_t header_count;
    /* If token_url is set the host adds "Authorization: Bearer", with a token for token_scope that it
     * gets there by client credentials of the plugin's section (secret, or certificate as
     * private_key_jwt), keeps while valid, and drops after a 401 or 403. */
    const char *token_url, *token_scope;

    /* A program: method is NULL, program is true.  Only the one named by `program` in the plugin's
     * section is ever run: without arguments, clean environment, `body` on its standard input. */
    int program;

    struct certferry_bytes body;
    unsigned timeout_ms; /* 0: the section's; never more than that */
};

struct certferry_reply {
    uint32_t size;
    int status;                  /* HTTP status or exit code; -1 = no answer, see error */
    struct certferry_bytes body; /* or standard output */
    const char *content_type;    /* "" if absent */
    int64_t retry_after_s;       /* -1 = absent */
    const char *error;           /* "" or what hindered an answer, for logs */
    int needs_help; /* 1: and it will go on hindering until somebody mends it: credentials, trust, configuration */
};

struct certferry_verdict {
    uint32_t size;
    enum certferry_answer answer; /* starts as CERTFERRY_DENY */
    /* for DENY */
    enum certferry_fail fail; /* starts as CERTFERRY_BAD_REQUEST */
    uint32_t hresult;         /* starts as 0; sent in NDES compatibility mode only */
    char why[200];            /* for administrators and logs; never sent to the device */
    /* for ALLOW */
    const char *claims; /* JSON of what the challenge entitles to, see certferry-plugin(5); the host
                           compares the request with every member of it.  NULL: nothing more is claimed */
    /* for ASK */
    struct certferry_ask ask;
    /* for LATER */
    unsigned later_s;
    /* The plugin's own notes on this request: zeros at first, kept durably by the host and given back
     * with every later call about it, notify included. */
    char memo[CERTFERRY_MEMO_SIZE];
};

/* ---- how it ended, for notify ---------------------------------------------------------------------------- */

enum certferry_disposition { CERTFERRY_ISSUED = 0, CERTFERRY_FAILED = 2 };

struct certferry_outcome {
    uint32_t size;
    enum certferry_disposition disposition;
    uint32_t hresult;        /* FAILED: why, as an HRESULT; the CA's own if it gave one */
    const char *description; /* FAILED: fixed English text, at most 255 bytes */
    /* ISSUED */
    struct certferry_bytes certificate; /* DER */
    const char *thumbprint;             /* SHA-1, upper hex */
    const char *serial;                 /* upper hex */
    int64_t not_after_at;
    const char *issuer; /* "CN=Contoso Issuing CA 1" */
};

/* ---- what the host offers ---------------------------------------------------------------------------------- */

enum certferry_level { CERTFERRY_ERROR = 1, CERTFERRY_WARNING, CERTFERRY_INFO, CERTFERRY_DEBUG };

struct certferry_host {
    uint32_t abi, size;
    void *ctx; /* first argument of every function below */

    void (*log)(
        void *ctx, enum certferry_level level, const char *message); /* cleaned by the host */
    int64_t (*now)(void *ctx);
    int (*random)(void *ctx, void *out, size_t n); /* 0, or -1 */

    /* setting - the value of a `settings = {"name=value", ...}` entry; NULL if there is none.
     * secret - the same for `secrets = {"name=file"}`: the first line of that file. */
    const char *(*setting)(void *ctx, const char *name);
    const char *(*secret)(void *ctx, const char *name);

    /* A small durable space of this plugin's own.  Keys up to 200 bytes, values up to 4096 of any text.
     * get: 1 found (out has it), 0 none or expired, -1 failed.  put: expires_at 0 = never.
     * add: like put, but 0 = there was one already, 1 = added.  Written with the step of the request
     * that is being judged: both are durable, or neither. */
    int (*get)(void *ctx, const char *key, char *out, size_t size);
    int (*put)(void *ctx, const char *key, const char *value, int64_t expires_at);
    int (*add)(void *ctx, const char *key, const char *value, int64_t expires_at);
    int (*drop)(void *ctx, const char *key);
    int (*count)(void *ctx, const char *prefix); /* unexpired keys; -1 failed */

    /* Helpers.  All return the length written, without the NUL, or -1 if it does not fit or is not valid.
     * json_get: the member at a path of names separated by '.', numbers for elements of arrays
     * ("value.0.uri"), names compared without regard to case; strings as they are, numbers and booleans
     * as JSON text, objects and arrays as JSON.  -1: absent or null.  -2: it does not fit, or a string has a NUL
     * inside, or `json` is not exactly one JSON value (anything behind it but blanks, a name twice); so that
     * what is too large is never taken for what is not there.
     * json_quote: a JSON string with its quotes. */
    long (*json_get)(void *ctx, const char *json, const char *path, char *out, size_t size);
    long (*json_quote)(void *ctx, const char *text, char *out, size_t size);
    long (*base64)(void *ctx, struct certferry_bytes in, char *out, size_t size);
    long (*sha256)(
        void *ctx, struct certferry_bytes in, char *hex, size_t size); /* lower case, 64 */
    long (*guid)(void *ctx, char *out, size_t size);      /* random, version 4, 36 characters */
    int (*same)(void *ctx, const char *a, const char *b); /* 1 if equal; constant time */
    /* unseal - base64 or base64url of a CMS EnvelopedData (in CBC mode; no AuthEnvelopedData) encrypted to the
     * certificate `decryption_certificate` of the section, around a SignedData of exactly `signer_certificate`:
     * the signed text. */
    long (*unseal)(void *ctx, const char *sealed, char *out, size_t size);
    /* unbase64 - the bytes of base64 text, with or without padding and line ends; -1 if it is not */
    long (*unbase64)(void *ctx, const char *text, void *out, size_t size);
    /* hmac_sha256 - lower case hex, 64 */
    long (*hmac_sha256)(
        void *ctx, struct certferry_bytes key, struct certferry_bytes in, char *hex, size_t size);

    /* The names of all settings and secrets, from 0; NULL behind the last.  A plugin refuses in open() those it
     * does not know: a misspelt restriction would be no restriction. */
    const char *(*setting_name)(void *ctx, size_t i);
    const char *(*secret_name)(void *ctx, size_t i);
};

/* ---- the table --------------------------------------------------------------------------------------------- */

enum {
    CERTFERRY_MANY_USES =
        1 << 0, /* a challenge of this plugin may serve many requests; else the host
                                       lets each be used for one public key and one certificate */
    CERTFERRY_NO_CHALLENGE = 1 << 1, /* also asked about first requests without a challenge */
    CERTFERRY_GENERATES = 1 << 2,    /* has generate: the host offers /certsrv/mscep_admin/ */
    CERTFERRY_COMPARES =
        1 << 3, /* has compared every name of the request itself, a SID among them */
};

struct certferry_plugin {
    uint32_t abi, size;
    const char *name, *version, *summary;
    unsigned
        flags; /* these and notify are copied after each open, which may change them for its section */

    /* open - once, when the service starts (INDESPolicy::Initialize).  0, or -1 with the reason in why. */
    int (*open)(const struct certferry_host *host, void **self, char *why, size_t why_size);
    void (*close)(void *self); /* Uninitialize */

    /* generate - a challenge for this template (GenerateChallenge); may be NULL.
     * returns 1 with text (why: a sentence for the page, or nothing), 0 refused (why: "The password cache is
     * full."), -1 failed */
    int (*generate)(void *self, const char *endpoint, const char *template_name, const char *params,
        char *out, size_t size, char *why, size_t why_size);

    /* verify - may it be issued (VerifyRequest)?  reply is NULL in the first round.  Must not spend the
     * challenge: the host has reserved it for this request already. */
    void (*verify)(void *self, const struct certferry_request *r,
        const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v);

    /* notify - it was issued, or failed after ALLOW (Notify).  The device gets the certificate only after
     * ALLOW here; DENY makes it an orphan.  May be NULL: nothing to tell. */
    void (*notify)(void *self, const struct certferry_request *r, const struct certferry_outcome *o,
        const struct certferry_reply *reply, unsigned round, struct certferry_verdict *v);

    /* serving - can it judge at the moment?  0, or -1 with the reason in why: the health URL then answers
     * 503.  Called every few seconds; must not ask anybody.  May be NULL. */
    int (*serving)(void *self, char *why, size_t why_size);
};

/* The one exported function; everything else may be hidden (-fvisibility=hidden). */
#if defined(_WIN32)
#define CERTFERRY_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define CERTFERRY_EXPORT __attribute__((visibility("default")))
#else
#define CERTFERRY_EXPORT
#endif
CERTFERRY_EXPORT const struct certferry_plugin *certferry_plugin_v1(void);

#ifdef __cplusplus
}
#endif
#endif
