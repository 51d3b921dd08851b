// Child processes, the end of this one, and what it was started with.

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Runs in the child between fork and exec: only calls that are safe there.
static void become(const char *path, char *const *arguments, int output, pid_t parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // It died before the line above.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    int null = open("/dev/null", O_RDONLY);
    if (null >= 0) dup2(null, 0);
    dup2(output, 1);
    dup2(output, 2);
    execv(path, arguments);
    _exit(127);
}

int64_t linux_spawn(const char *path, char *const *arguments, int *output) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
        int error = -errno;
        close(ends[0]);
        close(ends[1]);
        return error;
    }
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) become(path, arguments, ends[1], parent);
    int error = -errno;
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return error;
    }
    *output = ends[0];
    return child;
}

int linux_signal_child(int64_t child, int signal) {
    return kill((pid_t)child, signal) < 0 ? -errno : 0;
}

int linux_await_child(int64_t child, int *signal) {
    int status;
    pid_t ended;
    do {
        ended = waitpid((pid_t)child, &status, 0);
    } while (ended < 0 && errno == EINTR);
    if (ended < 0) return -errno;
    *signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

int64_t linux_read(int fd, void *bytes, size_t max) {
    ssize_t got;
    do {
        got = read(fd, bytes, max);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

int64_t linux_executable_path(char *out, size_t max) {
    ssize_t length = readlink("/proc/self/exe", out, max);
    return length < 0 ? -errno : length;
}

const char *linux_environment_at(int64_t position) { return environ[position]; }

void linux_forget_variable(const char *name) { unsetenv(name); }

void linux_exit_now(int code) { _exit(code); }

void linux_exit_within(unsigned seconds) {
    signal(SIGALRM, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    alarm(seconds);
}
