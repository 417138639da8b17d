#include "reconcilers/preemption.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "crds/pod_group.h"
#include "reconcilers/view/node_fit.h"

namespace vdcu::reconcilers {

namespace {

// A search asks so often whether the pod would fit: what it costs is bounded, also where there are
// thousands of nodes. Who minds other pods looks at all of them each time: it asks less often.
constexpr int kMostAsked = 100;
constexpr size_t kPodsLikeOneAsk = 500;
// And so many nodes are compared.
constexpr size_t kMostFound = 16;

struct There {
  PodEntryPtr entry;  // null: it is gone, its slices are not yet
  Occupant takes;
};

// On one node, for one that waits.
struct Occupants {
  std::vector<There> going;
  std::vector<There> lower;  // the most important first
};

// All that have slices of their own on the node, by the pod's UID.
std::map<std::string, There> FindAll(const View& view, const std::string& node) {
  std::map<std::string, There> all;
  for (const base::Symbol& key : view.PartitionsOn(node)) {
    const PartitionEntryPtr entry = view.FindPartition(key);
    const crds::VdcuPartition& object = entry->object();
    if (!object.holds() || !object.spec.pod_ref) continue;
    all[object.spec.pod_ref->uid].takes.slices.push_back(
        {key.str(), *object.spec.assignment, object.meta.ns});
  }
  if (const auto cards = view.dcu_nodes().Find(node)) {
    for (const crds::HeldSlice& held : cards->status.held) {
      if (held.pod_uid.empty()) continue;
      all[held.pod_uid].takes.slices.push_back({HeldId(node, held), held.assignment, held.ns});
    }
  }
  for (auto& [uid, there] : all) {
    there.entry = view.FindPodByUid(uid);
    there.takes.node = node;
    if (there.entry && there.entry->charged == node) there.takes.pod = there.entry->pod;
  }
  return all;
}

bool IsOfGroup(const kclient::Pod& pod) {
  const auto group = crds::ParsePodGroup(pod.meta);
  return group && *group && (*group)->size > 1;
}

bool IsMoreImportant(const There& a, const There& b) {
  const auto order = [](const There& there) {
    const kclient::Pod& pod = *there.entry->pod;
    return std::tuple<int, const std::string&, const std::string&>(
        -pod.priority, pod.meta.creation_timestamp, pod.meta.uid);
  };
  return order(a) < order(b);
}

// What a node costs: less is better.
std::tuple<int, int64_t, size_t> CostOf(const Preemption& found) {
  if (found.victims.empty()) return {std::numeric_limits<int>::min(), 0, 0};
  int64_t sum = 0;
  for (const PodEntryPtr& victim : found.victims) {
    sum += int64_t{victim->pod->priority} - std::numeric_limits<int32_t>::min();
  }
  return {found.victims.front()->pod->priority, sum, found.victims.size()};
}

// Of the most important victims the oldest.
const std::string& SinceOf(const Preemption& found) {
  return found.victims.front()->pod->meta.creation_timestamp;
}

bool IsBetter(const Preemption& a, const Preemption& b) {
  const auto of_a = CostOf(a);
  const auto of_b = CostOf(b);
  if (of_a != of_b || a.victims.empty()) return of_a < of_b;
  return SinceOf(a) > SinceOf(b);
}

class Search {
 public:
  Search(const View& view, Trial& trial, const WaitingOne& request, base::TimePoint now)
      : view_(view),
        trial_(trial),
        request_(request),
        pod_(view.FindPod(request.key().object())),
        now_(now),
        price_(request.Minding() == 0 ? 1
                                      : 1 + static_cast<int>(view.pod_count() / kPodsLikeOneAsk)) {}

  bool spent() const { return asked_ >= kMostAsked; }
  std::optional<base::TimePoint> spared_until() const { return spared_until_; }

  std::optional<Preemption> Look(const std::string& node);
  std::vector<dcu::Assignment> WithoutGoing(const std::string& node);

 private:
  bool MayGo(const std::string& node) const;
  Occupants Sort(const std::string& node);
  std::optional<Preemption> Try(const std::string& node, const Occupants& there);
  void HideAll(const std::vector<There>& all);
  std::vector<dcu::Assignment> Ask(const std::string& node);
  Preemption Reprieve(const std::vector<There>& lower, std::vector<dcu::Assignment> room);

