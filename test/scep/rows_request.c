/*
 * see hostile.h: the request (SR-01, SR-09), and whose challenge is in it
 *
 * The challenge entitles to: subject CN=%s,O=Contoso; dns, email, upn and uri names; key usage
 * digitalSignature and keyEncipherment; client authentication; RSA 2048.  One thing is another each time.
 *
 * SR-07 wants one answer for whatever is wrong before the challenge was found good, so that a request whose
 * own signature is wrong may be badRequest as well as badMessageCheck.
 */
#include "test/scep/hostile.h"

enum { DS = 1, NR = 2, KE = 4, DE = 8, KA = 16, CERT_SIGN = 32, CRL_SIGN = 64 };

#define CLIENT "1.3.6.1.5.5.7.3.2"
#define DNS    "dns:%s.contoso.example"
#define MAIL   "email:%s@contoso.example"
#define UPN    "upn:%s@contoso.example"
#define URI    "uri:urn:device:%s"
#define NAMES  DNS, MAIL, UPN, URI

const struct row rows_request[] = {
    /* odd, but what was asked for */
    { "names in another order", OK, .csr = { .san = { URI, UPN, MAIL, DNS } } },
    { "attributes not in SET order", OK, .csr = { .twist = P10_UNSORTED } },
    { "challenge as UTF8String", OK, .csr = { .challenge_tag = TAG_UTF8 } },
    { "challenge as BMPString", OK, .csr = { .challenge_tag = TAG_BMP } },
    { "challenge as TeletexString", OK, .csr = { .challenge_tag = TAG_TELETEX } },
    { "challenge as UniversalString", OK, .csr = { .challenge_tag = TAG_UNIVERSAL } },
    { "challenge as IA5String", OK, .csr = { .challenge_tag = TAG_IA5 } },
    { "subject in PrintableStrings", OK, .csr = { .name_tag = TAG_PRINTABLE } },
    { "extensions under Microsoft's OID", OK, .csr = { .twist = P10_EXTENSIONS_MS } },
    { "request signed with RSA-PSS", OK | BAD_ALG, .csr = { .pss = true } },
    { "request signed with SHA-512", OK, .csr_md = "SHA512" },

    /* challenges */
    { "no challenge", BAD_REQUEST, .challenge = NONE },
    { "a wrong challenge", BAD_REQUEST, .challenge = WRONG },
    { "a challenge that was used", BAD_REQUEST, .challenge = USED },
    { "somebody else's challenge", BAD_REQUEST, .challenge = SOMEBODY_ELSES },
    { "a challenge whose time is over", BAD_REQUEST | BAD_TIME, .challenge = OVERDUE },
    { "an empty challenge", BAD_REQUEST, .csr = { .twist = P10_CHALLENGE_EMPTY } },
    { "a NUL behind the challenge", BAD_REQUEST, .csr = { .twist = P10_CHALLENGE_NUL } },
    { "the challenge twice", BAD_REQUEST, .csr = { .twist = P10_CHALLENGE_TWICE } },
    { "two values of the challenge", BAD_REQUEST, .csr = { .twist = P10_CHALLENGE_VALUES } },
    { "no attributes at all", BAD_REQUEST, .csr = { .twist = P10_NO_ATTRIBUTES } },

    /* subject */
    { "another common name", BAD_REQUEST, .csr = { .subject = "CN=administrator-%s,O=Contoso" } },
    { "common name with a blank behind", OK | BAD_REQUEST,
        .csr = { .subject = "CN=%s ,O=Contoso" } },
    { "an organizational unit more", BAD_REQUEST,
        .csr = { .subject = "CN=%s,OU=Sales,O=Contoso" } },
    { "no organization", BAD_REQUEST, .csr = { .subject = "CN=%s" } },
    { "another organization", BAD_REQUEST, .csr = { .subject = "CN=%s,O=Fabrikam" } },
    { "two common names", BAD_REQUEST, .csr = { .subject = "CN=%s,CN=administrator,O=Contoso" } },
    { "two organizations", BAD_REQUEST, .csr = { .subject = "CN=%s,O=Contoso,O=Contoso" } },
    { "an RDN of two", BAD_REQUEST, .csr = { .subject = "CN=%s+O=Contoso" } },
    { "no subject", BAD_REQUEST, .no_subject = true },
    { "a NUL in the common name", BAD_REQUEST, .csr = { .twist = P10_SUBJECT_NUL } },
    { "common name as serial number", BAD_REQUEST,
        .csr = { .subject = "serialNumber=%s,O=Contoso" } },

    /* alternative names */
    { "another host name", BAD_REQUEST,
        .csr = { .san = { "dns:dc-%s.contoso.example", MAIL, UPN, URI } } },
    { "a wildcard", BAD_REQUEST, .csr = { .san = { "dns:*.contoso.example", MAIL, UPN, URI } } },
    { "a host name more", BAD_REQUEST, .csr = { .san = { NAMES, "dns:dc1.contoso.example" } } },
    { "a host name less", BAD_REQUEST, .csr = { .san = { MAIL, UPN, URI } } },
    { "another mail address", BAD_REQUEST,
        .csr = { .san = { DNS, "email:boss-%s@contoso.example", UPN, URI } } },
    { "another UPN", BAD_REQUEST,
        .csr = { .san = { DNS, MAIL, "upn:administrator@contoso.example", URI } } },
    { "two UPNs", BAD_REQUEST, .csr = { .san = { NAMES, "upn:administrator@contoso.example" } } },
    { "another URI", BAD_REQUEST, .csr = { .san = { DNS, MAIL, UPN, "uri:urn:other:%s" } } },
    { "a SID in a URI", BAD_REQUEST,
        .csr = { .san = { NAMES, "uri:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500" } } },
    { "an IP address more", BAD_REQUEST, .csr = { .san = { NAMES, "ip:0a000001" } } },
    { "a directory name more", BAD_REQUEST,
        .csr = { .san = { NAMES, "raw:a413 3011 310f300d06035504030c0661646d696e31" } } },
    { "a registered id more", BAD_REQUEST, .csr = { .san = { NAMES, "raw:88032a0304" } } },
    { "an empty host name more", BAD_REQUEST, .csr = { .san = { NAMES, "raw:8200" } } },
    { "a host name with a NUL", BAD_REQUEST,
        .csr = { .san = { DNS, MAIL, UPN, URI, "raw:8209 64633100 2e6578616d" } } },
    { "no alternative names", BAD_REQUEST, .no_san = true },
    { "40000 host names more", BAD_REQUEST | HTTP_400 | HTTP_413, .csr = { .many_sans = 40000 } },
    { "500 host names more", BAD_REQUEST, .csr = { .many_sans = 500 } },

    /* usage */
    { "key usage nonRepudiation more", BAD_REQUEST, .csr = { .key_usage = DS | NR | KE } },
    { "key usage keyEncipherment less", BAD_REQUEST, .csr = { .key_usage = DS } },
    { "key usage keyCertSign", BAD_REQUEST, .csr = { .key_usage = DS | KE | CERT_SIGN } },
    { "key usage cRLSign", BAD_REQUEST, .csr = { .key_usage = DS | KE | CRL_SIGN } },
    { "key usage keyAgreement alone", BAD_REQUEST, .csr = { .key_usage = KA } },
    { "no key usage", BAD_REQUEST, .no_ku = true },
    { "server authentication instead", BAD_REQUEST, .csr = { .eku = { "1.3.6.1.5.5.7.3.1" } } },
    { "server authentication more", BAD_REQUEST,
        .csr = { .eku = { CLIENT, "1.3.6.1.5.5.7.3.1" } } },
    { "smart card logon more", BAD_REQUEST,
        .csr = { .eku = { CLIENT, "1.3.6.1.4.1.311.20.2.2" } } },
    { "code signing more", BAD_REQUEST, .csr = { .eku = { CLIENT, "1.3.6.1.5.5.7.3.3" } } },
    { "any purpose", BAD_REQUEST, .csr = { .eku = { CLIENT, "2.5.29.37.0" } } },
    { "certificate request agent", BAD_REQUEST,
        .csr = { .eku = { CLIENT, "1.3.6.1.4.1.311.20.2.1" } } },
    { "no extended key usage", BAD_REQUEST, .no_eku = true },
    { "CA:TRUE", BAD_REQUEST, .csr = { .ca_true = true } },

    /* keys */
    { "RSA 1024", BAD_ALG | BAD_REQUEST, .key = "rsa1024", .who = STRANGER },
    { "RSA 3072, but 2048 was claimed", BAD_ALG | BAD_REQUEST, .key = "rsa3072" },
    { "an EC key, signed for by an RSA key", BAD_ALG | BAD_REQUEST, .key = "p256",
        .who = STRANGER },
    { "request signed with MD5", BAD_ALG | BAD_REQUEST, .csr_md = "MD5" },
    { "request's signature altered", BAD_CHECK | BAD_REQUEST,
        .csr = { .twist = P10_BAD_SIGNATURE } },
    { "request signed with another key", BAD_CHECK | BAD_REQUEST,
        .csr = { .twist = P10_OTHER_KEY } },

    /* extensions and attributes that a CA may act on */
    { "SID extension", BAD_REQUEST,
        .csr = { .extension = { { "1.3.6.1.4.1.311.25.2",
                     "3037a035060a2b060104018237190201a0270425532d312d352d32312d3130303433333633343"
                     "82d313137373233383931352d353030",
                     false } } } },
    { "application policies", BAD_REQUEST,
        .csr = { .extension = { { "1.3.6.1.4.1.311.21.10", "300c300a06082b06010505070302",
                     false } } } },
    { "template name", BAD_REQUEST,
        .csr = { .extension = { { "1.3.6.1.4.1.311.20.2", "1e0a00410064006d0069006e", false } } } },
    { "template OID", BAD_REQUEST,
        .csr = { .extension = { { "1.3.6.1.4.1.311.21.7", "300f060a2b0601040182371508010201010201",
                     false } } } },
    { "certificate policies", BAD_REQUEST,
        .csr = { .extension = { { "2.5.29.32", "300830060604551d2000", false } } } },
    { "name constraints", BAD_REQUEST, .csr = { .extension = { { "2.5.29.30", "3000", true } } } },
    { "an unknown extension, critical", BAD_REQUEST,
        .csr = { .extension = { { "1.3.6.1.4.1.99999.7", "0500", true } } } },
    { "an unknown extension", BAD_REQUEST,
        .csr = { .extension = { { "1.3.6.1.4.1.99999.7", "0500", false } } } },
    { "an enrolment name and value pair", BAD_REQUEST,
        .csr = { .attribute = { { "1.3.6.1.4.1.311.13.2.1",
                     "301a1e0a00410064006d0069006e1e0c00410064006d0069006e0073", false } } } },
    { "the certificate to be renewed as attribute", BAD_REQUEST,
        .csr = { .attribute = { { "1.3.6.1.4.1.311.13.1", "3000", false } } } },
    { "an unknown attribute", BAD_REQUEST,
        .csr = { .attribute = { { "1.3.6.1.4.1.99999.8", "0500", false } } } },
    { "Windows' version as attribute", OK,
        .csr = { .attribute = { { "1.3.6.1.4.1.311.13.2.3", "160c31302e302e32363130302e32",
                     false } } } },

    /* shape */
    { "the extension request twice", BAD_REQUEST, .csr = { .twist = P10_EXTENSIONS_TWICE } },
    { "an extension twice", BAD_REQUEST, .csr = { .twist = P10_EXTENSION_TWICE } },
    { "both kinds of extension request", BAD_REQUEST, .csr = { .twist = P10_EXTENSIONS_BOTH } },
    { "version 2", BAD_REQUEST, .csr = { .twist = P10_VERSION_2 } },
    { "bytes behind the request", BAD_REQUEST, .csr = { .twist = P10_TRAILING } },
    { "the request cut", BAD_REQUEST, .csr = { .twist = P10_CUT } },
    { "a request of 100 KiB", BAD_REQUEST | HTTP_400 | HTTP_413, .csr = { .padding = 100 << 10 } },
    { "a request of 1 MiB", HTTP_400 | HTTP_413, .csr = { .padding = 1 << 20 } },
};
const size_t rows_request_count = sizeof rows_request / sizeof rows_request[0];

