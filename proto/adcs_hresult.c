/*
 * see adcs.h: what the CA's numbers mean for us
 *
 * The line is drawn by who has to act.  What only an administrator of the CA can mend for every request
 * (the account may not enrol at all) is held; what concerns this template or these names fails this
 * request, and the message tells why; what passes by itself is tried again.
 */
#include "proto/adcs.h"

static const struct {
    uint32_t number;
    enum err_class cls;
    const char *name;
} table[] = {
    { 0x80094001, ERR_INPUT, "CERTSRV_E_BAD_REQUESTSUBJECT" },
    { 0x80094002, ERR_GONE, "CERTSRV_E_NO_REQUEST" },
    { 0x80094003, ERR_DENIED, "CERTSRV_E_BAD_REQUESTSTATUS" },
    { 0x80094004, ERR_GONE, "CERTSRV_E_PROPERTY_EMPTY" },
    { 0x80094005, ERR_CONFIG, "CERTSRV_E_INVALID_CA_CERTIFICATE" },
    { 0x80094006, ERR_NET, "CERTSRV_E_SERVER_SUSPENDED" },
    { 0x80094007, ERR_INPUT, "CERTSRV_E_ENCODING_LENGTH" },
    { 0x80094008, ERR_FORBIDDEN, "CERTSRV_E_ROLECONFLICT" },
    { 0x80094009, ERR_FORBIDDEN, "CERTSRV_E_RESTRICTEDOFFICER" },
    { 0x8009400f, ERR_BUSY, "CERTSRV_E_NO_DB_SESSIONS" },
    { 0x80094011, ERR_FORBIDDEN, "CERTSRV_E_ENROLL_DENIED" },
    { 0x80094012, ERR_DENIED, "CERTSRV_E_TEMPLATE_DENIED" },
    { 0x80094014, ERR_DENIED, "CERTSRV_E_ADMIN_DENIED_REQUEST" },
    { 0x80094015, ERR_NET, "CERTSRV_E_NO_POLICY_SERVER" },
    { 0x80094016, ERR_INPUT, "CERTSRV_E_WEAK_SIGNATURE_OR_KEY" },
    { 0x80094800, ERR_TEMPLATE, "CERTSRV_E_UNSUPPORTED_CERT_TYPE" },
    { 0x80094801, ERR_TEMPLATE, "CERTSRV_E_NO_CERT_TYPE" },
    { 0x80094802, ERR_TEMPLATE, "CERTSRV_E_TEMPLATE_CONFLICT" },
    { 0x80094803, ERR_INPUT, "CERTSRV_E_SUBJECT_ALT_NAME_REQUIRED" },
    { 0x80094804, ERR_TEMPLATE, "CERTSRV_E_ARCHIVED_KEY_REQUIRED" },
    { 0x80094805, ERR_INPUT, "CERTSRV_E_SMIME_REQUIRED" },
    { 0x80094806, ERR_INPUT, "CERTSRV_E_BAD_RENEWAL_SUBJECT" },
    { 0x80094807, ERR_TEMPLATE, "CERTSRV_E_BAD_TEMPLATE_VERSION" },
    { 0x80094809, ERR_TEMPLATE, "CERTSRV_E_SIGNATURE_POLICY_REQUIRED" },
    { 0x8009480a, ERR_TEMPLATE, "CERTSRV_E_SIGNATURE_COUNT" },
    { 0x8009480d, ERR_INPUT, "CERTSRV_E_SUBJECT_UPN_REQUIRED" },
    { 0x8009480e, ERR_INPUT, "CERTSRV_E_SUBJECT_DIRECTORY_GUID_REQUIRED" },
    { 0x8009480f, ERR_INPUT, "CERTSRV_E_SUBJECT_DNS_REQUIRED" },
    { 0x80094811, ERR_INPUT, "CERTSRV_E_KEY_LENGTH" },
    { 0x80094812, ERR_INPUT, "CERTSRV_E_SUBJECT_EMAIL_REQUIRED" },
    { 0x80094813, ERR_TEMPLATE, "CERTSRV_E_UNKNOWN_CERT_TYPE" },
    { 0x80070005, ERR_FORBIDDEN, "E_ACCESSDENIED" },
    { 0x8007000e, ERR_NET, "E_OUTOFMEMORY" },
    { 0x80070057, ERR_INPUT, "E_INVALIDARG" },
    { 0x800706ba, ERR_NET, "RPC_S_SERVER_UNAVAILABLE" },
    { 0x800706bb, ERR_BUSY, "RPC_S_SERVER_TOO_BUSY" },
    { 0x800706be, ERR_NET, "RPC_S_CALL_FAILED" },
    { 0x80092013, ERR_NET, "CRYPT_E_REVOCATION_OFFLINE" },
};

enum err_class adcs_class(uint32_t hresult)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].number == hresult)
            return table[i].cls;
    return ERR_DENIED;
}

const char *adcs_hresult_name(uint32_t hresult)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].number == hresult)
            return table[i].name;
    return NULL;
}
