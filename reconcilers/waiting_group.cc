#include "reconcilers/waiting_group.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "reconcilers/pod_group.h"

namespace vdcu::reconcilers {

namespace {

struct Member {
  PodEntryPtr entry;
  std::unique_ptr<const WaitingOne> waiting;
};

// Of all that the pod asks for: whole cards, then units, then memory.
std::tuple<int, int64_t, int64_t> AmountOf(const dcu::Request& request) {
  constexpr int64_t kAll = 100;
  std::tuple<int, int64_t, int64_t> amount{};
  auto& [cards, percent, memory] = amount;
  for (const dcu::SliceRequest& slice : request.slices) {
    cards += slice.whole_card() ? 1 : 0;
    percent += slice.percent.value_or(kAll);
    memory += slice.memory ? slice.memory->value : 0;
  }
  return amount;
}

// The largest first: a small one may take any card, also the last that a large one needs. Of the
// same size by name.
bool GoesFirst(const Member& a, const Member& b) {
  const auto of_a = AmountOf(a.waiting->cards());
  const auto of_b = AmountOf(b.waiting->cards());
  return of_a != of_b ? of_a > of_b : a.entry->pod->meta.name < b.entry->pod->meta.name;
}

class WaitingGroup final : public Waiting {
 public:
  WaitingGroup(const View& view, Key key, PodGroup group, std::vector<Member> members)
      : Waiting(view, std::move(key)), group_(std::move(group)), members_(std::move(members)) {}

  // As its least important, and its last, pod.
  Order PlaceInLine() const override {
    Order order = members_.front().waiting->PlaceInLine();
    for (const Member& member : members_) {
      const Order of_one = member.waiting->PlaceInLine();
      std::get<0>(order) = std::max(std::get<0>(order), std::get<0>(of_one));
      std::get<1>(order) = std::max(std::get<1>(order), std::get<1>(of_one));
    }
    std::get<2>(order) = key_;
    return order;
  }
  std::string Alike(base::TimePoint now) const override {
    nlohmann::json text = {"group", group_.size, group_.there};
    for (const Member& member : members_) text.push_back(member.waiting->Alike(now));
    return text.dump();
  }
  int Size() const override { return static_cast<int>(members_.size()); }
  int Minding() const override {
    int minding = 0;
    for (const Member& member : members_) minding += member.waiting->Minding();
    return minding;
  }
  tl::expected<Plan, Failure> Give(Trial& trial, const std::vector<std::string>* nodes,
                                   base::TimePoint now) const override;
  Plan Explain(const std::string& message, const Instant& at) const override {
    Plan plan;
    for (const Member& member : members_) {
      Append(plan, member.waiting->Explain(group_.Tell(message), at));
    }
    return plan;
  }

 private:
  // What has been given so far, in this decision.
  struct Given {
    Plan plan;
    size_t pods = 0;
    std::vector<dcu::SliceRequest> asked;
    std::vector<dcu::Assignment> slices;
  };

  std::optional<Failure> GiveOne(const Member& member, Trial& trial, base::TimePoint now,
                                 Given& given) const;
  std::optional<Failure> WhyNoneOn(const std::vector<std::string>& nodes,
                                   base::TimePoint now) const;
  Failure Told(Failure failure, const Given& given) const;

  const PodGroup group_;
  const std::vector<Member> members_;  // not empty, those that GoFirst first
};

// What is laid over the cluster counts for those after it; of quotas it is the sum.
std::optional<Failure> WaitingGroup::GiveOne(const Member& member, Trial& trial,
                                             base::TimePoint now, Given& given) const {
  auto found = member.waiting->Find(nullptr, now);
  if (!found) return std::move(found.error());
  const dcu::Request& cards = member.waiting->cards();
  auto asked = given.asked;
  asked.insert(asked.end(), cards.slices.begin(), cards.slices.end());
  auto slices = given.slices;
  slices.insert(slices.end(), found->assignments.begin(), found->assignments.end());
  if (auto why = view_.WhyOverQuota(cards.ns, asked, slices)) {
    return Failure{std::move(*why), WaitReason::kQuota, {cards.ns}};
  }
  given.asked = std::move(asked);
  given.slices = std::move(slices);
  ++given.pods;
  trial.Lay(member.entry, found->assignments);
  Append(given.plan, member.waiting->Grant(*found));
  return {};
}

// Nodes that have room for none of them change nothing for all.
std::optional<Failure> WaitingGroup::WhyNoneOn(const std::vector<std::string>& nodes,
                                               base::TimePoint now) const {
  std::set<std::string> seen;
  std::optional<Failure> failure;
  for (const Member& member : members_) {
    if (!seen.insert(member.waiting->Alike(now)).second) continue;
    auto found = member.waiting->Find(&nodes, now);
    if (found) return {};
    failure = std::move(found.error());
  }
  return failure;
}

Failure WaitingGroup::Told(Failure failure, const Given& given) const {
  failure.message = std::to_string(group_.there + given.pods) + " of " +
                    std::to_string(group_.there + members_.size()) + " placed: " + failure.message;
  if (Minding() > 0) failure.eased_by.emplace(kPodsMoved);
  return failure;
}

// Who minds pods may need one of the group beside it that comes later: it is tried again as long as
// others are given cards.
tl::expected<Plan, Failure> WaitingGroup::Give(Trial& trial, const std::vector<std::string>* nodes,
                                               base::TimePoint now) const {
  Given given;
  if (nodes != nullptr && Minding() == 0) {
    if (auto none = WhyNoneOn(*nodes, now)) return tl::make_unexpected(Told(*none, given));
  }
  std::vector<const Member*> left;
  for (const Member& member : members_) left.push_back(&member);
  while (!left.empty()) {
    std::optional<Failure> first;
    std::vector<const Member*> again;
    for (const Member* member : left) {
      auto failure = GiveOne(*member, trial, now, given);
      if (!failure) continue;
      if (member->waiting->Minding() == 0) return tl::make_unexpected(Told(*failure, given));
      if (!first) first = std::move(failure);
      again.push_back(member);
    }
    if (again.size() == left.size()) return tl::make_unexpected(Told(*first, given));
    left = std::move(again);
  }
  return std::move(given.plan);
}

}  // namespace

std::unique_ptr<const Waiting> FindWaitingGroup(const View& view, const Key& key) {
  PodGroup group = FindPodGroup(view, key.object());
  if (group.complete() || !group.exists()) return nullptr;
  std::vector<Member> members;
  for (const GroupMember& member : group.waiting) {
    auto waiting = FindWaitingOne(view, PodKey(member.pod().meta.key()));
    if (!waiting) return nullptr;
    members.push_back({member.entry, std::move(waiting)});
  }
  if (members.empty()) return nullptr;
  std::sort(members.begin(), members.end(), GoesFirst);
  return std::make_unique<const WaitingGroup>(view, key, std::move(group), std::move(members));
}

}  // namespace vdcu::reconcilers
