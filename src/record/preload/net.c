/* Reaching out of the machine or to another process: a compile that does is not a function of its files. */
#include "recorder.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

struct text_buffer {
  char bytes[160];
  size_t size;
};

static void put(struct text_buffer *out, const char *text, size_t size) {
  if (size > sizeof out->bytes - out->size) size = sizeof out->bytes - out->size;
  memcpy(out->bytes + out->size, text, size);
  out->size += size;
}

static void put_number(struct text_buffer *out, unsigned n) {
  char digits[12];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + n % 10);
    n /= 10;
  } while (n != 0);
  put(out, digits + at, sizeof digits - at);
}

static void put_inet(struct text_buffer *out, int family, const void *address, uint16_t port) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(family, address, text, sizeof text);
  put(out, "inet:", 5);
  put(out, text, strlen(text));
  put(out, ":", 1);
  put_number(out, ntohs(port));
}

static void describe(struct text_buffer *out, const struct sockaddr *address, socklen_t size) {
  if (address->sa_family == AF_INET && size >= sizeof(struct sockaddr_in)) {
    const struct sockaddr_in *inet = (const struct sockaddr_in *)address;
    put_inet(out, AF_INET, &inet->sin_addr, inet->sin_port);
  } else if (address->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
    const struct sockaddr_in6 *inet = (const struct sockaddr_in6 *)address;
    put_inet(out, AF_INET6, &inet->sin6_addr, inet->sin6_port);
  } else if (address->sa_family == AF_UNIX && size > offsetof(struct sockaddr_un, sun_path)) {
    const char *path = ((const struct sockaddr_un *)address)->sun_path;
    size_t room = size - offsetof(struct sockaddr_un, sun_path);
    put(out, "unix:", 5);
    if (path[0] == 0) { /* abstract: '@' as in /proc/net/unix */
      put(out, "@", 1);
      put(out, path + 1, room - 1);
    } else {
      put(out, path, strnlen(path, room));
    }
  } else {
    put(out, "family:", 7);
    put_number(out, address->sa_family);
  }
}

static void note_address(const struct kr_event *event, const struct sockaddr *address, socklen_t size, int result) {
  if (!address || size < sizeof address->sa_family || result == EFAULT || !kr_on()) return;
  int saved = errno;
  struct text_buffer text = {.size = 0};
  describe(&text, address, size);
  kr_note(event, result == EINPROGRESS ? 0 : result, (struct kr_text){NULL, 0, text.bytes, text.size}, KR_NO_TEXT);
  errno = saved;
}

#define CONNECT_HOOK(name)                                                            \
  int name(int fd, const struct sockaddr *address, socklen_t size);                   \
  KR_HOOK(int, name, (int fd, const struct sockaddr *address, socklen_t size)) {      \
    struct kr_event event = kr_begin(KACHE_REC_CONNECT, 0);                           \
    int rc = KR_REAL(name)(fd, address, size);                                        \
    note_address(&event, address, size, kr_result(rc));                               \
    return rc;                                                                        \
  }
CONNECT_HOOK(connect)
CONNECT_HOOK(__connect)

/* Datagrams need no connection. */
KR_HOOK(ssize_t, sendto,
        (int fd, const void *bytes, size_t count, int flags, const struct sockaddr *address, socklen_t size)) {
  struct kr_event event = kr_begin(KACHE_REC_CONNECT, 0);
  ssize_t sent = KR_REAL(sendto)(fd, bytes, count, flags, address, size);
  note_address(&event, address, size, kr_result(sent));
  return sent;
}

KR_HOOK(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags)) {
  struct kr_event event = kr_begin(KACHE_REC_CONNECT, 0);
  ssize_t sent = KR_REAL(sendmsg)(fd, message, flags);
  if (sent >= 0) note_address(&event, message->msg_name, message->msg_namelen, 0);
  return sent;
}

KR_HOOK(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags)) {
  struct kr_event event = kr_begin(KACHE_REC_CONNECT, 0);
  int sent = KR_REAL(sendmmsg)(fd, messages, count, flags);
  for (int i = 0; i < sent; ++i) {
    note_address(&event, messages[i].msg_hdr.msg_name, messages[i].msg_hdr.msg_namelen, 0);
  }
  return sent;
}

/* --- the resolver connects inside libc ------------------------------------------------------------------------------ */

static void note_name(const char *name) {
  struct kr_event event = kr_begin(KACHE_REC_CONNECT, 0);
  kr_note(&event, 0, (struct kr_text){"name:", 5, name, strlen(name)}, KR_NO_TEXT);
}

KR_HOOK(int, getaddrinfo,
        (const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)) {
  if (node && !(hints && hints->ai_flags & AI_NUMERICHOST)) note_name(node);
  return KR_REAL(getaddrinfo)(node, service, hints, found);
}

#define RESOLVE_HOOK(ret, name, params, args) \
  KR_HOOK(ret, name, params) {                \
    note_name(host);                          \
    return KR_REAL(name) args;                \
  }
RESOLVE_HOOK(struct hostent *, gethostbyname, (const char *host), (host))
RESOLVE_HOOK(struct hostent *, gethostbyname2, (const char *host, int family), (host, family))
RESOLVE_HOOK(int, gethostbyname_r,
             (const char *host, struct hostent *entry, char *buffer, size_t size, struct hostent **found, int *error),
             (host, entry, buffer, size, found, error))
RESOLVE_HOOK(int, gethostbyname2_r,
             (const char *host, int family, struct hostent *entry, char *buffer, size_t size, struct hostent **found,
              int *error),
             (host, family, entry, buffer, size, found, error))
