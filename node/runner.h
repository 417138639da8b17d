// What the executor carries out for a node: what each key needs, as the process function says.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/random.h"
#include "base/result.h"
#include "kclient/api.h"
#include "kclient/engine/decider.h"
#include "kclient/engine/executor.h"
#include "kclient/event_recorder.h"
#include "kclient/write.h"
#include "node/metrics.h"

namespace vdcu::node {

// What a key needs. A question is asked alone: what its answer returns is done next. Writes go out
// one after another.
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

class Runner : private kclient::Decider {
 public:
  static constexpr size_t kMostInFlight = 8;
  using Process = std::function<Work(const std::string& key)>;

  Runner(base::Loop& loop, kclient::Client& client, kclient::EventRecorder& events,
         Metrics& metrics, base::Random random, Process process);

  // `key` is "namespace/name" of a partition, or one without a slash.
  void Add(const std::string& key) { executor_.Add(kclient::MakeKey("node", key)); }
  // Until then keys only gather.
  void Start() { executor_.Start(); }
  // Drops what is in flight.
  void Stop() { executor_.Stop(); }

  size_t in_flight() const { return executor_.in_flight(); }

 private:
  kclient::WorkPlan Reconcile(const kclient::Key& key) override;
  void OnWritten(const kclient::Write& write, const base::Status& status,
                 base::Duration took) override;
  void OnFailed(const kclient::Key& key, const base::Error& error) override;

  Metrics& metrics_;
  const Process process_;
  kclient::Executor executor_;
};

}  // namespace vdcu::node
