// Clients of an HTTP port that ask as fast as they can and read what they get, each on a thread and
// from one of 16 addresses of the loopback network. From the constructor to the destructor.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace vdcu::bench {

class Flood {
 public:
  // Each asks for `path`, many times before it reads.
  Flood(uint16_t port, std::string path, int clients);
  ~Flood();
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;

  // Bytes that were answered so far.
  uint64_t answered() const { return answered_; }

 private:
  void Ask(int client);

  const uint16_t port_;
  const std::string path_;
  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> answered_ = 0;
  std::vector<std::thread> threads_;
};

// A port of 127.0.0.1 that nobody listens on.

}  // namespace vdcu::bench
