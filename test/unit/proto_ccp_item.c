/* CCP/1: one item in full: what it means, what may be left out. */
#include "test/ccp_item.h"
#include "certs/der.h"

static void whole_item(void **state)
{
    struct ccp_item item;
    const struct template *t = &item.template;
    struct err e = { 0 };
    struct view rest, one = { 0 };
    struct der der;

    (void)state;
    T_OK(ccp_item_parse(view_text(good), &item, &e));
    put_journal(view_text(good));
    assert_string_equal(item.head.id, "6d0e7c0a-1f2b-4c3d-8e4f-5a6b7c8d9e0f");
    assert_int_equal(item.head.type, CCP_PKCS_ISSUE);
    assert_string_equal(item.context, "ctx-81\n");
    assert_string_equal(item.tenant_id, "11111111-2222-3333-4444-55555555aaaa");
    assert_string_equal(item.user_id, "11111111-2222-3333-4444-66666666bbbb");
    assert_string_equal(item.device_id, "11111111-2222-3333-4444-777777777777");
    assert_string_equal(item.profile_id, "p-1");
    assert_string_equal(item.profile_name, "Wi-Fi");
    assert_string_equal(item.platform, "windows10AndLater");
    assert_int_equal(item.profile_version, 4);
    assert_true(item.machine_store);
    assert_string_equal(item.ca_host, "ca.contoso.example");
    assert_string_equal(item.ca_name, "adcs");
    assert_string_equal(item.key_storage_provider, "useTpmKspOtherwiseUseSoftwareKsp");
    assert_true(item.key_exportable);
    assert_string_equal(item.friendly_name, "Wi-Fi \xe2\x80\x93 Ada");
    assert_string_equal(item.renewal_of_serial, "4A00ff");

    assert_string_equal(t->name, "ContosoUser");
    assert_int_equal(t->subject.count, 2);
    assert_string_equal(t->subject.rdn[0].attr[0].type, "CN");
    assert_string_equal(t->subject.rdn[0].attr[0].value, "Ada Lovelace, \"Countess\"");
    assert_int_equal(t->subject.rdn[1].count, 2);
    assert_string_equal(t->subject.rdn[1].attr[1].value, "Contoso");
    assert_int_equal(t->san_count, 5);
    assert_int_equal(t->sans[0].type, SAN_EMAIL);
    assert_int_equal(t->sans[1].type, SAN_UPN);
    assert_int_equal(t->sans[2].type, SAN_DNS);
    assert_int_equal(t->sans[3].type, SAN_URI);
    assert_string_equal(t->sans[3].value, "urn:device:1");
    assert_int_equal(t->sans[4].type, SAN_IP);
    assert_string_equal(t->sid, "S-1-5-21-1-2-3-1105");
    assert_int_equal(t->sid_encoding, SID_BOTH);
    assert_int_equal(t->key_usage, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_int_equal(t->eku_count, 1);
    assert_string_equal(t->ekus[0], "1.3.6.1.5.5.7.3.2");
    assert_int_equal(t->key, KEY_RSA3072);
    assert_int_equal(t->hash, HASH_SHA384);
    assert_int_equal(t->validity_s, 2 * 2629746);

    assert_true(item.blob_to_device);
    assert_int_equal(item.content, CMS_AES256_GCM);
    assert_int_equal(item.transport, CMS_RSA_PKCS1);
    assert_string_equal(item.pfx_profile, "modern");
    assert_int_equal(item.recipient_count, 2);
    rest = buf_view(&item.recipients);
    for (int i = 0; i < 2; i++) {
        T_OK(der_next(&rest, &der, &e));
        assert_true(i == 0 || view_equal(one, der.whole));
        one = der.whole;
    }
    assert_int_equal(rest.len, 0);
    ccp_item_free(&item);
}

/* What may be left out, and what it is then. */
static void defaults(void **state)
{
    static const char *const optional[] = { "\"requestContext\":\"ctx-81\\n\",",
        "\"userId\":\"11111111-2222-3333-4444-66666666BBBB\",", "\"version\":4,\"name\":\"Wi-Fi\",",
        ",\"certificateStore\":\"machine\"", "\"certificationAuthority\":\"ca.contoso.example\",",
        "\"onPremisesSecurityIdentifier\":\"S-1-5-21-1-2-3-1105\",\"sidEncoding\":\"both\",",
        "\"keyUsage\":[\"digitalSignature\",\"keyEncipherment\"],",
        "\"keyAlgorithm\":\"rsa\",\"keySize\":\"size3072\",\"hashAlgorithm\":\"sha384\",",
        "\"certificateValidityPeriodValue\":2,\"certificateValidityPeriodScale\":\"months\",",
        "\"keyStorageProvider\":\"useTpmKspOtherwiseUseSoftwareKsp\",\"keyExportable\":true,",
        "\"friendlyName\":\"Wi-Fi \xe2\x80\x93 Ada\",\"renewalOf\":{\"serialNumber\":\"4A00ff\"},",
        ",\"contentEncryption\":\"aes256-gcm\",\"keyTransport\":\"rsaPkcs1\",\"pfxProfile\":"
        "\"modern\","
        "\"escrow\":false" };
    char text[sizeof good];
    struct ccp_item item;
    struct err e = { 0 };

    (void)state;
    memcpy(text, good, sizeof good);
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        char *at = strstr(text, optional[i]);

        assert_non_null(at);
        memmove(at, at + strlen(optional[i]), strlen(at + strlen(optional[i])) + 1);
    }
    T_OK(ccp_item_parse(view_text(text), &item, &e));
    put_journal(view_text(text));
    assert_null(item.context);
    assert_null(item.user_id);
    assert_null(item.profile_name);
    assert_int_equal(item.profile_version, 0);
    assert_false(item.machine_store);
    assert_null(item.ca_host);
    assert_null(item.template.sid);
    assert_int_equal(item.template.sid_encoding, SID_NONE);
    assert_int_equal(item.template.key_usage, 0);
    assert_int_equal(item.template.key, KEY_RSA2048);
    assert_int_equal(item.template.hash, HASH_SHA256);
    assert_int_equal(item.template.validity_s, 0);
    assert_null(item.key_storage_provider);
    assert_false(item.key_exportable);
    assert_null(item.friendly_name);
    assert_null(item.renewal_of_serial);
    assert_int_equal(item.content, CMS_AES256_CBC);
    assert_int_equal(item.transport, CMS_RSA_OAEP_SHA256);
    assert_string_equal(item.pfx_profile, "auto");
    assert_false(item.escrow);
    ccp_item_free(&item);
}

