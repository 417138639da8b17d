#include "controller/runner.h"

#include <utility>
#include <variant>
#include <vector>

#include "crds/resources.h"
#include "crds/writes.h"
#include "reconcilers/asked.h"
#include "reconcilers/pod_partitions.h"
#include "reconcilers/reconcile.h"

namespace vdcu::controller {

namespace {

using kclient::Use;
using reconcilers::AssumeBound;
using reconcilers::AssumeCreated;
using reconcilers::Assumption;

template <class T>
bool IsOf(const Assumption& assumption) {
  return std::holds_alternative<T>(assumption);
}

std::string_view VerbName(const kclient::Write& write) {
  if (write.binds()) return "bind";
  if (write.evicts()) return "evict";
  switch (write.verb) {
    case kclient::Write::Verb::kCreate:
      return "create";
    case kclient::Write::Verb::kDelete:
      return "delete";
    default:
      return "patch";
  }
}

Use UseOf(const reconcilers::PlannedWrite& planned) {
  const Assumption& assumption = planned.assumption;
  if (std::holds_alternative<reconcilers::AssumeReported>(assumption)) return Use::kReport;
  if (std::holds_alternative<reconcilers::AssumeDoubted>(assumption)) return Use::kKeep;
  if (std::holds_alternative<reconcilers::AssumeTainted>(assumption)) return Use::kKeep;
  if (std::holds_alternative<reconcilers::AssumeNudged>(assumption)) return Use::kKeep;
  if (std::holds_alternative<reconcilers::AssumeEvicted>(assumption)) return Use::kKeep;
  if (std::holds_alternative<reconcilers::AssumeNominated>(assumption)) return Use::kKeep;
  if (std::holds_alternative<reconcilers::AssumeWritten>(assumption)) {
    return planned.write.subresource == "status" ? Use::kReport : Use::kKeep;
  }
  return Use::kPlace;
}

// What a create has stored is told by its UID from another of the same name, and by its version
// from one that is still to be shown.
Assumption WithIdentity(Assumption assumption, const kclient::Answer& answer) {
  auto* created = std::get_if<reconcilers::AssumeCreated>(&assumption);
  if (created == nullptr || !answer) return assumption;
  if (const auto meta = kclient::Get(*answer, "metadata")) {
    created->partition.meta.uid = kclient::GetStringOr(*meta, "uid");
    created->partition.meta.resource_version = kclient::GetStringOr(*meta, "resourceVersion");
  }
  return assumption;
}

// An event says what the report, the binding or the eviction of its object says, once: it must not
// wait for what else is written.
void TakeEventsOf(kclient::PlannedTask& task, std::vector<kclient::Event>& events) {
  if (task.use != Use::kReport && !task.write.binds() && !task.write.evicts()) return;
  std::vector<kclient::Event> others;
  for (kclient::Event& event : events) {
    const bool own = event.regarding.ns == task.write.ns && event.regarding.name == task.write.name;
    (own ? task.events : others).push_back(std::move(event));
  }
  events = std::move(others);
}

}  // namespace

Runner::Runner(Parts parts, base::Random random)
    : parts_(std::move(parts)),
      placer_(parts_.cluster),
      latencies_(parts_.loop.clock(), parts_.metrics),
      expiry_timer_(parts_.loop.MakeTimer([this] { OnChange(); })),
      executor_({parts_.loop, parts_.client, parts_.events, *this}, kMostInFlight,
                std::move(random)) {}

reconcilers::PartitionInstant Runner::Instant() const {
  const base::Clock& clock = parts_.loop.clock();
  reconcilers::PartitionInstant at;
  at.now = clock.Now();
  at.wall_time = clock.Wall();
  at.wall = base::FormatTime(at.wall_time);
  return at;
}

std::vector<kclient::Key> Runner::TakeChanged(size_t most) {
  const base::TimePoint now = Now();
  parts_.on_change();
  if (const auto next = parts_.cluster.Expire(now)) expiry_timer_->Start(*next - now);
  return parts_.cluster.TakeDirty(most);
}

kclient::WorkPlan Runner::Reconcile(const kclient::Key& key) {
  const auto at = Instant();
  auto plan = reconcilers::Reconcile(parts_.cluster.view(), key, at);
  Note(plan, at.now);
  if (plan.commit) asked_.insert(reconcilers::TurnOf(parts_.cluster.view(), key));
  const bool untold = untold_.erase(key) != 0;
  if (plan.place) {
    if (untold) placer_.Renew(key);
    placer_.Add(key, at.now);
  } else {
    placer_.Remove(key);
  }
  NoteWait(key, plan);
  NoteSteps(key, plan);
  return WorkOf(std::move(plan));
}

void Runner::NoteWait(const kclient::Key& key, const reconcilers::Plan& plan) {
  if (plan.waits) {
    waits_.insert_or_assign(key, *plan.waits);
  } else {
    waits_.erase(key);
  }
}

// How far its pod, or the pods of its group, have come.
void Runner::NoteSteps(const kclient::Key& key, const reconcilers::Plan& plan) {
  const reconcilers::View& view = parts_.cluster.view();
  if (key.kind == reconcilers::kPod && latencies_.Knows(key)) {
    const auto pod = view.FindPod(key.object());
    if (plan.place || pod == nullptr || pod->pod->bound()) return latencies_.Forget(key);
  }
  if (key.kind == reconcilers::kPodGroup && plan.place) {
    for (const std::string& pod : view.PodsOfGroup(key.object())) {
      latencies_.Forget(reconcilers::PodKey(pod));
    }
  }
  for (const reconcilers::PlannedWrite& planned : plan.writes) {
    if (planned.write.binds()) latencies_.OnPrepared(RequestKeyOf(planned.assumption));
  }
}

void Runner::Note(const reconcilers::Plan& plan, base::TimePoint now) {
  for (const reconcilers::Note& note : plan.notes) parts_.cluster.Take(note, now);
  if (!plan.notes.empty()) OnChange();
}

// What is held for the pod is let go, and what it gets assumed, in one turn: nobody comes between.
std::optional<kclient::Decider::Placement> Runner::PlaceAsked() {
  kclient::Key key = std::get<kclient::Key>(asked_.extract(asked_.begin()).value());
  const auto at = Instant();
  if (const auto pod = parts_.cluster.view().FindPod(key.object())) {
    parts_.cluster.DropHold(pod->pod->meta.uid);
  }
  auto plan = [&] {
    reconcilers::Trial trial = parts_.cluster.BeginTrial();
    reconcilers::OutrankFor(parts_.cluster.view(), key, trial);
    return reconcilers::GrantAsked(parts_.cluster.view(), key, at);
  }();
  Note(plan, at.now);
  if (!plan.writes.empty()) parts_.metrics.CountPlacements(1);
  return Placement{std::move(key), WorkOf(std::move(plan))};
}

std::optional<kclient::Decider::Placement> Runner::Place() {
  if (!asked_.empty()) return PlaceAsked();
  const base::Clock& clock = parts_.loop.clock();
  const base::WallTime began = clock.Wall();
  auto decision = placer_.Next(Instant());
  if (!decision) return {};
  parts_.metrics.OnDecision(clock.Wall() - began);
  Note(decision->plan, Now());
  parts_.metrics.CountPlacements(decision->placed);
  return Placement{std::move(decision->key), WorkOf(std::move(decision->plan))};
}

kclient::WorkPlan Runner::WorkOf(reconcilers::Plan plan) {
  kclient::WorkPlan work;
  work.events = std::move(plan.events);
  work.requeue_after = plan.requeue_after;
  work.writes.reserve(plan.writes.size());
  for (auto& planned : plan.writes) work.writes.push_back(TaskOf(std::move(planned)));
  for (kclient::PlannedTask& task : work.writes) TakeEventsOf(task, work.events);
  return work;
}

kclient::PlannedTask Runner::TaskOf(reconcilers::PlannedWrite planned) {
  kclient::PlannedTask task;
  task.use = UseOf(planned);
  task.refused = reconcilers::RefusedReasonOf(planned.assumption);
  task.write = std::move(planned.write);
  task.asks = reconcilers::KeyOf(planned.assumption);
  if (task.use == Use::kPlace) task.request = reconcilers::RequestKeyOf(planned.assumption);
  const auto assumption = std::make_shared<const Assumption>(std::move(planned.assumption));
  task.on_sent = [this, assumption] {
    if (IsOf<AssumeCreated>(*assumption)) latencies_.OnCreate(RequestKeyOf(*assumption));
    parts_.cluster.Assume(*assumption, Now());
  };
  task.on_answer = [this, assumption](const kclient::Answer& answer, kclient::Outcome outcome) {
    if (answer && IsOf<AssumeBound>(*assumption)) latencies_.OnBound(RequestKeyOf(*assumption));
    parts_.cluster.Settle(WithIdentity(*assumption, answer), outcome, Now());
  };
  return task;
}

void Runner::OnWritten(const kclient::Write& write, const base::Status& status,
                       base::Duration took) {
  parts_.metrics.CountWrite(VerbName(write), write.resource.plural,
                            status ? "ok" : base::ToString(status.error().code), took);
  if (status && write.binds()) parts_.metrics.CountBinding();
}

void Runner::SetBack(const kclient::PlannedTask& failed, const base::Error& error,
                     const kclient::Setback& after) {
  const kclient::Setback* before = parts_.cluster.view().FindSetback(failed.request);
  // The status of a partition that may be assigned is not ours to write.
  const bool may_be_assigned =
      failed.request == failed.asks && failed.request.kind == reconcilers::kPartition &&
      kclient::OutcomeOf(failed.write, error) == kclient::Outcome::kUnknown;
  const bool news = before == nullptr || before->message != after.message;
  if (may_be_assigned && news && !after.message.empty()) OnRefused(failed, after);
  parts_.cluster.SetBack(failed.request, after, Now());
}

// Told by an event on what could not be written.
void Runner::OnRefused(const kclient::PlannedTask& task, const kclient::Setback& setback) {
  const std::string key = task.write.ns + "/" + task.write.name;
  const auto warning = kclient::EventType::kWarning;
  if (task.write.resource == kclient::kPods) {
    if (const auto pod = parts_.cluster.shown().Get<kclient::Pod>(key)) {
      parts_.events.Record(
          reconcilers::PodEvent(*pod, warning, setback.reason, "Writing", setback.message));
    }
  } else if (task.write.resource == crds::kVdcuPartitions) {
    if (const auto partition = parts_.cluster.shown().Get<crds::VdcuPartition>(key)) {
      parts_.events.Record(crds::PartitionEvent(partition->meta, warning, setback.reason, "Writing",
                                                setback.message));
    }
  }
}

void Runner::UpdateMetrics() const {
  reconcilers::WaitCounts waits;
  placer_.CountWaiting(waits);
  for (const auto& [key, wait] : waits_) Count(waits, wait);
  parts_.metrics.SetWaiting(waits, parts_.loop.clock().Wall());
  parts_.metrics.SetQueue(executor_.queue().ready() + parts_.cluster.changes().dirty_count(),
                          executor_.queue().oldest());
  parts_.metrics.SetWritesInFlight(executor_.in_flight());
  parts_.metrics.SetNodes(parts_.cluster.view().dcu_nodes().by_ready());
  parts_.metrics.SetHolds(parts_.cluster.view().holds().size());
}

}  // namespace vdcu::controller
