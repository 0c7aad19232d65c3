/* replay: feeds stored inputs to one fuzz target without libFuzzer, so that plain builds check the
 * corpus too. Usage: NAME_replay DIR|FILE...   Exit status 1 when there was no input at all. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

/* The copy is exactly as long as the input, so that a sanitizer sees the first byte read beyond it.
 */
static bool replay_file(const char *path)
{
    struct stat st;
    FILE *in = fopen(path, "rb");
    if (!in || fstat(fileno(in), &st) != 0) {
        fprintf(stderr, "replay: cannot read %s\n", path);
        return false;
    }
    size_t n_bytes = (size_t)st.st_size;
    uint8_t *bytes = malloc(n_bytes > 0 ? n_bytes : 1);
    bool whole = bytes && fread(bytes, 1, n_bytes, in) == n_bytes;
    fclose(in);
    if (whole) {
        printf("%s\n", path); /* the last line printed names the input that crashed */
        fflush(stdout);
        LLVMFuzzerTestOneInput(bytes, n_bytes);
    }
    free(bytes);
    return whole;
}

static int replay_dir(const char *path)
{
    int n_inputs = 0;
    DIR *dir = opendir(path);
    for (struct dirent *d; dir && (d = readdir(dir));) {
        char name[4096];
        if (d->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, d->d_name);
        n_inputs += replay_file(name);
    }
    if (dir)
        closedir(dir);
    return n_inputs;
}

int main(int argc, char **argv)
{
    int n_inputs = 0;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        bool is_dir = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
        n_inputs += is_dir ? replay_dir(argv[i]) : replay_file(argv[i]);
    }
    printf("%d inputs\n", n_inputs);
    return n_inputs == 0;
}
