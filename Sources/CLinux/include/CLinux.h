// What Linux offers and Swift's Glibc module does not (epoll, eventfd, signalfd, accept4), and the
// socket calls beside it, as plain prototypes. Every function gives a value >= 0, or -errno, so that
// no caller reads errno after other code ran. Nothing here keeps state or allocates.
// _GNU_SOURCE stays in the .c files: in a header it clashes with Glibc's own module.

#ifndef AVIARY_CLINUX_H
#define AVIARY_CLINUX_H

#include <stddef.h>
#include <stdint.h>

// ---- Addresses

// family: 4 or 6. The address is in network order, as two halves (IPv4 in the low 32 bits of `low`).
typedef struct {
    uint32_t family;
    uint32_t port;
    uint32_t scope;
    uint64_t high;
    uint64_t low;
} linux_address;

// Numeric or named. Gives the count of addresses written; a failure of the resolver is
// -(1000 - code) with getaddrinfo's (negative) code, see linux_resolve_message.
int linux_resolve(const char *host, uint32_t port, linux_address *out, int max);
// The resolver's words for a result of linux_resolve, or NULL when it is a plain -errno.
const char *linux_resolve_message(int result);
// Text of errno, into `out`; gives its length.
int linux_error_message(int code, char *out, size_t max);
// Numeric text without port; gives its length.
int linux_address_text(const linux_address *address, char *out, size_t max);

// ---- Sockets, all non-blocking and close-on-exec

// SO_REUSEADDR always, SO_REUSEPORT on demand; `::` takes IPv4 too. `bound` gets the real port.
int linux_listen(const linux_address *address, int backlog, int reuse_port, linux_address *bound);
int linux_accept(int fd, linux_address *peer);
// Begins to connect; linux_connect_result tells how it ended once the socket is writable.
int linux_connect(const linux_address *address);
int linux_connect_result(int fd);
int linux_local_address(int fd, linux_address *out);
int linux_set_no_delay(int fd);
int linux_set_keep_alive(int fd, int idle_s, int interval_s, int probes);
int linux_set_user_timeout(int fd, uint32_t ms);
int linux_set_buffers(int fd, int receive_bytes, int send_bytes);
// A following close sends a reset and drops what is unsent.
int linux_set_reset_on_close(int fd);
int linux_shutdown_write(int fd);
int64_t linux_send(int fd, const void *bytes, size_t count);
// Two pieces in one call (a frame's head and body).
int64_t linux_send_two(int fd, const void *a, size_t a_count, const void *b, size_t b_count);
int64_t linux_receive(int fd, void *bytes, size_t max);
int linux_close(int fd);
int linux_open_null(void);

// ---- epoll

// The kernel's epoll_event with its 64 bits of data seen as two halves; epoll.c asserts the layout.
typedef struct {
    uint32_t events;
#if !defined(__x86_64__)
    uint32_t padding;
#endif
    uint32_t low;
    uint32_t high;
} linux_event;

int linux_epoll_create(void);
int linux_epoll_add(int epoll, int fd, uint32_t events, uint32_t low, uint32_t high);
int linux_epoll_modify(int epoll, int fd, uint32_t events, uint32_t low, uint32_t high);
int linux_epoll_remove(int epoll, int fd);
// timeout_ms as epoll_wait's. EINTR gives 0.
int linux_epoll_wait(int epoll, linux_event *events, int max, int timeout_ms);

int linux_eventfd(void);
int linux_eventfd_signal(int fd);
int linux_eventfd_drain(int fd);

// ---- Clocks and randomness

uint64_t linux_boot_ms(void);
uint64_t linux_monotonic_ns(void);
int64_t linux_wall_ms(void);
int linux_random(void *bytes, size_t count);

// ---- Signals

void linux_ignore_sigpipe(void);
// Blocks the signals in this thread (and those it starts) and gives a descriptor to read them from.
int linux_signalfd(const int *signals, int count);
// The next signal's number, or -EAGAIN.
int linux_signalfd_read(int fd);

// ---- Threads

// `run` gets `context` on a new thread with this name (at most 15 bytes) and stack.
int linux_thread_start(
    const char *name, size_t stack_bytes, void (*run)(void *), void *context, uint64_t *handle);
int linux_thread_join(uint64_t handle);

// ---- The process

// Raises the soft limit of descriptors towards `wanted`, at most to the hard one; gives the result.
int64_t linux_raise_descriptor_limit(uint64_t wanted);
int linux_lower_descriptor_limit(uint64_t soft);
int64_t linux_open_descriptors(void);

typedef struct {
    uint64_t resident_bytes;
    uint64_t cpu_user_ms;
    uint64_t cpu_system_ms;
    uint64_t threads;
} linux_usage;

int linux_process_usage(linux_usage *out);
int linux_processors(void);
// All of it, over short writes.
int linux_write_all(int fd, const void *bytes, size_t count);

// ---- Children, and the end of the process

// Starts `path` in a process group of its own, killed when this thread ends; standard output and
// error go to a pipe whose non-blocking reading end is `*output`. Gives the child's number.
int64_t linux_spawn(const char *path, char *const *arguments, int *output);
int linux_signal_child(int64_t child, int signal);
// Waits for the end: the exit code, or 0 and the signal that ended it.
int linux_await_child(int64_t child, int *signal);
int64_t linux_read(int fd, void *bytes, size_t max);
// Of this program, without a zero byte.
int64_t linux_executable_path(char *out, size_t max);
// NAME=VALUE of the variable at a position from 0 on; NULL behind the last.
const char *linux_environment_at(int64_t position);
void linux_forget_variable(const char *name);
// At once, without exit handlers.
void linux_exit_now(int code);
// Ends the process by SIGALRM unless it has ended by then.
void linux_exit_within(unsigned seconds);

#endif
