// Turns keys into requests: gives each key to the process function, asks and writes what that
// returns, and decides what a failure means. The only place that retries and logs a failure.
//
// Promises: a key is never processed twice at once; a bounded number of keys has requests in
// flight; a key's writes go out one after another and the first failure ends them; after a conflict
// or a missing object the watch brings the key back, or else it is tried again after a second; what
// else failed is tried again with backoff, or later when the server says so; a write that failed is
// not sent before, however often its key is processed meanwhile.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/random.h"
#include "base/result.h"
#include "kclient/api.h"
#include "kclient/workqueue.h"
#include "kclient/write.h"
#include "node/metrics.h"

namespace vdcu::node {

// What a key needs. A question is asked alone: what its answer returns is done next.
struct Work {
  struct Question {
    kclient::Resource resource;
    std::string ns;
    std::string name;
    std::function<Work(base::Result<kclient::JsonView> answer)> on_answer;
  };

  std::optional<Question> question = std::nullopt;
  std::vector<kclient::Write> writes = {};
  std::function<void()> on_written = nullptr;  // after the last write, if there is any
  base::Status status = base::Ok();            // an error: log it and try again, after the writes
};

class Runner {
 public:
  using Process = std::function<Work(const std::string& key)>;

  Runner(base::Loop& loop, kclient::Client& client, Metrics& metrics, base::Random random,
         Process process);

  void Add(const std::string& key) { queue_.Add(key); }
  // Until then keys only gather.
  void Start();
  // Drops what is in flight.
  void Stop();

  size_t in_flight() const { return jobs_.size(); }

 private:
  struct Job {
    Work work;
    size_t next = 0;  // of work.writes
    kclient::CallPtr call;
  };

  void Pump();
  void Advance(const std::string& key);
  bool IsHeldBack(const std::string& key, const kclient::Write& write);
  void HoldBack(const kclient::Write& write, base::Duration delay);
  void OnAnswer(const std::string& key, base::Result<kclient::JsonView> answer);
  void OnWritten(const std::string& key, const base::Result<kclient::JsonView>& answer);
  // By value: the status may be that of the job, which ends here. Returns how long a write that
  // failed is held back.
  base::Duration Finish(const std::string& key, base::Status status);
  base::Duration OnFailure(const std::string& key, const base::Error& error);

  base::Loop& loop_;
  kclient::Client& client_;
  Metrics& metrics_;
  const Process process_;
  bool started_ = false;
  std::map<std::string, Job> jobs_;                   // by key, those with a request in flight
  std::map<std::string, std::string> failing_;        // by key: its last error
  std::map<std::string, base::TimePoint> held_back_;  // writes that failed, until when
  kclient::WorkQueue queue_;
};

}  // namespace vdcu::node
