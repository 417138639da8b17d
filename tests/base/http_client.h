// A blocking HTTP client on 127.0.0.1 for the server's tests, for use outside the loop's thread,
// and what runs the loop meanwhile.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "base/uv_loop.h"

namespace vdcu::base {

class HttpClient {
 public:
  explicit HttpClient(uint16_t port, const std::string& from = "127.0.0.1")
      : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval limit{.tv_sec = 30, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    inet_pton(AF_INET, from.c_str(), &address.sin_addr);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    address.sin_port = htons(port);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~HttpClient() { close(fd_); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  int fd() const { return fd_; }

  // A server that refuses a request may close before it has read it.
  void Send(const std::string& bytes) const {
    (void)!send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // All that comes until the server closes or `end` has come; "time-out" at the end where neither
  // does.
  std::string Read(const std::string& end = "") const {
    std::string answer;
    char buffer[4096];
    while (end.empty() || answer.find(end) == std::string::npos) {
      const ssize_t size = recv(fd_, buffer, sizeof buffer, 0);
      if (size < 0 && errno == EAGAIN) return answer + "time-out";
      if (size <= 0) return answer;
      answer.append(buffer, static_cast<size_t>(size));
    }
    return answer;
  }
  std::string Exchange(const std::string& request) const {
    Send(request);
    return Read();
  }

 private:
  const int fd_;
};

// Runs the loop until `client`, on a thread of its own, has returned.
inline void RunWhile(UvLoop& loop, const std::function<void()>& client) {
  std::thread thread([&] {
    client();
    loop.Stop();
  });
  loop.Run();
  thread.join();
}

// The last of its connection: "GET /x" -> with the headers that it takes.
inline std::string LastRequest(const std::string& line, const std::string& rest = "\r\n") {
  return line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + rest;
}

}  // namespace vdcu::base
