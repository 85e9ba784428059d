/*
 * see hostile.h: the outer message
 *
 * What cannot be read as a signed message with one transaction id gets HTTP 400; everything else a signed
 * FAILURE (RFC 8894 3.2; SR-05, SR-13).  Where two outcomes stand, both are sound and the order of the checks
 * decides.
 */
#include "test/scep/hostile.h"

static void empty(struct bench *b, struct str *der)
{
    (void)b;
    str_add(der, "", 0);
}

static void zeros(struct bench *b, struct str *der)
{
    static const char block[512];

    (void)b;
    str_add(der, block, sizeof block);
}

static void huge_length(struct bench *b, struct str *der)
{
    (void)b;
    der_hex(der, "3084 ffffffff 0609 2a864886f70d010702 a080 3080");
}

static void endless(struct bench *b, struct str *der)
{
    (void)b;
    der_hex(der, "3080 0609 2a864886f70d010702 a080 3080 020101 3100 3080");
}

static void deep(struct bench *b, struct str *der)
{
    (void)b;
    nested_write(10000, der);
}

static void in_pem(struct bench *b, struct str *der)
{
    static const struct row plain = { .name = "plain" };
    struct made m;

    if (make_case(b, &plain, &m))
        str_pem(der, "PKCS7", m.message.p, m.message.len, "\n");
    made_free(&m);
}

static void in_base64(struct bench *b, struct str *der)
{
    static const struct row plain = { .name = "plain" };
    struct made m;

    if (make_case(b, &plain, &m))
        str_b64(der, m.message.p, m.message.len);
    made_free(&m);
}

static void only_csr(struct bench *b, struct str *der)
{
    static const struct row plain = { .name = "plain" };
    struct made m;

    if (make_case(b, &plain, &m))
        str_add(der, m.csr.p, m.csr.len);
    made_free(&m);
}

static void million_zero_pieces(struct bench *b, struct str *der)
{
    (void)b;
    der_hex(der, "3080 0609 2a864886f70d010702 a080 3080 020101 3100 3080 0609 2a864886f70d010701"
                 "a080 2480");
    for (int i = 0; i < 30000; i++)
        str_add(der, "\x04\0", 2);
}

