// A proxy on a free port of 127.0.0.1 that leads where it is asked to: HTTP CONNECT and SOCKS 5.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace vdcu::integration {

class Tunnel {
 public:
  Tunnel();
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  // "127.0.0.1:PORT"
  std::string address() const;
  // Connections that it has led somewhere.
  int count() const { return count_; }
  // Where it was asked to lead last, "HOST:PORT".
  std::string target() const;

 private:
  void Accept();
  void Serve(int client);
  // The socket to the target, or -1.
  int Lead(int client);

  const int socket_;
  std::atomic<int> count_ = 0;
  std::atomic<bool> over_ = false;
  mutable std::mutex mutex_;
  std::string target_;  // guarded by mutex_
  std::list<std::thread> served_;
  std::thread accepting_;
};

}  // namespace vdcu::integration
