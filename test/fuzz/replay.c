/* replay.c - main() for a fuzz target outside the fuzzer: runs it over its corpus, and over every seed
 * cut short and with single bytes changed.  Prints TAP. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static size_t inputs;

static void run(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1); /* its own allocation: a read past the end is seen */

    if (copy == NULL)
        abort();
    if (len > 0)
        memcpy(copy, data, len);
    (void)LLVMFuzzerTestOneInput(copy, len);
    free(copy);
    inputs++;
}

static void variations(uint8_t *data, size_t len)
{
    size_t step = len / 64 + 1;

    run(data, len);
    for (size_t i = 0; i < len; i += step) {
        uint8_t was = data[i];

        run(data, i);
        data[i] = (uint8_t)(was ^ 0x80);
        run(data, len);
        data[i] = 0;
        run(data, len);
        data[i] = was;
    }
}

static int file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(1 << 20);
    size_t len;

    if (f == NULL || data == NULL)
        return -1;
    len = fread(data, 1, 1 << 20, f);
    variations(data, len);
    free(data);
    return fclose(f);
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1 : argv[0];
    char dir[300], path[700];
    DIR *d;
    size_t seeds = 0;

    (void)argc;
    (void)snprintf(
        dir, sizeof dir, "test/fuzz/corpus/%s", strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name);
    if ((d = opendir(dir)) == NULL) {
        (void)printf("not ok 1 - %s: no corpus in %s\n", name, dir);
        return 1;
    }
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (file(path) != 0)
            return 1;
        seeds++;
    }
    (void)closedir(d);
    run((const uint8_t *)"", 0);
    (void)printf(
        "%s 1 - %s: %zu seeds, %zu inputs\n", seeds > 0 ? "ok" : "not ok", name, seeds, inputs);
    return seeds == 0;
}