const struct row rows_message[] = {
    { .name = "an ordinary request", .want = OK },
    { "BER, indefinite lengths, pieces of 1000", OK, .env = { .ber = true, .chunk = 1000 },
        .msg = { .ber = true, .chunk = 1000 } },
    { "BER, pieces of 7 bytes", OK, .env = { .ber = true, .chunk = 7 },
        .msg = { .ber = true, .chunk = 7 } },
    { "signature under sha256WithRSAEncryption", OK, .msg = { .style = SIGNATURE_SHA_RSA } },
    { "signature RSA-PSS", OK, .msg = { .style = SIGNATURE_PSS } },
    { "SHA-1", OK, .msg_md = "SHA1", .csr_md = "SHA1" },
    { "SHA-384", OK, .msg_md = "SHA384" },
    { "SHA-512", OK, .msg_md = "SHA512" },
    { "MD5", BAD_ALG, .msg_md = "MD5" },
    { "signer named by key identifier", OK, .who = SELF_KEY_ID, .msg = { .twist = MSG_KEY_ID } },
    { "signer with a critical AKI", OK, .who = SELF_AKI },
    { "self-signed signer, expired", OK, .who = SELF_EXPIRED },
    { "self-signed signer, not valid yet", OK, .who = SELF_EARLY },
    { "self-signed signer that claims to be a CA", OK | BAD_CHECK | BAD_REQUEST, .who = SELF_CA },
    { "signer with another key than the request", OK | BAD_CHECK | BAD_REQUEST, .who = STRANGER },
    { "signer with an EC key, which no reply can be encrypted to", BAD_ALG, .who = EC_SIGNER },
    { "signer with an RSA key of 1024 bits", OK | BAD_ALG | BAD_CHECK | BAD_REQUEST,
        .who = WEAK_KEY },
    { "a second certificate besides", OK, .msg = { .twist = MSG_TWO_CERTIFICATES } },
    { "signing time in 2001", OK | BAD_TIME, .msg = { .signing_time = 1000000000 } },
    { "signing time in 2040", OK | BAD_TIME, .msg = { .signing_time = 2208988800 } },

    { "messageType absent", BAD_REQUEST, .msg = { .twist = MSG_NO_TYPE } },
    { "messageType twice", BAD_REQUEST, .msg = { .twist = MSG_TYPE_TWICE } },
    { "messageType with two values", BAD_REQUEST, .msg = { .twist = MSG_TYPE_VALUES } },
    { "messageType as INTEGER", BAD_REQUEST, .msg = { .twist = MSG_TYPE_INTEGER } },
    { "messageType as UTF8String", OK | BAD_REQUEST, .msg = { .twist = MSG_TYPE_UTF8 } },

    { "transactionID absent", HTTP_400, .msg = { .twist = MSG_NO_TRANSACTION } },
    { "transactionID twice", HTTP_400 | BAD_REQUEST, .msg = { .twist = MSG_TRANSACTION_TWICE } },
    { "transactionID as INTEGER", HTTP_400, .msg = { .twist = MSG_TRANSACTION_INTEGER } },
    { "transactionID empty", HTTP_400, .msg = { .transaction = "" } },
    { "transactionID of one character", OK, .msg = { .transaction = "x" } },
    { "transactionID of 255 characters", OK, .transaction_len = 255 },
    { "transactionID of 513 characters", HTTP_400 | BAD_REQUEST, .transaction_len = 513 },
    { "transactionID of 64 KiB", HTTP_400 | HTTP_413 | BAD_REQUEST, .transaction_len = 65536 },
    { "transactionID with a line end", HTTP_400 | BAD_REQUEST,
        .msg = { .transaction = "%s\r\nX: y" } },
    { "transactionID with a control byte", HTTP_400 | BAD_REQUEST,
        .msg = { .transaction = "%s\x1b[2J" } },
    { "transactionID in UTF-8", HTTP_400 | BAD_REQUEST, .msg = { .transaction = "%s-\xc3\xa4" } },
    { "transactionID with format letters", OK, .msg = { .transaction = "%s-%n%x%d" } },
    { "transactionID with SQL", OK, .msg = { .transaction = "%s'; DROP TABLE request;--" } },
    { "transactionID with a path", OK, .msg = { .transaction = "../../%s/shadow" } },
    { "transactionID in base64", OK, .msg = { .transaction = "%s+/a==" } },

    { "senderNonce absent", OK, .msg = { .twist = MSG_NO_NONCE } },
    { "senderNonce of 8 bytes", OK, .nonce_len = 8 },
    { "senderNonce of 1 byte", OK, .nonce_len = 1 },
    { "senderNonce of 64 bytes", OK, .nonce_len = 64 },
    { "senderNonce of 65 bytes", OK | HTTP_400 | BAD_REQUEST, .nonce_len = 65,
        .msg = { .twist = 0 } },
    { "senderNonce of 4096 bytes", HTTP_400 | BAD_REQUEST, .nonce_len = 4096 },
    { "senderNonce as INTEGER", OK | HTTP_400 | BAD_REQUEST,
        .msg = { .twist = MSG_NONCE_INTEGER } },

    { "contentType absent", BAD_CHECK | BAD_REQUEST, .msg = { .twist = MSG_NO_CONTENT_TYPE } },
    { "contentType is not id-data", BAD_CHECK | BAD_REQUEST,
        .msg = { .twist = MSG_CONTENT_TYPE_OTHER } },
    { "messageDigest absent", BAD_CHECK | BAD_REQUEST, .msg = { .twist = MSG_NO_DIGEST } },
    { "messageDigest wrong", BAD_CHECK, .msg = { .twist = MSG_WRONG_DIGEST } },
    { "signature altered", BAD_CHECK, .msg = { .twist = MSG_BAD_SIGNATURE } },
    { "signed with another key", BAD_CHECK, .msg = { .twist = MSG_OTHER_KEY } },
    { "signed with another key, signature RSA-PSS", BAD_CHECK,
        .msg = { .twist = MSG_OTHER_KEY, .style = SIGNATURE_PSS } },
    { "names a signer that is not there", BAD_CHECK | BAD_REQUEST,
        .msg = { .twist = MSG_OTHER_SERIAL } },
    { "no certificates", BAD_CHECK | BAD_REQUEST, .msg = { .twist = MSG_NO_CERTIFICATE } },
    { "attributes not in SET order", OK | BAD_CHECK, .msg = { .twist = MSG_UNSORTED } },
    { "no signed attributes", HTTP_400, .msg = { .twist = MSG_NO_ATTRIBUTES } },
    { "two signers", HTTP_400 | BAD_REQUEST, .msg = { .twist = MSG_TWO_SIGNERS } },
    { "no signer", HTTP_400, .msg = { .twist = MSG_NO_SIGNER } },
    { "digestAlgorithms empty", HTTP_400 | OK | BAD_ALG | BAD_CHECK | BAD_REQUEST,
        .msg = { .twist = MSG_NO_DIGESTS } },
    { "the ContentInfo says data", HTTP_400, .msg = { .twist = MSG_DATA } },
    { "eContentType is not id-data", HTTP_400 | BAD_REQUEST, .msg = { .twist = MSG_CONTENT_OID } },
    { "eContent absent", BAD_REQUEST, .inside = ABSENT },
    { "no encryption: the request itself as content", BAD_REQUEST, .inside = BARE_REQUEST },
    { "bytes behind the message", HTTP_400, .msg = { .twist = MSG_TRAILING } },
    { "the message cut", HTTP_400, .msg = { .twist = MSG_CUT } },

    { "nothing", HTTP_400, .body = empty },
    { "512 zeros", HTTP_400, .body = zeros },
    { "a length of four gigabytes", HTTP_400, .body = huge_length },
    { "an indefinite length that never ends", HTTP_400, .body = endless },
    { "10000 levels", HTTP_400, .body = deep },
    { "30000 empty pieces", HTTP_400 | HTTP_413, .body = million_zero_pieces },
    { "PEM", HTTP_400, .body = in_pem },
    { "base64 in the body", HTTP_400, .body = in_base64 },
    { "a bare PKCS#10", HTTP_400, .body = only_csr },

    { "CertPoll of an unknown transaction", BAD_CERT_ID, .inside = ISSUER_SUBJECT,
        .challenge = NONE, .msg = { .type = "20" } },
    { "CertPoll with garbage inside", BAD_CERT_ID | BAD_REQUEST, .inside = GARBAGE,
        .challenge = NONE, .msg = { .type = "20" } },
    { "CertPoll without a content", BAD_CERT_ID | BAD_REQUEST, .inside = ABSENT, .challenge = NONE,
        .msg = { .type = "20" } },
    { "CertPoll with an undecryptable envelope", BAD_CERT_ID | BAD_REQUEST,
        .inside = ISSUER_SUBJECT, .challenge = NONE, .msg = { .type = "20" },
        .env = { .twist = ENV_BAD_RSA } },
    { "GetCert of an unknown serial number", BAD_CERT_ID | BAD_REQUEST, .inside = ISSUER_SERIAL,
        .challenge = NONE, .msg = { .type = "21" } },
    { "GetCert of another CA", BAD_CERT_ID | BAD_REQUEST, .inside = OTHER_SERIAL, .challenge = NONE,
        .msg = { .type = "21" } },
    { "GetCert with garbage inside", BAD_CERT_ID | BAD_REQUEST, .inside = GARBAGE,
        .challenge = NONE, .msg = { .type = "21" } },
    { "GetCRL of another CA", BAD_CERT_ID | BAD_REQUEST, .inside = OTHER_SERIAL, .challenge = NONE,
        .msg = { .type = "22" } },
    { "GetCRL with garbage inside", BAD_CERT_ID | BAD_REQUEST, .inside = GARBAGE, .challenge = NONE,
        .msg = { .type = "22" } },
    { "GetCRL with nothing inside", BAD_CERT_ID | BAD_REQUEST, .inside = NOTHING, .challenge = NONE,
        .msg = { .type = "22" } },
};
const size_t rows_message_count = sizeof rows_message / sizeof rows_message[0];

