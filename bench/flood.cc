#include "bench/flood.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <utility>

namespace vdcu::bench {

namespace {

constexpr int kAtOnce = 50;

sockaddr_in Address(const std::string& address, uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  inet_pton(AF_INET, address.c_str(), &result.sin_addr);
  return result;
}

bool Connect(int fd, const std::string& from, uint16_t port) {
  const sockaddr_in source = Address(from, 0);
  const sockaddr_in target = Address("127.0.0.1", port);
  const timeval limit{.tv_sec = 0, .tv_usec = 200'000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return bind(fd, reinterpret_cast<const sockaddr*>(&source), sizeof source) == 0 &&
         connect(fd, reinterpret_cast<const sockaddr*>(&target), sizeof target) == 0;
}

}  // namespace

Flood::Flood(uint16_t port, std::string path, int clients) : port_(port), path_(std::move(path)) {
  for (int i = 0; i < clients; ++i) threads_.emplace_back([this, i] { Ask(i); });
}

Flood::~Flood() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
}

void Flood::Ask(int client) {
  std::string requests;
  for (int i = 0; i < kAtOnce; ++i) requests += "GET " + path_ + " HTTP/1.1\r\nHost: x\r\n\r\n";
  std::string buffer(65536, '\0');
  while (!stop_) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool open = Connect(fd, "127.0.0." + std::to_string(10 + client % 16), port_);
    while (open && !stop_) {
      const ssize_t sent = send(fd, requests.data(), requests.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
      if (got > 0) answered_ += static_cast<uint64_t>(got);
      open = got > 0 || (got < 0 && (errno == EAGAIN || sent > 0));
    }
    close(fd);
  }
}

}  // namespace vdcu::bench
