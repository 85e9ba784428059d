/* What SCEP clients write into URLs. */
#include "test/t.h"
#include "certs/mem.h"
#include "proto/scep_query.h"

static void operations(void **state)
{
    static const struct {
        const char *query;
        enum scep_operation operation;
        const char *message; /* NULL: none */
    } rows[] = {
        { "", SCEP_OP_NONE, NULL },
        { "?", SCEP_OP_NONE, NULL },
        { "x=y", SCEP_OP_NONE, NULL },
        { "operation=GetCACaps", SCEP_GET_CA_CAPS, NULL },
        { "operation=GetCACaps&message=default", SCEP_GET_CA_CAPS, "default" },
        { "OPERATION=getcacert&MESSAGE=0", SCEP_GET_CA_CERT, "0" },
        { "?operation=GetCACert", SCEP_GET_CA_CERT, NULL },
        { "x&&operation=GetNextCACert&", SCEP_GET_NEXT_CA_CERT, NULL },
        { "operation=PKIOperation&message=MII=", SCEP_PKI_OPERATION, "MII=" },
        { "message=a+b/c==&operation=PKIOperation", SCEP_PKI_OPERATION, "a+b/c==" },
        { "operation=PKIOperation&message=", SCEP_PKI_OPERATION, "" },
        { "operation=PKIOperation&message", SCEP_PKI_OPERATION, "" },
        { "operation=", SCEP_OP_UNKNOWN, NULL },
        { "operation", SCEP_OP_UNKNOWN, NULL },
        { "operation=GetCACaps2", SCEP_OP_UNKNOWN, NULL },
        { "operation=GetCACap", SCEP_OP_UNKNOWN, NULL },
        { "operation=GetCACaps&operation=GetCACaps", SCEP_OP_UNKNOWN, NULL },
        { "operation=GetCACaps&Operation=PKIOperation", SCEP_OP_UNKNOWN, NULL },
        { "operation=PKIOperation&message=a&message=b", SCEP_OP_UNKNOWN, "b" },
        { "message=a&message=b&operation=PKIOperation", SCEP_OP_UNKNOWN, "b" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scep_query q;

        scep_query_parse(view_text(rows[i].query), &q);
        if (q.operation != rows[i].operation || q.has_message != (rows[i].message != NULL)
            || !view_equal(q.message, view_text(rows[i].message)))
            fail_msg("\"%s\": %d", rows[i].query, q.operation);
    }
}

static void messages(void **state)
{
    static const uint8_t want[] = { 0xfb, 0xff, 0xbe, 0x00, 0xfe };
    static const char *const good[] = {
        "%2B%2F%2B%2BAP4%3D",      /* certmonger */
        "%2B/%2B%2BAP4=",          /* sscep, strongSwan */
        "+/++AP4=",                /* jscep, Apple */
        " / %20AP4=",              /* a '+' that somebody decoded */
        "-_--AP4%3D",              /* scepclient */
        "-_--AP4",                 /* without its padding */
        "%2b/%2B%0A%2bAP4%3d%0A",  /* Cisco: lines */
        "+/++%0D%0AAP%094=%0d%0a", /* every kind of line end */
        "+/++AP4=\n",
    };
    static const char *const bad[] = { "", "%0A", "=", "====", "AP4===", "AP=4", "AP4%", "AP4%3",
        "AP4%zz", "AP4%00", "AP4*", "A", "AP4\xc3", "%2541", "AP5" };
    struct buf out = BUF_INIT(100);
    struct err e = { 0 };

    (void)state;
    buf_add_byte(&out, 'x');
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        T_OK(scep_query_message(view_text(good[i]), &out, &e));
        if (out.len != 6 || memcmp(out.p + 1, want, sizeof want) != 0)
            fail_msg("\"%s\"", good[i]);
        buf_truncate(&out, 1);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        T_ERR(scep_query_message(view_text(bad[i]), &out, &e), ERR_PROTO);
        assert_int_equal(out.len, 1);
    }
    buf_free(&out);
}