/* Everything that looks like 19 and is not, besides the numbers 0 to 255 that hostile.c counts through. */
const struct row rows_type[] = {
    { "messageType empty", BAD_REQUEST, .msg = { .type = "" } },
    { "messageType 019", BAD_REQUEST, .msg = { .type = "019" } },
    { "messageType +19", BAD_REQUEST, .msg = { .type = "+19" } },
    { "messageType with a blank in front", BAD_REQUEST, .msg = { .type = " 19" } },
    { "messageType with a blank behind", BAD_REQUEST, .msg = { .type = "19 " } },
    { "messageType with a line end", BAD_REQUEST, .msg = { .type = "19\n" } },
    { "messageType 0x13", BAD_REQUEST, .msg = { .type = "0x13" } },
    { "messageType 19.0", BAD_REQUEST, .msg = { .type = "19.0" } },
    { "messageType -19", BAD_REQUEST, .msg = { .type = "-19" } },
    { "messageType 19 more than 2^32", BAD_REQUEST, .msg = { .type = "4294967315" } },
    { "messageType 19 more than 2^64", BAD_REQUEST, .msg = { .type = "18446744073709551635" } },
    { "messageType in words", BAD_REQUEST, .msg = { .type = "PKCSReq" } },
    { "messageType in Arabic digits", BAD_REQUEST, .msg = { .type = "\xd9\xa1\xd9\xa9" } },
    { "messageType 19,17", BAD_REQUEST, .msg = { .type = "19,17" } },
    { "messageType with format letters", BAD_REQUEST, .msg = { .type = "%s%n" } },
};
const size_t rows_type_count = sizeof rows_type / sizeof rows_type[0];
