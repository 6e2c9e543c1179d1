/* SPDX-License-Identifier: MIT */
#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

#define BACKLOG 4096

void http_address_text(const struct sockaddr *address, char *out, size_t cap)
{
	char host[INET6_ADDRSTRLEN];

	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)address;

		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		snprintf(out, cap, "%s:%u", host, ntohs(v4->sin_port));
	} else if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)address;

		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		snprintf(out, cap, "[%s]:%u", host, ntohs(v6->sin6_port));
	} else {
		snprintf(out, cap, "unix");
	}
}

bool http_address_is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)address;

		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	}
	if (address->sa_family == AF_INET6) {
		const struct in6_addr *v6 =
		    &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

		return IN6_IS_ADDR_LOOPBACK(v6) ||
		       (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
	}
	return true;
}

static enum embed_status fail_io(struct embed_error *error, const char *what, const char *address)
{
	return error_set(error, EMBED_IO, "cannot %s %s: %s", what, address, strerror(errno));
}

/* All listeners share one socket. */
static enum embed_status share(int fd, bool is_tcp, bool is_loopback,
    struct http_listener *listeners, size_t count, struct embed_error *error)
{
	for (size_t i = 0; i < count; i++) {
		int own = i == 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);

		if (own < 0)
			return fail_io(error, "duplicate", "a listening socket");
		listeners[i] =
		    (struct http_listener){HTTP_EVENT_LISTENER, own, true, is_tcp, is_loopback};
	}
	return EMBED_OK;
}

/* A file that nobody accepts on is left over from a process that died. */
static bool is_stale(const struct sockaddr_un *address)
{
	struct stat status;
	bool is_refused;
	int fd;

	if (lstat(address->sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	is_refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
		     errno == ECONNREFUSED;
	close(fd);
	return is_refused;
}

static enum embed_status open_unix(const char *path, struct http_listener *listeners, size_t count,
    char name[HTTP_ADDRESS_MAX], struct embed_error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	enum embed_status status;
	struct stat there;
	int fd;

	if (path[0] == '\0' || strlen(path) >= sizeof(address.sun_path))
		return error_set(error, EMBED_BAD_OPTION,
		    "the path of a Unix socket has 1 to %zu bytes: \"%s\"",
		    sizeof(address.sun_path) - 1, path);
	strcpy(address.sun_path, path);
	if (is_stale(&address))
		unlink(path);
	else if (lstat(path, &there) == 0 && !S_ISSOCK(there.st_mode))
		return error_set(error, EMBED_BAD_OPTION,
		    "cannot listen on %s: something else than a socket is there", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_io(error, "make a socket for", path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0) {
		status = fail_io(error, "listen on", path);
		close(fd);
		return status;
	}
	snprintf(name, HTTP_ADDRESS_MAX, "unix:%s", path);
	return share(fd, false, true, listeners, count, error);
}

static enum embed_status bad_address(struct embed_error *error, const char *address)
{
	return error_set(error, EMBED_BAD_OPTION,
	    "\"%s\" is no address to listen on: write HOST:PORT, [V6]:PORT, *:PORT or unix:PATH",
	    address);
}

/* Splits and resolves; *out is for freeaddrinfo. */
static enum embed_status resolve(
    const char *address, struct addrinfo **out, struct embed_error *error)
{
	struct addrinfo hints = {
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	const char *colon = strrchr(address, ':');
	char host[256];
	size_t len = colon ? (size_t)(colon - address) : 0;
	long port = colon ? strtol(colon + 1, NULL, 10) : -1;
	int failure;

	if (!colon || len >= sizeof(host) || colon[1] == '\0' ||
	    colon[1 + strspn(colon + 1, "0123456789")] != '\0' || port < 0 || port > 65535)
		return bad_address(error, address);
	if (len >= 2 && address[0] == '[' && address[len - 1] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)len - 2, address + 1);
	else
		snprintf(host, sizeof(host), "%.*s", (int)len, address);
	if (len == 0 || (address[0] != '[' && strchr(host, ':')))
		return bad_address(error, address);
	failure = getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, colon + 1, &hints, out);
	if (failure)
		return error_set(error, EMBED_BAD_OPTION, "cannot listen on \"%s\": %s", address,
		    gai_strerror(failure));
	return EMBED_OK;
}

/* A socket bound to `info`; its port is written back, so that the next one gets the same. */
static int bind_tcp(struct addrinfo *info)
{
	int one = 1;
	socklen_t len = info->ai_addrlen;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0 ||
	    bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, info->ai_addr, &len) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* Without SO_REUSEPORT the kernel says whether somebody listens. */
static bool is_free(const struct addrinfo *info)
{
	int one = 1, fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_taken;

	if (fd < 0)
		return true;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	is_taken = bind(fd, info->ai_addr, info->ai_addrlen) < 0 && errno == EADDRINUSE;
	close(fd);
	return !is_taken;
}

enum embed_status http_listen_check_free(const char *address, struct embed_error *error)
{
	struct addrinfo *info;
	enum embed_status status;

	if (strncmp(address, "unix:", 5) == 0)
		return EMBED_OK;
	status = resolve(address, &info, error);
	if (status != EMBED_OK)
		return status;
	if (!is_free(info)) {
		errno = EADDRINUSE;
		status = fail_io(error, "listen on", address);
	}
	freeaddrinfo(info);
	return status;
}

static enum embed_status open_tcp(const char *address, struct http_listener *listeners,
    size_t count, char name[HTTP_ADDRESS_MAX], struct embed_error *error)
{
	struct addrinfo *info;
	enum embed_status status = resolve(address, &info, error);

	if (status != EMBED_OK)
		return status;
	for (size_t i = 0; i < count && status == EMBED_OK; i++) {
		int fd = bind_tcp(info);

		if (fd < 0)
			status = fail_io(error, "listen on", address);
		else
			listeners[i] = (struct http_listener){HTTP_EVENT_LISTENER, fd, false, true,
			    http_address_is_loopback(info->ai_addr)};
	}
	if (status == EMBED_OK)
		http_address_text(info->ai_addr, name, HTTP_ADDRESS_MAX);
	freeaddrinfo(info);
	return status;
}

enum embed_status http_listen_open(const char *address, struct http_listener *listeners,
    size_t count, char name[HTTP_ADDRESS_MAX], struct embed_error *error)
{
	for (size_t i = 0; i < count; i++)
		listeners[i].fd = -1;
	if (strncmp(address, "unix:", 5) == 0)
		return open_unix(address + 5, listeners, count, name, error);
	return open_tcp(address, listeners, count, name, error);
}

enum embed_status http_listen_adopt(int fd, struct http_listener *listeners, size_t count,
    char name[HTTP_ADDRESS_MAX], struct embed_error *error)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	int listens = 0;
	socklen_t int_len = sizeof(listens);

	for (size_t i = 0; i < count; i++)
		listeners[i].fd = -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_len) < 0 || !listens ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
		close(fd);
		return error_set(
		    error, EMBED_BAD_OPTION, "descriptor %d is not a listening socket", fd);
	}
	if (address.ss_family == AF_UNIX)
		snprintf(name, HTTP_ADDRESS_MAX, "unix:%.*s",
		    (int)(len - offsetof(struct sockaddr_un, sun_path)),
		    ((struct sockaddr_un *)&address)->sun_path);
	else
		http_address_text((struct sockaddr *)&address, name, HTTP_ADDRESS_MAX);
	return share(fd, address.ss_family != AF_UNIX,
	    http_address_is_loopback((struct sockaddr *)&address), listeners, count, error);
}
