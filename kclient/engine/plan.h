// What is to be done about a key, as the executor takes it.
//
// Deciders make theirs in words of their own (reconcilers/plan.h) and add, write by write, what
// their picture of the world has to learn of it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kclient/core/json.h"
#include "kclient/engine/key.h"
#include "kclient/engine/outcome.h"
#include "kclient/event.h"
#include "kclient/write.h"

namespace vdcu::kclient {

// What a write serves, and so what it gets a share of (executor.h).
enum class Use {
  kPlace,   // it is part of what it takes to place a request
  kKeep,    // it keeps objects true
  kReport,  // it tells people something, as why a pod waits
};

using Answer = base::Result<JsonView>;  // valid while the callback runs

struct PlannedTask {
  Write write;
  Use use = Use::kKeep;
  std::string_view refused = "WriteRefused";  // what its object gives as the reason
  Key request = {};                           // of kPlace: whose backoff it is
  // Who finds out what became of it when it has failed, beside who planned it: that one may be gone
  // by then. Of no kind: nobody else.
  Key asks = {};
  std::vector<Event> events = {};  // recorded when it has succeeded, whatever the others do
  // It is on its way; and it has ended, if it ever does. May be empty.
  std::function<void()> on_sent = {};
  std::function<void(const Answer& answer, Outcome outcome)> on_answer = {};
};

struct WorkPlan;

struct PlannedRead {
  Resource resource;
  std::string ns;
  std::string name;
  // Of an object that is there, or is not (kNotFound). What else fails is tried again.
  std::function<WorkPlan(const Answer& answer)> on_answer;
};

struct WorkPlan {
  std::optional<PlannedRead> read = {};  // what its answer leads to is all of the plan
  std::vector<PlannedTask> writes = {};  // sent together
  std::vector<Event> events = {};        // recorded when all writes have succeeded
  std::optional<base::Duration> requeue_after = {};
  base::Status status = base::Ok();  // an error: the key is tried again, after the writes
};

// The plan of this write, if there is one. `on_written` runs when it is stored.
WorkPlan PlanOf(std::optional<Write> write, std::function<void()> on_written = {});

}  // namespace vdcu::kclient
