#include "node/partitions.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "base/log.h"
#include "crds/keys.h"
#include "crds/resources.h"
#include "node/keys.h"

namespace vdcu::node {

namespace {

using kclient::WorkPlan;

constexpr base::Duration kAwaitLabel{5'000};
// Until the watch shows a pod that the API says is here.
constexpr base::Duration kAwaitPod{5'000};

// Whether the object still names what is held. One whose finalizer the controller has lifted in the
// place of this node does not: its units count as free, unless this node says that they are held.
bool Names(const crds::VdcuPartition& partition, const Slice& slice) {
  return partition.holds() && partition.meta.uid == slice.uid &&
         partition.spec.assignment == slice.assignment;
}

bool IsPrepared(const crds::VdcuPartition& partition) {
  const kclient::Condition* prepared =
      kclient::FindCondition(partition.status.conditions, crds::kPrepared);
  return prepared != nullptr && prepared->status == "True";
}

auto Age(const crds::VdcuPartition& partition) {
  return std::tie(partition.meta.creation_timestamp, partition.meta.name, partition.meta.ns);
}

PodState StateAsShown(const NodePod& pod) {
  if (pod.terminal()) return PodState::kGone;
  return pod.started ? PodState::kUsing : PodState::kWaiting;
}

// What the answer to GET pods/NAME says about the pod that used the slice.
PodState StateFromAnswer(const base::Result<kclient::JsonView>& answer, const std::string& uid,
                         const std::string& node) {
  if (!answer) return PodState::kGone;
  const auto pod = NodePod::FromJson(*answer);
  if (!pod || pod->meta.uid != uid || pod->terminal() || pod->node_name != node) {
    return PodState::kGone;
  }
  return PodState::kUsing;
}

}  // namespace

base::Status Partitions::Adopt() {
  ASSIGN_OR_RETURN(const std::vector<std::string> orphans, holdings_.Orphans());
  for (const auto& [key, partition] : state_.partitions.objects()) {
    const std::string& uid = partition->meta.uid;
    if (!partition->assigned() || std::find(orphans.begin(), orphans.end(), uid) == orphans.end()) {
      continue;
    }
    const auto refusal = holdings_.Hold(SliceOf(*partition, UserOf(*partition)));
    base::Log(base::Level::kWarning, "the checkpoint of a slice was lost",
              {{"partition", key}, {"now", refusal ? "refused: " + refusal->message : "held"}});
  }
  return base::Ok();
}

WorkPlan Partitions::Reconcile(const kclient::Key& key, const Asked& asked) {
  const Ptr partition = state_.partitions.Get(key.object());
  if (!partition && !asked.partition_is_gone && HoldsOf(key)) return ReadPartition(key, asked);
  // One that cannot be read names nothing: what is held of it is lost.
  if (auto plan = ReconcileLost(key, partition, asked)) return std::move(*plan);
  if (partition && partition->unread) return ReconcileUnread(*partition);
  if (!partition || !partition->assigned()) return {};
  if (partition->meta.deleting()) return ReconcileDeleted(key, partition, asked);
  return ReconcileWanted(partition);
}

std::optional<WorkPlan> Partitions::ReconcileLost(const kclient::Key& key, const Ptr& partition,
                                                  const Asked& asked) {
  std::vector<Slice> lost;
  for (const auto& [uid, slice] : holdings_.slices()) {
    const bool named = partition && Names(*partition, slice);
    if (slice.key() == key.object() && !named) lost.push_back(slice);
  }
  for (const Slice& slice : lost) {
    const PodState state = StateOf(slice.ns, slice.pod, asked);
    if (state == PodState::kGone || state == PodState::kNone) {
      if (const base::Status released = holdings_.Release(slice.uid); !released) {
        return WorkPlan{.status = released};
      }
      continue;
    }
    if (slice.lost_since.empty()) {
      if (const base::Status noted = NoteLost(slice); !noted) return WorkPlan{.status = noted};
    }
    if (state == PodState::kUnknown) return ReadPod(key, *slice.pod, asked);
  }
  return std::nullopt;
}

base::Status Partitions::NoteLost(Slice slice) {
  slice.lost_since = base::FormatTime(sources_.clock.Wall());
  return holdings_.Record(slice);
}

base::Status Partitions::NoteLost() {
  const Slices held = holdings_.slices();
  for (const auto& [uid, slice] : held) {
    const Ptr partition = state_.partitions.Get(slice.key());
    if (!slice.lost_since.empty() || (partition && Names(*partition, slice))) continue;
    const PodState state = StateOf(slice.ns, slice.pod, {});
    if (state == PodState::kNone || state == PodState::kGone) continue;
    RETURN_IF_ERROR(NoteLost(slice));
  }
  return base::Ok();
}

WorkPlan Partitions::ReconcileDeleted(const kclient::Key& key, const Ptr& partition,
                                      const Asked& asked) {
  const Slice* held = holdings_.Find(partition->meta.uid);
  const auto user = UserOf(*partition);
  const PartitionView view{.partition = *partition,
                           .held = held != nullptr,
                           .refusal = std::nullopt,
                           .pod = StateOf(partition->meta.ns, user, asked),
                           .used_by = std::nullopt};
  PartitionPlan plan = PlanPartition(view, sources_.clock.Wall());
  if (plan.ask_for_pod) return ReadPod(key, *user, asked);
  if (plan.release) {
    if (const base::Status released = holdings_.Release(partition->meta.uid); !released) {
      return WorkPlan{.status = released};
    }
  }
  return kclient::PlanOf(std::move(plan.write));
}

// Held at once. "Prepared", after which the controller binds the pod, has to wait for the kubelet.
WorkPlan Partitions::ReconcileWanted(const Ptr& partition) {
  const auto user = UserOf(*partition);
  const auto refusal = Hold(*partition, user);
  if (!refusal && partition->spec.pod_ref && !IsPrepared(*partition) && !state_.admits()) {
    return {};
  }
  const bool reserved = !partition->spec.pod_ref;
  const PartitionView view{
      .partition = *partition,
      .held = !refusal,
      .refusal = refusal,
      .device = FindDevice(holdings_.devices(), partition->spec.assignment->device),
      .pod = PodState::kNone,
      .used_by = reserved ? user : std::nullopt,
      .device_lost = user ? state_.DeviceLost(*user) : std::nullopt};
  PartitionPlan plan = PlanPartition(view, sources_.clock.Wall());
  auto on_written = [this, partition, refusal, events = std::move(plan.events)] {
    for (const kclient::Event& event : events) sources_.tell(event);
    OnStatusWritten(partition, refusal);
  };
  WorkPlan work = kclient::PlanOf(std::move(plan.write), std::move(on_written));
  if (refusal && refusal->reason == kWriteFailed) {
    work.status = base::Error{base::ErrorCode::kUnavailable, refusal->message};
  }
  return work;
}

void Partitions::OnStatusWritten(const Ptr& partition, const std::optional<Refusal>& refusal) {
  const kclient::Condition* before =
      kclient::FindCondition(partition->status.conditions, crds::kPrepared);
  if (refusal) {
    if (before == nullptr || before->reason != refusal->reason) {
      sources_.metrics.OnRefused(refusal->reason);
    }
    return;
  }
  if (IsPrepared(*partition)) return;
  const auto created = base::ParseTime(partition->meta.creation_timestamp);
  const std::chrono::duration<double> taken =
      sources_.clock.Wall() - created.value_or(sources_.clock.Wall());
  sources_.metrics.OnPrepared(taken.count());
  if (partition->spec.pod_ref) {
    sources_.stages.Reach(partition->spec.pod_ref->uid, Stage::kPrepared);
  }
  base::Log(base::Level::kInfo, "prepared",
            {{"partition", partition->meta.key()},
             {"device", partition->spec.assignment->device},
             {"units", std::to_string(partition->spec.assignment->compute_units)}});
}

bool Partitions::HoldsOf(const kclient::Key& key) const {
  return std::any_of(holdings_.slices().begin(), holdings_.slices().end(),
                     [&](const auto& held) { return held.second.key() == key.object(); });
}

// The controller puts the label right, and then the watch shows it; where it does not, nothing else
// would tell of its end.
WorkPlan Partitions::ReadPartition(const kclient::Key& key, const Asked& asked) {
  const auto on_answer = [this, key, asked](const kclient::Answer& answer) {
    if (StillNames(key, answer)) return WorkPlan{.requeue_after = kAwaitLabel};
    Asked known = asked;
    known.partition_is_gone = true;
    return Reconcile(key, known);
  };
  return WorkPlan{.read = kclient::PlannedRead{crds::kVdcuPartitions, key.ns, key.name, on_answer}};
}

bool Partitions::StillNames(const kclient::Key& key,
                            const base::Result<kclient::JsonView>& answer) const {
  if (!answer) return false;
  const auto partition = crds::VdcuPartition::FromJson(*answer);
  if (!partition) return false;
  const Slice* held = holdings_.Find(partition->meta.uid);
  return held != nullptr && held->key() == key.object() && Names(*partition, *held);
}

bool Partitions::MayGoUnseen(const Asked& asked) {
  return std::any_of(asked.pods.begin(), asked.pods.end(),
                     [](const auto& pod) { return pod.second != PodState::kGone; });
}

WorkPlan Partitions::ReadPod(const kclient::Key& key, const crds::PodRef& pod, const Asked& asked) {
  const auto on_answer = [this, key, uid = pod.uid, asked](const kclient::Answer& answer) {
    Asked known = asked;
    known.pods[uid] = StateFromAnswer(answer, uid, state_.node);
    WorkPlan plan = Reconcile(key, known);
    // One that ends between two lists is never shown, neither then nor now.
    if (MayGoUnseen(known)) plan.requeue_after = kAwaitPod;
    return plan;
  };
  return WorkPlan{.read = kclient::PlannedRead{kclient::kPods, key.ns, pod.name, on_answer}};
}

WorkPlan Partitions::ReconcileUnread(const crds::VdcuPartition& partition) {
  PartitionPlan plan = PlanUnread(partition, sources_.clock.Wall());
  return kclient::PlanOf(std::move(plan.write), [this, events = std::move(plan.events)] {
    for (const kclient::Event& event : events) sources_.tell(event);
    if (!events.empty()) sources_.metrics.OnRefused(events.front().reason);
  });
}

PodState Partitions::StateOf(const std::string& ns, const std::optional<crds::PodRef>& pod,
                             const Asked& asked) const {
  if (!pod) return PodState::kNone;
  PodState state = PodState::kUnknown;
  const auto known = state_.pods.Get(ns + "/" + pod->name);
  if (known && known->meta.uid == pod->uid) {
    state = StateAsShown(*known);
  } else if (const auto answer = asked.pods.find(pod->uid); answer != asked.pods.end()) {
    state = answer->second;
  }
  const bool idle = state == PodState::kGone || state == PodState::kWaiting;
  return idle && state_.WaitForEnd(pod->uid) ? PodState::kEnding : state;
}

// Of a partition made for a pod: that pod. Of a reserved one: who holds it now; while it is being
// deleted, also who did last, until it is known to be gone.
std::optional<crds::PodRef> Partitions::UserOf(const crds::VdcuPartition& partition) const {
  if (partition.spec.pod_ref) return partition.spec.pod_ref;
  std::vector<const NodePod*> pods;
  for (const auto& [key, pod] : state_.pods.objects()) pods.push_back(pod.get());
  auto user = PickUser(partition, pods);
  const Slice* held = holdings_.Find(partition.meta.uid);
  const auto& last = held != nullptr && held->pod ? held->pod : partition.status.used_by;
  if (partition.meta.deleting()) return user ? user : last;
  // The next one gets it after the last process of the one before.
  if (last && last != user && state_.WaitForEnd(last->uid)) return last;
  return user;
}

Slice Partitions::SliceOf(const crds::VdcuPartition& partition,
                          const std::optional<crds::PodRef>& user) {
  return {.uid = partition.meta.uid,
          .ns = partition.meta.ns,
          .name = partition.meta.name,
          .assignment = *partition.spec.assignment,
          .pod = user,
          .lost_since = ""};
}

std::optional<Refusal> Partitions::Hold(const crds::VdcuPartition& partition,
                                        const std::optional<crds::PodRef>& user) {
  const dcu::Assignment& assignment = *partition.spec.assignment;
  const Slice slice = SliceOf(partition, user);
  const Slice* held = holdings_.Find(slice.uid);
  if (held != nullptr && held->assignment != assignment) {
    return Refusal{"FormerSliceInUse", "a pod still uses the slice of card " +
                                           held->assignment.device +
                                           " that this VDCUPartition named before"};
  }
  if (held == nullptr) {
    Slices before = holdings_.slices();
    for (const crds::VdcuPartition* older : OlderWaiting(partition)) {
      const dcu::Assignment& wanted = *older->spec.assignment;
      if (Admit(before, older->meta.uid, older->meta.ns, wanted, holdings_.devices())) continue;
      before[older->meta.uid] = {older->meta.uid, older->meta.ns, older->meta.name, wanted, {}, ""};
    }
    if (auto refusal = Admit(before, slice.uid, slice.ns, assignment, holdings_.devices()))
      return refusal;
  }
  return holdings_.Hold(slice);
}

std::vector<const crds::VdcuPartition*> Partitions::OlderWaiting(
    const crds::VdcuPartition& partition) const {
  std::vector<const crds::VdcuPartition*> older;
  for (const auto& [key, other] : state_.partitions.objects()) {
    if (IsWaiting(*other, holdings_) && Age(*other) < Age(partition)) older.push_back(other.get());
  }
  std::sort(older.begin(), older.end(),
            [](const auto* a, const auto* b) { return Age(*a) < Age(*b); });
  return older;
}

}  // namespace vdcu::node
