#include "base/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

namespace vdcu::base {

namespace {

constexpr int kBacklog = 64;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress Make(const in6_addr& host, uint16_t port) {
  SocketAddress address;
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = host;
  v6.sin6_port = htons(port);
  std::memcpy(&address.storage, &v6, sizeof v6);
  address.size = sizeof v6;
  return address;
}

SocketAddress Make(const in_addr& host, uint16_t port) {
  SocketAddress address;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr = host;
  v4.sin_port = htons(port);
  std::memcpy(&address.storage, &v4, sizeof v4);
  address.size = sizeof v4;
  return address;
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<SocketAddress> ParseHost(std::string_view host, uint16_t port) {
  if (host.empty()) return Make(in6addr_any, port);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    in6_addr v6{};
    const std::string text(host.substr(1, host.size() - 2));
    if (inet_pton(AF_INET6, text.c_str(), &v6) == 1) return Make(v6, port);
    return std::nullopt;
  }
  in_addr v4{};
  if (inet_pton(AF_INET, std::string(host).c_str(), &v4) == 1) return Make(v4, port);
  return std::nullopt;
}

std::optional<SocketAddress> Parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = ParsePort(text.substr(colon + 1));
  return port ? ParseHost(text.substr(0, colon), *port) : std::nullopt;
}

// The socket, or -errno.
int Bind(const SocketAddress& address) {
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const int fd = socket(address.storage.ss_family, type, 0);
  if (fd < 0) return -errno;
  const int on = 1;
  const int off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // "All addresses" are those of IPv4 too.
  if (address.storage.ss_family == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  const auto* generic = reinterpret_cast<const sockaddr*>(&address.storage);
  if (bind(fd, generic, address.size) == 0 && listen(fd, kBacklog) == 0) return fd;
  const int code = errno;
  close(fd);
  return -code;
}

}  // namespace

Status CheckListenAddress(std::string_view text) {
  if (Parse(text)) return Ok();
  return Invalid("listen address \"" + std::string(text) +
                 "\" is not ADDR:PORT, [ADDR]:PORT or :PORT with a numeric address");
}

Result<int> ListenOn(std::string_view text) {
  RETURN_IF_ERROR(CheckListenAddress(text));
  int socket = Bind(*Parse(text));
  if (text.starts_with(':') && (socket == -EAFNOSUPPORT || socket == -EADDRNOTAVAIL)) {
    // A host without IPv6.
    socket = Bind(Make(in_addr{INADDR_ANY}, *ParsePort(text.substr(1))));
  }
  if (socket >= 0) return socket;
  return Error{ErrorCode::kUnavailable,
               "listen on \"" + std::string(text) + "\": " + std::strerror(-socket)};
}

}  // namespace vdcu::base
