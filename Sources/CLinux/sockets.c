// Sockets and addresses. Each function is one system call with its flags, or the few that belong
// together; errors come back as -errno with nothing left open.

#define _GNU_SOURCE
#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static socklen_t to_kernel(const linux_address *from, struct sockaddr_storage *to) {
    memset(to, 0, sizeof *to);
    if (from->family == 4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)to;
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)from->port);
        v4->sin_addr.s_addr = htonl((uint32_t)from->low);
        return sizeof *v4;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)from->port);
    v6->sin6_scope_id = from->scope;
    uint64_t halves[2] = {__builtin_bswap64(from->high), __builtin_bswap64(from->low)};
    if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) {
        halves[0] = from->high;
        halves[1] = from->low;
    }
    memcpy(&v6->sin6_addr, halves, 16);
    return sizeof *v6;
}

static int from_kernel(const struct sockaddr *from, linux_address *to) {
    memset(to, 0, sizeof *to);
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
        to->family = 4;
        to->port = ntohs(v4->sin_port);
        to->low = ntohl(v4->sin_addr.s_addr);
        return 0;
    }
    if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
        to->family = 6;
        to->port = ntohs(v6->sin6_port);
        to->scope = v6->sin6_scope_id;
        const uint8_t *bytes = v6->sin6_addr.s6_addr;
        for (int i = 0; i < 8; i++) {
            to->high = to->high << 8 | bytes[i];
            to->low = to->low << 8 | bytes[8 + i];
        }
        return 0;
    }
    return -EAFNOSUPPORT;
}

int linux_resolve(const char *host, uint32_t port, linux_address *out, int max) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    char service[16];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo *list = NULL;
    int code = getaddrinfo(host, service, &hints, &list);
    if (code == EAI_SYSTEM) return -errno;
    if (code != 0) return -(1000 - code);
    int count = 0;
    for (struct addrinfo *at = list; at != NULL && count < max; at = at->ai_next) {
        if (from_kernel(at->ai_addr, &out[count]) == 0) count++;
    }
    freeaddrinfo(list);
    return count;
}

const char *linux_resolve_message(int result) {
    return result <= -1000 ? gai_strerror(result + 1000) : NULL;
}

int linux_error_message(int code, char *out, size_t max) {
    const char *text = strerror_r(code, out, max);
    size_t length = strnlen(text, max);
    if (text != out) memmove(out, text, length);
    return (int)length;
}

int linux_address_text(const linux_address *address, char *out, size_t max) {
    struct sockaddr_storage storage;
    socklen_t size = to_kernel(address, &storage);
    int code = getnameinfo(
        (struct sockaddr *)&storage, size, out, (socklen_t)max, NULL, 0, NI_NUMERICHOST);
    return code == 0 ? (int)strnlen(out, max) : -EINVAL;
}

static int new_socket(const linux_address *address) {
    int family = address->family == 4 ? AF_INET : AF_INET6;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    return fd < 0 ? -errno : fd;
}

static int set_option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

static int close_with(int fd, int error) {
    close(fd);
    return error;
}

int linux_listen(const linux_address *address, int backlog, int reuse_port, linux_address *bound) {
    int fd = new_socket(address);
    if (fd < 0) return fd;
    int error = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (error == 0 && reuse_port) error = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (error == 0 && address->family == 6) error = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (error < 0) return close_with(fd, error);
    struct sockaddr_storage storage;
    socklen_t size = to_kernel(address, &storage);
    if (bind(fd, (struct sockaddr *)&storage, size) < 0) return close_with(fd, -errno);
    if (backlog > 0 && listen(fd, backlog) < 0) return close_with(fd, -errno);
    error = linux_local_address(fd, bound);
    return error < 0 ? close_with(fd, error) : fd;
}

int linux_local_address(int fd, linux_address *out) {
    struct sockaddr_storage storage;
    socklen_t size = sizeof storage;
    if (getsockname(fd, (struct sockaddr *)&storage, &size) < 0) return -errno;
    return from_kernel((struct sockaddr *)&storage, out);
}

int linux_accept(int fd, linux_address *peer) {
    struct sockaddr_storage storage;
    socklen_t size = sizeof storage;
    int accepted = accept4(fd, (struct sockaddr *)&storage, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted < 0) return -errno;
    int error = from_kernel((struct sockaddr *)&storage, peer);
    return error < 0 ? close_with(accepted, error) : accepted;
}

int linux_connect(const linux_address *address) {
    int fd = new_socket(address);
    if (fd < 0) return fd;
    struct sockaddr_storage storage;
    socklen_t size = to_kernel(address, &storage);
    // An interrupted connect goes on by itself, as a begun one does.
    if (connect(fd, (struct sockaddr *)&storage, size) < 0 && errno != EINPROGRESS
        && errno != EINTR) {
        return close_with(fd, -errno);
    }
    return fd;
}

int linux_connect_result(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return -errno;
    return -error;
}

int linux_set_no_delay(int fd) { return set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

int linux_set_keep_alive(int fd, int idle_s, int interval_s, int probes) {
    int error = set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (error == 0) error = set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle_s);
    if (error == 0) error = set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval_s);
    if (error == 0) error = set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, probes);
    return error;
}

int linux_set_user_timeout(int fd, uint32_t ms) {
    return set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)ms);
}

int linux_set_buffers(int fd, int receive_bytes, int send_bytes) {
    int error = 0;
    if (receive_bytes > 0) error = set_option(fd, SOL_SOCKET, SO_RCVBUF, receive_bytes);
    if (error == 0 && send_bytes > 0) error = set_option(fd, SOL_SOCKET, SO_SNDBUF, send_bytes);
    return error;
}

int linux_set_reset_on_close(int fd) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) < 0 ? -errno : 0;
}

int linux_shutdown_write(int fd) { return shutdown(fd, SHUT_WR) < 0 ? -errno : 0; }

int64_t linux_send(int fd, const void *bytes, size_t count) {
    ssize_t sent;
    do {
        sent = send(fd, bytes, count, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

int64_t linux_send_two(int fd, const void *a, size_t a_count, const void *b, size_t b_count) {
    struct iovec pieces[2] = {
        {.iov_base = (void *)a, .iov_len = a_count}, {.iov_base = (void *)b, .iov_len = b_count}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    ssize_t sent;
    do {
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

int64_t linux_receive(int fd, void *bytes, size_t max) {
    ssize_t got;
    do {
        got = recv(fd, bytes, max, 0);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

// Linux frees the descriptor even when close is interrupted: never again.
int linux_close(int fd) { return close(fd) < 0 ? -errno : 0; }

int linux_open_null(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}