/* Every name that the protocol lists for a choice. */
static void choices(void **state)
{
    static const char *const platforms[] = { "iOS", "macOS", "android", "linux" };
    static const char *const providers[] = { "useTpmKspOtherwiseFail",
        "usePassportForWorkKspOtherwiseFail", "useSoftwareKsp" };
    static const struct {
        const char *find, *with;
        enum key_type key;
    } keys[] = {
        { "\"keySize\":\"size3072\"", "\"keySize\":\"size2048\"", KEY_RSA2048 },
        { "\"keySize\":\"size3072\"", "\"keySize\":\"size4096\"", KEY_RSA4096 },
        { "\"keySize\":\"size3072\"", "\"keySize\":null", KEY_RSA2048 },
        { "\"keyAlgorithm\":\"rsa\",\"keySize\":\"size3072\"", "\"keyAlgorithm\":\"ecP256\"",
            KEY_P256 },
        { "\"keyAlgorithm\":\"rsa\",\"keySize\":\"size3072\"", "\"keyAlgorithm\":\"ecP384\"",
            KEY_P384 },
        { "\"keyAlgorithm\":\"rsa\",\"keySize\":\"size3072\"", "\"keyAlgorithm\":\"ecP521\"",
            KEY_P521 },
        { "\"keyAlgorithm\":\"rsa\",\"keySize\":\"size3072\"", "\"keyAlgorithm\":\"ed25519\"",
            KEY_ED25519 },
        { "\"keyAlgorithm\":\"rsa\",", "", KEY_RSA3072 },
    };
    struct ccp_item item;
    char with[100];

    (void)state;
    for (size_t i = 0; i < sizeof platforms / sizeof platforms[0]; i++) {
        (void)snprintf(with, sizeof with, "\"platform\":\"%s\"", platforms[i]);
        parse_changed("\"platform\":\"windows10AndLater\"", with, &item);
        assert_string_equal(item.platform, platforms[i]);
        ccp_item_free(&item);
    }
    for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++) {
        (void)snprintf(with, sizeof with, "%s", providers[i]);
        parse_changed("useTpmKspOtherwiseUseSoftwareKsp", with, &item);
        assert_string_equal(item.key_storage_provider, providers[i]);
        ccp_item_free(&item);
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        parse_changed(keys[i].find, keys[i].with, &item);
        assert_int_equal(item.template.key, keys[i].key);
        ccp_item_free(&item);
    }
    parse_changed("\"sha384\"", "\"sha512\"", &item);
    assert_int_equal(item.template.hash, HASH_SHA512);
    ccp_item_free(&item);
    parse_changed("\"sha384\"", "\"sha256\"", &item);
    assert_int_equal(item.template.hash, HASH_SHA256);
    ccp_item_free(&item);
}

