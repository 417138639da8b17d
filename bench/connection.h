// One connection to an API server, for benchmarks: writes in bulk, and waiting for what they bring.
//
// Errors: a write that fails, or a wait that takes too long, ends the process with its reason.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/uv_loop.h"
#include "kclient/api.h"
#include "kclient/curl_transport.h"

namespace vdcu::bench {

class Connection {
 public:
  Connection(base::UvLoop& loop, const std::string& kubeconfig);

  base::UvLoop& loop() { return loop_; }
  kclient::Client& client() { return client_; }
  base::TimePoint Now() const { return loop_.clock().Now(); }

  // `on_done` gets the object as it is stored; a delete of what is gone counts as done.
  void Apply(const kclient::Write& write, std::function<void(kclient::JsonView)> on_done);
  // `job(n, done)` for each n below `count`, `at_once` at a time; `done` starts the next.
  using Job = std::function<void(size_t n, std::function<void()> done)>;
  void ForEach(size_t count, size_t at_once, const Job& job);
  void ApplyAll(size_t count, const std::function<kclient::Write(size_t)>& make);
  // Runs the loop until `done`, which is asked at every turn and every few milliseconds.
  void RunUntil(const std::string& what, const std::function<bool()>& done,
                base::Duration most = std::chrono::seconds(120));
  void RunFor(base::Duration time);
  // The body of the answer.
  std::string Request(const std::string& method, const std::string& path);

 private:
  base::UvLoop& loop_;
  kclient::CurlTransport transport_;
  kclient::Client client_;
  uint64_t next_ = 0;
  std::map<uint64_t, kclient::CallPtr> calls_;
};

}  // namespace vdcu::bench
