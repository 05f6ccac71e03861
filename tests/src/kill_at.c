// Preloaded into uv: at the nth call of a function of the C library, counted over all threads, it kills uv or the process
// that has started it, or has the call fail as on a full disk.
//
// KILL_CALL: the name of the function. KILL_AT: the number of the call. KILL_WHO: `uv`, `parent` or `none`.
// KILLED: a file that is created at that moment.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int calls;

// Whether the call must fail.
static int fails(const char *name) {
    const char *wanted = getenv("KILL_CALL"), *who = getenv("KILL_WHO");
    // What uv starts inherits the variables.
    if (!wanted || strcmp(wanted, name) != 0 || strcmp(program_invocation_short_name, "uv") != 0) return 0;
    if (atomic_fetch_add(&calls, 1) + 1 != atoi(getenv("KILL_AT"))) return 0;
    close(open(getenv("KILLED"), O_CREAT | O_WRONLY, 0600));
    if (strcmp(who, "none") == 0) {
        errno = ENOSPC;
        return 1;
    }
    kill(strcmp(who, "parent") == 0 ? getppid() : getpid(), SIGKILL);
    return 0;
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

int unlink(const char *path) { REAL(unlink); return fails("unlink") ? -1 : real(path); }
int unlinkat(int fd, const char *path, int flags) { REAL(unlinkat); return fails("unlink") ? -1 : real(fd, path, flags); }
int rmdir(const char *path) { REAL(rmdir); return fails("unlink") ? -1 : real(path); }
int rename(const char *from, const char *to) { REAL(rename); return fails("rename") ? -1 : real(from, to); }
int link(const char *from, const char *to) { REAL(link); return fails("link") ? -1 : real(from, to); }
int linkat(int a, const char *from, int b, const char *to, int flags) {
    REAL(linkat);
    return fails("link") ? -1 : real(a, from, b, to, flags);
}
int mkdir(const char *path, mode_t mode) { REAL(mkdir); return fails("mkdir") ? -1 : real(path, mode); }
ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(write);
    struct stat file;
    int is_file = fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
    return is_file && fails("write") ? -1 : real(fd, bytes, count);
}
