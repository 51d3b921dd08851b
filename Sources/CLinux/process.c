// Clocks, randomness, threads, and what the kernel says of this process.

#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t linux_boot_ms(void) { return nanoseconds(CLOCK_BOOTTIME) / 1000000u; }
uint64_t linux_monotonic_ns(void) { return nanoseconds(CLOCK_MONOTONIC); }

int64_t linux_wall_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int linux_random(void *bytes, size_t count) {
    char *at = bytes;
    while (count > 0) {
        ssize_t got = getrandom(at, count, 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        at += got;
        count -= (size_t)got;
    }
    return 0;
}

typedef struct {
    char name[16];
    void (*run)(void *);
    void *context;
} thread_start;

static void *thread_body(void *argument) {
    thread_start start = *(thread_start *)argument;
    free(argument);
    pthread_setname_np(pthread_self(), start.name);
    start.run(start.context);
    return NULL;
}

int linux_thread_start(
    const char *name, size_t stack_bytes, void (*run)(void *), void *context, uint64_t *handle) {
    thread_start *start = calloc(1, sizeof *start);
    if (start == NULL) return -ENOMEM;
    strncpy(start->name, name, sizeof start->name - 1);
    start->run = run;
    start->context = context;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_t thread;
    int error = pthread_attr_setstacksize(&attributes, stack_bytes);
    if (error == 0) error = pthread_create(&thread, &attributes, thread_body, start);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        free(start);
        return -error;
    }
    *handle = (uint64_t)thread;
    return 0;
}

int linux_thread_join(uint64_t handle) { return -pthread_join((pthread_t)handle, NULL); }

int64_t linux_raise_descriptor_limit(uint64_t wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    }
    return (int64_t)limit.rlim_cur;
}

int linux_lower_descriptor_limit(uint64_t soft) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    limit.rlim_cur = soft;
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

int64_t linux_open_descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) return -errno;
    int64_t count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] != '.') count++;
    }
    closedir(directory);
    return count - 1;  // The directory's own.
}

// Any file, read whole as far as `max` goes.
static int64_t read_file(const char *path, void *bytes, size_t max) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    size_t filled = 0;
    while (filled < max) {
        ssize_t got = read(fd, (char *)bytes + filled, max - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            int error = -errno;
            close(fd);
            return error;
        }
        if (got == 0) break;
        filled += (size_t)got;
    }
    close(fd);
    return (int64_t)filled;
}

static uint64_t milliseconds(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000u + (uint64_t)time.tv_usec / 1000u;
}

int linux_process_usage(linux_usage *out) {
    memset(out, 0, sizeof *out);
    char text[4096];
    int64_t count = read_file("/proc/self/statm", text, sizeof text - 1);
    if (count < 0) return (int)count;
    text[count] = 0;
    unsigned long size = 0, resident = 0;
    if (sscanf(text, "%lu %lu", &size, &resident) != 2) return -EIO;
    out->resident_bytes = (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
    count = read_file("/proc/self/status", text, sizeof text - 1);
    if (count < 0) return (int)count;
    text[count] = 0;
    const char *threads = strstr(text, "\nThreads:");
    if (threads != NULL) out->threads = strtoull(threads + 9, NULL, 10);
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) < 0) return -errno;
    out->cpu_user_ms = milliseconds(usage.ru_utime);
    out->cpu_system_ms = milliseconds(usage.ru_stime);
    return 0;
}

int linux_processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return -errno;
    return CPU_COUNT(&set);
}

int linux_write_all(int fd, const void *bytes, size_t count) {
    const char *at = bytes;
    while (count > 0) {
        ssize_t written = write(fd, at, count);
        if (written < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        at += written;
        count -= (size_t)written;
    }
    return 0;
}
