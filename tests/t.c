/* t: runs the registered tests, each in a child process, and counts.
 * Flow: main -> start_child (fork) -> child runs the body, counting into its shared `struct
 * outcome` -> main judges. Usage: unit_tests [-C ROOT] [-j N] [-l] [-t SECONDS] [PREFIX]...   A
 * prefix selects the tests whose name or file starts with it. */
#include "tests/t.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MAX_JOBS = 64,
    MAX_PRINTED_FAILS = 10, /* per test: a broken loop must not bury the first line */
    DEFAULT_LIMIT_S = 1500  /* the slowest honest test, under ASan and emulation */
};

struct outcome { /* shared with one child */
    uint64_t n_checks;
    uint64_t n_fails;
    bool skipped;
    bool finished; /* the body came back */
    char scratch_dir[64];
};

struct job {
    pid_t pid; /* 0 = free */
    struct t_case *test;
    struct outcome *outcome;
};

struct options {
    int n_jobs;
    unsigned limit_s;
    bool list_only;
    char **prefixes;
    int n_prefixes;
};

struct tally {
    int n_passed, n_failed, n_skipped;
};

static struct t_case *first_case;
static struct t_case **last_link = &first_case;
static struct outcome *mine; /* in the child: this test's */

void t_register(struct t_case *one)
{
    *last_link = one;
    last_link = &one->next;
}

/* ---- in the child: checks ---- */

static bool count(const struct t_at *at, bool held)
{
    mine->n_checks++;
    if (held)
        return true;
    mine->n_fails++;
    if (mine->n_fails <= MAX_PRINTED_FAILS)
        fprintf(stderr, "%s:%d: check failed: %s\n", at->file, at->line, at->text);
    return false;
}

static bool printing(void)
{
    return mine->n_fails <= MAX_PRINTED_FAILS;
}

bool t_check_true(const struct t_at *at, bool held)
{
    return count(at, held);
}

static const char *wide_text(__int128 value, char out[48])
{
    bool negative = value < 0;
    unsigned __int128 rest = negative ? -(unsigned __int128)value : (unsigned __int128)value;
    char *p = out + 47;
    *p = 0;
    do {
        *--p = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest > 0);
    if (negative)
        *--p = '-';
    return p;
}

bool t_check_eq(const struct t_at *at, __int128 got, __int128 want)
{
    char got_text[48], want_text[48];
    if (count(at, got == want))
        return true;
    if (printing())
        fprintf(stderr, "    got %s, want %s\n", wide_text(got, got_text),
                wide_text(want, want_text));
    return false;
}

bool t_check_str(const struct t_at *at, const char *got, const char *want)
{
    if (count(at, got && want ? strcmp(got, want) == 0 : got == want))
        return true;
    if (printing())
        fprintf(stderr, "    got  %s%s%s\n    want %s%s%s\n", got ? "\"" : "", got ? got : "NULL",
                got ? "\"" : "", want ? "\"" : "", want ? want : "NULL", want ? "\"" : "");
    return false;
}

bool t_check_near(const struct t_at *at, double got, double want, double max_diff)
{
    /* equal infinities are near; a NaN on either side never is */
    if (count(at, got == want || fabs(got - want) <= max_diff))
        return true;
    if (printing())
        fprintf(stderr, "    got %.9g, want %.9g, off by %.3g, allowed %.3g\n", got, want,
                fabs(got - want), max_diff);
    return false;
}

static void print_hex(const char *label, const uint8_t *bytes, size_t n_bytes)
{
    fprintf(stderr, "    %s", label);
    for (size_t i = 0; i < n_bytes; i++)
        fprintf(stderr, " %02x", bytes[i]);
    fprintf(stderr, "\n");
}

bool t_check_bytes(const struct t_at *at, const void *got, const void *want, size_t n_bytes)
{
    const uint8_t *g = got, *w = want;
    if (count(at, n_bytes == 0 || memcmp(g, w, n_bytes) == 0))
        return true;
    if (printing()) {
        size_t first = 0;
        while (g[first] == w[first])
            first++;
        size_t n_shown = n_bytes - first < 16 ? n_bytes - first : 16;
        fprintf(stderr, "    first difference at byte %zu of %zu\n", first, n_bytes);
        print_hex("got ", g + first, n_shown);
        print_hex("want", w + first, n_shown);
    }
    return false;
}

