#ifndef SANDBOX_DEVICE_H
#define SANDBOX_DEVICE_H
#include "test/sandbox/js.h"
#include "test/sandbox/sandbox.h"

/*
 * device.h - a device gets what a result carries.
 *
 * item     the request as it was handed out
 * open     false: hold the result against the CA's book only; the best verdict is then "sealed"
 * verdict  appended: "ok", "sealed", or the first failure in words
 */
void device_judge(struct sandbox *s, struct json_object *item, struct json_object *result,
    bool open, struct str *verdict);
#endif
