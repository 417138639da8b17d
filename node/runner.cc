#include "node/runner.h"

#include <utility>

namespace vdcu::node {

namespace {

kclient::WorkPlan PlanOf(Work work) {
  kclient::WorkPlan plan;
  if (work.question) {
    auto& [resource, ns, name, on_answer] = *work.question;
    plan.read = kclient::PlannedRead{resource, ns, name,
                                     [then = std::move(on_answer)](const kclient::Answer& answer) {
                                       return PlanOf(then(answer));
                                     }};
    return plan;
  }
  plan.one_by_one = true;
  for (auto& write : work.writes) plan.writes.push_back({.write = std::move(write)});
  if (work.on_written && !plan.writes.empty()) {
    plan.writes.back().on_answer = [told = std::move(work.on_written)](
                                       const kclient::Answer& answer,
                                       kclient::Outcome /*outcome*/) {
      if (answer) told();
    };
  }
  plan.status = std::move(work.status);
  return plan;
}

}  // namespace

Runner::Runner(base::Loop& loop, kclient::Client& client, kclient::EventRecorder& events,
               Metrics& metrics, base::Random random, Process process)
    : metrics_(metrics),
      process_(std::move(process)),
      executor_({loop, client, events, *this}, kMostInFlight, std::move(random)) {}

kclient::WorkPlan Runner::Reconcile(const kclient::Key& key) {
  return PlanOf(process_(key.object()));
}

void Runner::OnWritten(const kclient::Write& /*write*/, const base::Status& status,
                       base::Duration /*took*/) {
  if (!status) metrics_.OnError(std::string(base::ToString(status.error().code)));
}

void Runner::OnFailed(const kclient::Key& /*key*/, const base::Error& error) {
  metrics_.OnError(std::string(base::ToString(error.code)));
}

}  // namespace vdcu::node
