/* JSON in: what is taken can be printed, and what was printed is taken again and prints the same. */
#include "proto/json.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once = BUF_INIT(16 << 20), twice = BUF_INIT(16 << 20);
    struct err e;
    struct json *root = json_parse(view_of(data, size), 1 << 20, &e), *again = NULL;

    if (root != NULL) {
        json_print(root, &once);
        again = json_parse(buf_view(&once), 16 << 20, &e);
        if (again == NULL)
            abort();
        json_print(again, &twice);
        if (!view_equal(buf_view(&once), buf_view(&twice)))
            abort();
    }
    json_free(root);
    json_free(again);
    buf_free(&once);
    buf_free(&twice);
    return 0;
}