  const View& view_;
  Trial& trial_;
  const WaitingOne& request_;
  const PodEntryPtr pod_;
  const base::TimePoint now_;
  const int price_;
  int asked_ = 0;
  std::optional<base::TimePoint> spared_until_;
};

// Whatever goes there.
bool Search::MayGo(const std::string& node) const {
  const NodeLoad* load = view_.ledger().Find(node);
  return load != nullptr && !WhyKeptOut(*load, *pod_->pod);
}

Occupants Search::Sort(const std::string& node) {
  Occupants sorted;
  for (auto& [uid, there] : FindAll(view_, node)) {
    const kclient::Pod* pod = there.entry ? there.entry->pod.get() : nullptr;
    const bool gone = pod == nullptr || pod->terminal();
    if (!gone && pod->priority >= pod_->pod->priority) continue;
    if (gone || pod->meta.deleting() || view_.evictions().IsAsked(uid)) {
      sorted.going.push_back(std::move(there));
      continue;
    }
    if (!pod->bound() || pod->mirror || IsOfGroup(*pod)) continue;
    if (const auto until = view_.evictions().SparedUntil(uid, now_)) {
      spared_until_ = std::min(spared_until_.value_or(*until), *until);
      continue;
    }
    sorted.lower.push_back(std::move(there));
  }
  std::sort(sorted.lower.begin(), sorted.lower.end(), IsMoreImportant);
  return sorted;
}

// What it gets there as things are; empty: nothing.
std::vector<dcu::Assignment> Search::Ask(const std::string& node) {
  asked_ += price_;
  const std::vector<std::string> only{node};
  auto found = request_.Find(&only, now_);
  if (!found) return {};
  if (view_.WhyOverQuota(request_.ns(), request_.cards().slices, found->assignments)) return {};
  return std::move(found->assignments);
}

// All of them are away, and it fits: who comes back and leaves it its room stays.
Preemption Search::Reprieve(const std::vector<There>& lower, std::vector<dcu::Assignment> room) {
  const std::string node = room.front().node;
  Preemption found{{}, std::move(room)};
  for (const There& there : lower) {
    trial_.Unhide(there.takes);
    auto beside = Ask(node);
    if (!beside.empty()) {
      found.room = std::move(beside);
      continue;
    }
    trial_.Hide(there.takes);
    found.victims.push_back(there.entry);
  }
  return found;
}

std::optional<Preemption> Search::Look(const std::string& node) {
  if (!MayGo(node)) return {};
  const Occupants there = Sort(node);
  auto found = Try(node, there);
  trial_.UnhideAll();
  return found;
}

std::optional<Preemption> Search::Try(const std::string& node, const Occupants& there) {
  HideAll(there.going);
  if (!there.going.empty()) {
    auto room = Ask(node);
    if (!room.empty()) return Preemption{{}, std::move(room)};
  }
  if (there.lower.empty()) return {};
  HideAll(there.lower);
  auto room = Ask(node);
  if (room.empty()) return {};
  return Reprieve(there.lower, std::move(room));
}

std::vector<dcu::Assignment> Search::WithoutGoing(const std::string& node) {
  if (!MayGo(node)) return {};
  const Occupants there = Sort(node);
  HideAll(there.going);
  auto room = Ask(node);
  trial_.UnhideAll();
  return room;
}

void Search::HideAll(const std::vector<There>& all) {
  for (const There& there : all) trial_.Hide(there.takes);
}

}  // namespace

PreemptionSearch FindPreemption(const View& view, Trial& trial, const WaitingOne& request,
                                const std::vector<base::Symbol>& nodes, size_t first,
                                base::TimePoint now) {
  Search search(view, trial, request, now);
  PreemptionSearch result;
  size_t found = 0;
  size_t next = first;
  for (; next < nodes.size() && !search.spent() && found < kMostFound; ++next) {
    auto here = search.Look(nodes[next].str());
    if (!here) continue;
    ++found;
    const bool waits_only = here->victims.empty();
    if (!result.found || IsBetter(*here, *result.found)) result.found = std::move(here);
    if (waits_only) break;
  }
  result.looked = next - std::min(first, next);
  result.spared_until = search.spared_until();
  return result;
}

std::vector<dcu::Assignment> RoomOfGoing(const View& view, Trial& trial, const WaitingOne& request,
                                         const std::string& node, base::TimePoint now) {
  return Search(view, trial, request, now).WithoutGoing(node);
}

}  // namespace vdcu::reconcilers