static void more_choices(void **state)
{
    struct ccp_item item;

    (void)state;
    parse_changed("blobToDevice", "passwordToDevice", &item);
    assert_false(item.blob_to_device);
    ccp_item_free(&item);
    parse_changed("aes256-gcm", "des-ede3-cbc", &item);
    assert_int_equal(item.content, CMS_DES3_CBC);
    ccp_item_free(&item);
    parse_changed("aes256-gcm", "aes256-cbc", &item);
    assert_int_equal(item.content, CMS_AES256_CBC);
    ccp_item_free(&item);
    parse_changed("rsaPkcs1", "rsaOaepSha256", &item);
    assert_int_equal(item.transport, CMS_RSA_OAEP_SHA256);
    ccp_item_free(&item);
    parse_changed("\"modern\"", "\"compat\"", &item);
    assert_string_equal(item.pfx_profile, "compat");
    ccp_item_free(&item);
    parse_changed("\"escrow\":false", "\"escrow\":true", &item);
    assert_true(item.escrow);
    ccp_item_free(&item);
    parse_changed("\"machine\"", "\"user\"", &item);
    assert_false(item.machine_store);
    ccp_item_free(&item);
    parse_changed("[\"digitalSignature\",\"keyEncipherment\"]",
        "[\"nonRepudiation\",\"dataEncipherment\",\"keyAgreement\"]", &item);
    assert_int_equal(
        item.template.key_usage, KU_NON_REPUDIATION | KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT);
    ccp_item_free(&item);
}

static void validity(void **state)
{
    static const struct {
        const char *with;
        int64_t seconds;
    } rows[] = {
        { "\"certificateValidityPeriodValue\":1,\"certificateValidityPeriodScale\":\"days\"",
            86400 },
        { "\"certificateValidityPeriodValue\":10957,\"certificateValidityPeriodScale\":\"days\"",
            946684800 },
        { "\"certificateValidityPeriodValue\":12,\"certificateValidityPeriodScale\":\"months\"",
            31556952 },
        { "\"certificateValidityPeriodValue\":1,\"certificateValidityPeriodScale\":\"years\"",
            31556952 },
        { "\"certificateValidityPeriodValue\":30,\"certificateValidityPeriodScale\":\"years\"",
            946708560 },
        { "\"certificateValidityPeriodValue\":null,\"certificateValidityPeriodScale\":null", 0 },
    };
    static const char period[] =
        "\"certificateValidityPeriodValue\":2,\"certificateValidityPeriodScale\":\"months\"";
    static const struct bad bad[] = {
        { period, "\"certificateValidityPeriodValue\":2", ERR_PROTO,
            "certificateValidityPeriodScale: missing" },
        { period, "\"certificateValidityPeriodScale\":\"days\"", ERR_PROTO,
            "certificateValidityPeriodValue: missing" },
        { period,
            "\"certificateValidityPeriodValue\":0,\"certificateValidityPeriodScale\":\"days\"",
            ERR_PROTO, "certificateValidityPeriodValue: 0" },
        { period,
            "\"certificateValidityPeriodValue\":-1,\"certificateValidityPeriodScale\":\"days\"",
            ERR_PROTO, "certificateValidityPeriodValue: -1" },
        { period,
            "\"certificateValidityPeriodValue\":10958,\"certificateValidityPeriodScale\":\"days\"",
            ERR_INPUT, "10958 days, at most 10957" },
        { period,
            "\"certificateValidityPeriodValue\":31,\"certificateValidityPeriodScale\":\"years\"",
            ERR_INPUT, "31 years, at most 30" },
        { period,
            "\"certificateValidityPeriodValue\":\"2\",\"certificateValidityPeriodScale\":\"days\"",
            ERR_PROTO, "not an integer" },
        { period,
            "\"certificateValidityPeriodValue\":2,\"certificateValidityPeriodScale\":\"weeks\"",
            ERR_UNSUPPORTED,
            "certificateValidityPeriodScale: \"weeks\" is not supported, only days, months, "
            "years" },
    };
    struct ccp_item item;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        parse_changed(period, rows[i].with, &item);
        assert_int_equal(item.template.validity_s, rows[i].seconds);
        ccp_item_free(&item);
    }
    REFUSE_ALL(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_item),
        cmocka_unit_test(defaults),
        cmocka_unit_test(choices),
        cmocka_unit_test(more_choices),
        cmocka_unit_test(validity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