static void too_large(void **state)
{
    struct buf out = BUF_INIT(4), raw = BUF_INIT(100000), all = BUF_INIT(100000);
    struct err e = { 0 };

    (void)state;
    T_ERR(scep_query_message(view_text("AAAAAAAA"), &out, &e), ERR_TOO_LARGE);
    buf_free(&out);
    for (size_t i = 0; i < 65536; i++)
        buf_add_byte(&raw, 'A');
    T_OK(scep_query_message(buf_view(&raw), &all, &e));
    assert_int_equal(all.len, 49152);
    buf_free(&raw);
    buf_free(&all);
}

static void no_memory(void **state)
{
    unsigned long n = 0, needed;

    (void)state;
    do {
        struct buf out = BUF_INIT(1000);
        struct err e = { 0 };
        int rc;

        mem_fail_after(++n);
        rc = scep_query_message(view_text("+/++AP4"), &out, &e);
        needed = mem_count();
        mem_fail_after(0);
        assert_int_equal(rc, n <= needed ? -1 : 0);
        if (rc != 0)
            assert_int_equal(e.cls, ERR_NOMEM);
        buf_free(&out);
    } while (n <= needed);
    assert_true(n > 2);
}

static void paths(void **state)
{
    static const struct {
        const char *path, *configured;
        bool same;
    } rows[] = {
        { "/certsrv/mscep/mscep.dll", "/certsrv/mscep/mscep.dll", true },
        { "/CertSrv/MSCEP/mscep.dll", "/certsrv/mscep/mscep.dll", true },
        { "/certsrv/mscep/mscep.dll", "/CertSrv/mscep/MSCEP.dll", true },
        { "/certsrv/mscep/mscep.dll/", "/certsrv/mscep/mscep.dll", true },
        { "/certsrv/mscep/mscep.dll/pkiclient.exe", "/certsrv/mscep/mscep.dll", true },
        { "/certsrv/mscep/mscep.dll/PKIClient.exe/", "/certsrv/mscep/mscep.dll", true },
        { "/certsrv/mscep/", "/certsrv/mscep/mscep.dll", true },
        { "/certsrv/mscep", "/certsrv/mscep/mscep.dll", true },
        { "/certsrv/mscep/pkiclient.exe", "/certsrv/mscep/mscep.dll", true },
        { "/cert%73rv/mscep%2Edll", "/certsrv/mscep.dll", true },
        { "/scep", "/scep/", true },
        { "/cgi-bin/pkiclient.exe", "/cgi-bin/pkiclient.exe", true },
        { "/cgi-bin/pkiclient.exe", "/cgi-bin", true },
        { "/", "/", true },
        { "/pkiclient.exe", "/", true },
        { "/cgi-bin", "/cgi-bin/pkiclient.exe", false },
        { "/certsrv", "/certsrv/mscep/mscep.dll", false },
        { "/certsrv/mscep_admin/", "/certsrv/mscep/mscep.dll", false },
        { "/certsrv/mscep.dll", "/certsrv/mscep/mscep.dll", false },
        { "/scep//", "/scep", false },
        { "//scep", "/scep", false },
        { "/scepx", "/scep", false },
        { "/sce", "/scep", false },
        { "/certsrv%2Fmscep", "/certsrv/mscep", false },
        { "/certsrv%5cmscep", "/certsrv\\mscep", false },
        { "/scep%00", "/scep", false },
        { "/scep%", "/scep", false },
        { "/scep%4", "/scep", false },
        { "/x/../scep", "/scep", false },
        { "/x/../scep", "/x/../scep", false },
        { "/x/%2e%2e/scep", "/x/../scep", false },
        { "/scep/..", "/scep/..", false },
        { "/..scep", "/..scep", true },
        { "", "/scep", false },
        { "*", "/", false },
    };
    struct buf longer = BUF_INIT(10000);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (scep_path_same(view_text(rows[i].path), rows[i].configured) != rows[i].same)
            fail_msg("\"%s\" and \"%s\"", rows[i].path, rows[i].configured);
    for (size_t i = 0; i < 5000; i++)
        buf_add_byte(&longer, 'a');
    assert_false(scep_path_same(buf_view(&longer), "/scep"));
    assert_false(scep_path_same(buf_view(&longer), buf_text(&longer)));
    buf_free(&longer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations),
        cmocka_unit_test(messages),
        cmocka_unit_test(too_large),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