/* SR-06.  Most of these have no challenge and go where a certificate counts as one. */
#define HELD .renews = true, .challenge = NONE

const struct row rows_renewal[] = {
    { "renewal, type 17, by the holder", OK, .who = HOLDER, .key = "next1", .msg = { .type = "17" },
        HELD },
    { "renewal, type 19, by the holder", OK, .who = HOLDER, .key = "next2", HELD },
    { "type 17 with a self-signed certificate", BAD_CHECK | BAD_REQUEST, .msg = { .type = "17" },
        HELD },
    { "type 17 with a self-signed certificate and a good challenge", BAD_CHECK | BAD_REQUEST,
        .msg = { .type = "17" } },
    { "UpdateReq 18 by the holder", BAD_REQUEST, .who = HOLDER, .msg = { .type = "18" }, HELD },
    { "UpdateReq 18 without a challenge", BAD_REQUEST, .msg = { .type = "18" }, HELD },
    { "a certificate that names our CA and signed itself, type 17", BAD_CHECK | BAD_REQUEST,
        .who = HOLDER_FORGED, .msg = { .type = "17" }, HELD },
    { "a certificate that names our CA and signed itself, type 19", BAD_CHECK | BAD_REQUEST,
        .who = HOLDER_FORGED, HELD },
    { "an expired certificate, type 17", BAD_CHECK | BAD_REQUEST | BAD_TIME, .who = HOLDER_EXPIRED,
        .msg = { .type = "17" }, HELD },
    { "an expired certificate, type 19", BAD_CHECK | BAD_REQUEST | BAD_TIME, .who = HOLDER_EXPIRED,
        HELD },
    { "a certificate that is not valid yet", BAD_CHECK | BAD_REQUEST | BAD_TIME,
        .who = HOLDER_EARLY, .msg = { .type = "17" }, HELD },
    { "a certificate of our CA that was not issued here", BAD_CHECK | BAD_REQUEST,
        .who = HOLDER_FOREIGN, .msg = { .type = "17" }, HELD },
    { "the RA's own certificate", BAD_CHECK | BAD_REQUEST, .who = AGENT, .msg = { .type = "17" },
        HELD },
    { "renewal to another subject", BAD_REQUEST, .who = HOLDER,
        .csr = { .subject = "CN=administrator,O=Contoso" }, .msg = { .type = "17" }, HELD },
    { "renewal with a name more", BAD_REQUEST, .who = HOLDER,
        .csr = { .san = { NAMES, "dns:dc1.contoso.example" } }, .msg = { .type = "17" }, HELD },
    { "renewal with another usage", BAD_REQUEST, .who = HOLDER,
        .csr = { .eku = { "1.3.6.1.5.5.7.3.1" } }, .msg = { .type = "17" }, HELD },
    { "renewal with CA:TRUE", BAD_REQUEST, .who = HOLDER, .csr = { .ca_true = true },
        .msg = { .type = "17" }, HELD },
    { "renewal with a SID more", BAD_REQUEST, .who = HOLDER,
        .csr = { .san = { NAMES, "uri:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500" } },
        .msg = { .type = "17" }, HELD },
    { "renewal with a wrong challenge", BAD_REQUEST, .who = HOLDER, .challenge = WRONG,
        .renews = true, .msg = { .type = "17" } },
    { "renewal with an empty challenge", BAD_REQUEST | OK, .who = HOLDER,
        .csr = { .twist = P10_CHALLENGE_EMPTY }, .challenge = WRONG, .renews = true,
        .msg = { .type = "17" } },
    { "renewal, signed with another key than the certificate's", BAD_CHECK, .who = HOLDER,
        .msg = { .type = "17", .twist = MSG_OTHER_KEY }, HELD },
    { "renewal, request signed with another key", BAD_CHECK | BAD_REQUEST, .who = HOLDER,
        .csr = { .twist = P10_OTHER_KEY }, .msg = { .type = "17" }, HELD },
};
const size_t rows_renewal_count = sizeof rows_renewal / sizeof rows_renewal[0];