_Noreturn static void end_early(void)
{
    fflush(NULL);
    mine->finished = true;
    _exit(0); /* not exit(): what the test still held is no leak of the code under test */
}

void t_must_true(const struct t_at *at, bool held, const char *why)
{
    if (count(at, held))
        return;
    if (why)
        fprintf(stderr, "    %s\n", why);
    end_early();
}

void t_skip(const struct t_at *at, const char *reason)
{
    fprintf(stderr, "%s:%d: SKIP: %s\n", at->file, at->line, reason);
    mine->skipped = true;
    end_early();
}

void *t_read_file(const char *path, size_t *n_bytes)
{
    FILE *in = fopen(path, "rb");
    struct stat st;
    t_must_true(&(struct t_at){__FILE__, __LINE__, path}, in && fstat(fileno(in), &st) == 0,
                strerror(errno));
    size_t size_bytes = (size_t)st.st_size;
    char *bytes = malloc(size_bytes + 1);
    t_must_true(&(struct t_at){__FILE__, __LINE__, path},
                bytes && fread(bytes, 1, size_bytes, in) == size_bytes, "short read");
    fclose(in);
    bytes[size_bytes] = 0;
    *n_bytes = size_bytes;
    return bytes;
}

const char *t_scratch_dir(void)
{
    if (mine->scratch_dir[0])
        return mine->scratch_dir;
    char made[sizeof mine->scratch_dir] = "build/scratch/XXXXXX";
    mkdir("build", 0777);
    mkdir("build/scratch", 0777);
    t_must_true(T_AT("scratch directory"), mkdtemp(made) != NULL, strerror(errno));
    memcpy(mine->scratch_dir, made, sizeof made);
    return mine->scratch_dir;
}

struct t_path t_scratch_path(const char *name)
{
    struct t_path path;
    snprintf(path.at, sizeof path.at, "%s/%s", t_scratch_dir(), name);
    return path;
}

int t_scratch_n_entries(void)
{
    int n = 0;
    DIR *dir = opendir(t_scratch_dir());
    t_must_true(T_AT("scratch directory"), dir != NULL, strerror(errno));
    for (struct dirent *d; (d = readdir(dir));)
        n += strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
    closedir(dir);
    return n;
}

/* ---- in the parent: start, wait, judge ---- */

static bool is_selected(const struct t_case *one, const struct options *o)
{
    for (int i = 0; i < o->n_prefixes; i++)
        if (strncmp(one->name, o->prefixes[i], strlen(o->prefixes[i])) == 0 ||
            strncmp(one->file, o->prefixes[i], strlen(o->prefixes[i])) == 0)
            return true;
    return o->n_prefixes == 0;
}

