#include "tests/integration/tunnel.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace vdcu::integration {

namespace {

constexpr int kLookMilliseconds = 50;  // whether it is over

std::string ReadBytes(int fd, size_t count) {
  std::string bytes(count, '\0');
  for (size_t at = 0; at < count;) {
    const ssize_t got = recv(fd, &bytes[at], count - at, 0);
    if (got <= 0) return "";
    at += static_cast<size_t>(got);
  }
  return bytes;
}

void Write(int fd, const std::string& bytes) {
  (void)!send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

// "CONNECT HOST:PORT HTTP/1.1" and headers.
std::string AcceptHttp(int client) {
  std::string request;
  while (request.find("\r\n\r\n") == std::string::npos) {
    const std::string byte = ReadBytes(client, 1);
    if (byte.empty()) return "";
    request += byte;
  }
  Write(client, "HTTP/1.1 200 Connection established\r\n\r\n");
  const size_t begin = request.find(' ') + 1;
  return request.substr(begin, request.find(' ', begin) - begin);
}

// RFC 1928, without authentication; an IPv4 address or a name.
std::string AcceptSocks(int client) {
  const std::string hello = ReadBytes(client, 2);
  if (hello.empty()) return "";
  ReadBytes(client, static_cast<unsigned char>(hello[1]));
  Write(client, std::string("\x05\x00", 2));
  const std::string request = ReadBytes(client, 4);
  if (request.empty()) return "";
  std::string host;
  if (request[3] == 1) {
    const std::string ip = ReadBytes(client, 4);
    std::array<char, INET_ADDRSTRLEN> text{};
    inet_ntop(AF_INET, ip.data(), text.data(), text.size());
    host = text.data();
  } else {
    host = ReadBytes(client, static_cast<unsigned char>(ReadBytes(client, 1)[0]));
  }
  const std::string port = ReadBytes(client, 2);
  Write(client, std::string("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10));
  return host + ":" +
         std::to_string(static_cast<unsigned char>(port[0]) * 256 +
                        static_cast<unsigned char>(port[1]));
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

bool Pump(int from, int to) {
  std::array<char, 16384> buffer{};
  const ssize_t size = recv(from, buffer.data(), buffer.size(), 0);
  if (size <= 0) return false;
  Write(to, std::string(buffer.data(), static_cast<size_t>(size)));
  return true;
}

}  // namespace

Tunnel::Tunnel() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_in address = Loopback(0);
  EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(socket_, 16), 0);
  accepting_ = std::thread([this] { Accept(); });
}

Tunnel::~Tunnel() {
  over_ = true;
  accepting_.join();
  for (std::thread& thread : served_) thread.join();
  close(socket_);
}

std::string Tunnel::address() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

std::string Tunnel::target() const {
  const std::lock_guard lock(mutex_);
  return target_;
}

void Tunnel::Accept() {
  while (!over_) {
    pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, kLookMilliseconds) <= 0) continue;
    const int client = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) served_.emplace_back([this, client] { Serve(client); });
  }
}

int Tunnel::Lead(int client) {
  char first = 0;
  if (recv(client, &first, 1, MSG_PEEK) != 1) return -1;
  const std::string target = first == 5 ? AcceptSocks(client) : AcceptHttp(client);
  if (target.empty()) return -1;
  {
    const std::lock_guard lock(mutex_);
    target_ = target;
  }
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(std::atoi(target.substr(target.rfind(':') + 1).c_str()));
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    ++count_;
    return fd;
  }
  close(fd);
  return -1;
}

void Tunnel::Serve(int client) {
  const int server = Lead(client);
  bool open = server >= 0;
  while (open && !over_) {
    std::array<pollfd, 2> both{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    if (poll(both.data(), both.size(), kLookMilliseconds) <= 0) continue;
    if (both[0].revents != 0) open = Pump(client, server);
    if (open && both[1].revents != 0) open = Pump(server, client);
  }
  if (server >= 0) close(server);
  close(client);
}

}  // namespace vdcu::integration
