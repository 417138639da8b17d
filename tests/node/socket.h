// A socket file as a device plugin makes it.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

namespace vdcu::node {

// Listening as long as the object lives, where it is to. The file stays.
class Socket {
 public:
  Socket(const std::string& path, bool listens) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << path;
    if (listens) {
      EXPECT_EQ(listen(fd_, 1), 0);
    }
  }
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

 private:
  const int fd_;
};

}  // namespace vdcu::node
