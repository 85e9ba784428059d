#ifndef TEST_PLUGIN_INTUNE_H
#define TEST_PLUGIN_INTUNE_H
/* plugin_intune.h - an open intune plugin, and a request whose validateRequest has been asked. */
#include "agent/plugins/intune.c"
#include "test/unit/plugin_host.h"

static const char list_one[] =
    "{\"value\":[{\"providerName\":\"PkiConnectorFEService\",\"uri\":\"https://pki.example/x\"},"
    "{\"providerName\":\"scepREQUESTvalidationfeservice\",\"uri\":\"https://fef.example/RACerts/S/"
    "\"}]}";
static const char list_two[] =
    "{\"value\":[{\"providerName\":null,\"serviceName\":\"ScepRequestValidationFEService\","
    "\"uri\":\"https://old.example/S\"},"
    "{\"providerName\":\"ScepRequestValidationFEService\",\"uri\":\"http://plain.example/S\"},"
    "{\"providerName\":\"ScepRequestValidationFEService\",\"uri\":\"https://new.example/S\"}]}";
static const char success[] = "{\"code\":\"Success\",\"errorDescription\":\"\"}";

static int begin_test(void **state)
{
    (void)state;
    host_new();
    host_set("tenant", "contoso.example");
    host_open();
    return 0;
}
static int end_test(void **state)
{
    (void)state;
    host_close();
    return 0;
}

/* To the point where validateRequest has been asked. */
static struct certferry_request asked(void)
{
    struct certferry_request r = host_request("blob");

    host_fresh();
    if (host_call(&r, NULL, NULL) == CERTFERRY_ASK && strcmp(host.v.ask.method, "GET") == 0)
        assert_int_equal(host_answer(&r, NULL, 200, list_one), CERTFERRY_ASK);
    assert_string_equal(
        host.v.ask.url, "https://fef.example/RACerts/S/ScepActions/validateRequest");
    return r;
}

/* Some tests need less than all of it. */
static inline void intune_unused(void)
{
    (void)list_two;
    (void)success;
}
#endif