static bool start_child(struct job *job, struct t_case *test, unsigned limit_s)
{
    memset(job->outcome, 0, sizeof *job->outcome);
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return false;
    if (pid == 0) {
        mine = job->outcome;
        setpgid(0, 0); /* so that what it started can be ended with it */
        alarm(limit_s);
        test->body();
        mine->finished = true;
        exit(0); /* runs the leak check of a sanitized build, which turns the status non-zero */
    }
    setpgid(pid, pid);
    job->pid = pid;
    job->test = test;
    return true;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

/* NULL = passed or skipped */
static const char *fault(const struct outcome *out, int status, char *text, size_t text_bytes)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        return "ran past its time limit";
    if (WIFSIGNALED(status)) {
        snprintf(text, text_bytes, "killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
        return text;
    }
    if (!out->finished) {
        snprintf(text, text_bytes, "exited with %d inside the test", WEXITSTATUS(status));
        return text;
    }
    if (WEXITSTATUS(status) != 0) {
        snprintf(text, text_bytes, "exit status %d: leak or sanitizer report above",
                 WEXITSTATUS(status));
        return text;
    }
    if (out->n_fails > 0) {
        snprintf(text, text_bytes, "%llu of %llu checks failed", (unsigned long long)out->n_fails,
                 (unsigned long long)out->n_checks);
        return text;
    }
    return out->skipped || out->n_checks > 0 ? NULL : "made no check";
}

static void judge(struct job *job, int status, struct tally *tally)
{
    char text[128];
    const char *why = fault(job->outcome, status, text, sizeof text);
    kill(-job->pid, SIGKILL);
    if (job->outcome->scratch_dir[0])
        nftw(job->outcome->scratch_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    if (why) {
        tally->n_failed++;
        fprintf(stderr, "FAIL %s (%s): %s\n", job->test->name, job->test->file, why);
    } else if (job->outcome->skipped) {
        tally->n_skipped++;
        fprintf(stderr, "SKIP %s (%s)\n", job->test->name, job->test->file);
    } else {
        tally->n_passed++;
    }
    job->pid = 0;
}

static bool wait_one(struct job *jobs, int n_jobs, struct tally *tally)
{
    int status;
    pid_t pid = waitpid(-1, &status, 0);
    for (int i = 0; pid > 0 && i < n_jobs; i++)
        if (jobs[i].pid == pid)
            judge(&jobs[i], status, tally);
    return pid > 0 || errno == EINTR;
}

static struct job *free_job(struct job *jobs, int n_jobs)
{
    for (int i = 0; i < n_jobs; i++)
        if (jobs[i].pid == 0)
            return &jobs[i];
    return NULL;
}

static bool run_all(const struct options *o, struct tally *tally)
{
    struct job jobs[MAX_JOBS] = {0};
    struct outcome *shared = mmap(NULL, MAX_JOBS * sizeof *shared, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return false;
    for (int i = 0; i < o->n_jobs; i++)
        jobs[i].outcome = &shared[i];
    for (struct t_case *one = first_case; one; one = one->next) {
        if (!is_selected(one, o))
            continue;
        struct job *job;
        while (!(job = free_job(jobs, o->n_jobs)))
            if (!wait_one(jobs, o->n_jobs, tally))
                return false;
        if (!start_child(job, one, o->limit_s))
            return false;
    }
    while (wait_one(jobs, o->n_jobs, tally))
        continue;
    munmap(shared, MAX_JOBS * sizeof *shared);
    return true;
}

static bool parse_options(int argc, char **argv, struct options *o)
{
    int c;
    *o = (struct options){.n_jobs = 1, .limit_s = DEFAULT_LIMIT_S};
    while ((c = getopt(argc, argv, "C:j:t:l")) != -1) {
        if (c == 'C' && chdir(optarg) != 0)
            return false;
        if (c == 'j')
            o->n_jobs = atoi(optarg);
        if (c == 't')
            o->limit_s = (unsigned)atoi(optarg);
        if (c == 'l')
            o->list_only = true;
        if (c == '?')
            return false;
    }
    o->prefixes = argv + optind;
    o->n_prefixes = argc - optind;
    return o->n_jobs >= 1 && o->n_jobs <= MAX_JOBS;
}

int main(int argc, char **argv)
{
    struct options options;
    struct tally tally = {0};
    if (!parse_options(argc, argv, &options)) {
        fprintf(stderr, "usage: %s [-C ROOT] [-j N] [-l] [-t SECONDS] [PREFIX]...\n", argv[0]);
        return 2;
    }
    if (options.list_only) {
        for (struct t_case *one = first_case; one; one = one->next)
            if (is_selected(one, &options))
                printf("%s %s\n", one->file, one->name);
        return 0;
    }
    if (!run_all(&options, &tally)) {
        fprintf(stderr, "t: cannot start or wait for a test: %s\n", strerror(errno));
        return 2;
    }
    if (tally.n_passed + tally.n_failed + tally.n_skipped == 0) {
        fprintf(stderr, "t: no test has a name or file that starts with what was asked for\n");
        return 2;
    }
    printf("%d passed, %d failed, %d skipped\n", tally.n_passed, tally.n_failed, tally.n_skipped);
    return tally.n_failed > 0;
}
