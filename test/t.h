#ifndef TEST_T_H
#define TEST_T_H
/* t.h - what every unit test includes: cmocka and a few helpers of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "certs/err.h"

/* T_OK(call) - `call` uses `&e`, declared here, and must return 0. */
#define T_OK(call)                                                              \
    do {                                                                        \
        if ((call) != 0)                                                        \
            fail_msg("%s: %s %s (%s)", #call, err_name(e.cls), e.msg, e.where); \
    } while (0)

/* T_ERR(call, class) - `call` must return -1 with that class. */
#define T_ERR(call, class)                                                          \
    do {                                                                            \
        e = (struct err){ 0 };                                                      \
        if ((call) != -1)                                                           \
            fail_msg("%s: did not fail", #call);                                    \
        if (e.cls != (class))                                                       \
            fail_msg("%s: %s (%s), not %s", #call, err_name(e.cls), e.msg, #class); \
    } while (0)

/* T_ERR_SAYS - and its message must contain this. */
#define T_ERR_SAYS(call, class, text)                                         \
    do {                                                                      \
        T_ERR(call, class);                                                   \
        if (strstr(e.msg, (text)) == NULL)                                    \
            fail_msg("%s: \"%s\" does not say \"%s\"", #call, e.msg, (text)); \
    } while (0)
#endif
