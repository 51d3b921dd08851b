// epoll, eventfd and signalfd.

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

_Static_assert(sizeof(linux_event) == sizeof(struct epoll_event), "linux_event is epoll_event");
_Static_assert(
    offsetof(linux_event, low) == offsetof(struct epoll_event, data), "linux_event is epoll_event");
_Static_assert(EPOLLIN == 0x001 && EPOLLOUT == 0x004 && EPOLLERR == 0x008 && EPOLLHUP == 0x010
    && EPOLLRDHUP == 0x2000 && EPOLLET == 0x80000000u, "the bits of linux_event");

int linux_epoll_create(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int control(int epoll, int what, int fd, uint32_t events, uint32_t low, uint32_t high) {
    linux_event event;
    memset(&event, 0, sizeof event);
    event.events = events;
    event.low = low;
    event.high = high;
    return epoll_ctl(epoll, what, fd, (struct epoll_event *)(void *)&event) < 0 ? -errno : 0;
}

int linux_epoll_add(int epoll, int fd, uint32_t events, uint32_t low, uint32_t high) {
    return control(epoll, EPOLL_CTL_ADD, fd, events, low, high);
}

int linux_epoll_modify(int epoll, int fd, uint32_t events, uint32_t low, uint32_t high) {
    return control(epoll, EPOLL_CTL_MOD, fd, events, low, high);
}

int linux_epoll_remove(int epoll, int fd) { return control(epoll, EPOLL_CTL_DEL, fd, 0, 0, 0); }

int linux_epoll_wait(int epoll, linux_event *events, int max, int timeout_ms) {
    int count = epoll_wait(epoll, (struct epoll_event *)(void *)events, max, timeout_ms);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    return count;
}

int linux_eventfd(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int linux_eventfd_signal(int fd) {
    uint64_t one = 1;
    ssize_t written;
    do {
        written = write(fd, &one, sizeof one);
    } while (written < 0 && errno == EINTR);
    // EAGAIN: the counter is full, so the reader has been woken.
    return written < 0 && errno != EAGAIN ? -errno : 0;
}

int linux_eventfd_drain(int fd) {
    uint64_t count;
    ssize_t got;
    do {
        got = read(fd, &count, sizeof count);
    } while (got < 0 && errno == EINTR);
    return got < 0 && errno != EAGAIN ? -errno : 0;
}

void linux_ignore_sigpipe(void) {
    struct sigaction ignore;
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, NULL);
}

int linux_signalfd(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) {
        if (sigaddset(&set, signals[i]) < 0) return -errno;
    }
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error != 0) return -error;
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int linux_signalfd_read(int fd) {
    struct signalfd_siginfo info;
    ssize_t got;
    do {
        got = read(fd, &info, sizeof info);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return -errno;
    return got == sizeof info ? (int)info.ssi_signo : -EIO;
}
