/* Target functions: conf_load: a configuration file. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "agent/conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    int fd = memfd_create("conf", MFD_CLOEXEC);
    char path[40];
    struct err e;

    if (fd < 0 || (len > 0 && write(fd, data, len) != (ssize_t)len))
        return 0;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    conf_free(conf_load(path, &e));
    (void)close(fd);
    return 0;
}
