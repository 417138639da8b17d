#include "reconcilers/placer.h"

#include <algorithm>
#include <utility>

#include "dcu/allocator.h"

namespace vdcu::reconcilers {

namespace {

Decision Given(const std::string& key, Plan plan) {
  const bool placed = !plan.writes.empty();
  return {key, std::move(plan), placed};
}

}  // namespace

void Placer::Add(const std::string& key, base::TimePoint now) {
  const auto ask = DescribeAsk(cluster_, key, now);
  if (!ask) return Remove(key);
  const auto found = requests_.find(key);
  if (found != requests_.end()) {
    if (found->second.alike == ask->alike && found->second.order == ask->order) return;
    Remove(key);
  }
  requests_[key] = {ask->order, ask->alike};
  untried_[ask->order] = key;
}

void Placer::Remove(const std::string& key) {
  const auto found = requests_.find(key);
  if (found == requests_.end()) return;
  const Request request = std::move(found->second);
  requests_.erase(found);
  untried_.erase(request.order);
  const auto waits = classes_.find(request.alike);
  if (waits == classes_.end()) return;
  auto& waiting = waits->second.waiting;
  waiting.erase(request.order);
  if (retry_.erase(request.order) != 0 && !waiting.empty()) {
    retry_[waiting.begin()->first] = request.alike;
  }
  if (waiting.empty()) classes_.erase(waits);
}

std::optional<Decision> Placer::Next(const Instant& at) {
  TakeImprovements();
  while (!retry_.empty() || !untried_.empty()) {
    const bool again =
        untried_.empty() || (!retry_.empty() && retry_.begin()->first < untried_.begin()->first);
    if (!again) return TryNew(at);
    if (auto decision = TryAgain(at)) return decision;
  }
  improved_.clear();
  return {};
}

void Placer::TakeImprovements() {
  if (cluster_.TakeReshaped()) RetryAll();
  const auto eased = cluster_.TakeEased();
  auto nodes = cluster_.TakeImproved();
  const bool improved = !nodes.empty();
  improved_.merge(nodes);
  for (auto& [alike, waits] : classes_) {
    const bool may_have_more =
        std::any_of(waits.eased_by.begin(), waits.eased_by.end(),
                    [&](const std::string& by) { return eased.contains(by); });
    waits.everywhere |= may_have_more;
    if (improved || may_have_more) retry_[waits.waiting.begin()->first] = alike;
  }
}

// As if all had just come, so that each is told anew why it waits.
void Placer::RetryAll() {
  for (const auto& [alike, waits] : classes_) {
    untried_.insert(waits.waiting.begin(), waits.waiting.end());
  }
  classes_.clear();
  retry_.clear();
}

tl::expected<Plan, Placer::Failure> Placer::Place(const std::string& key,
                                                  const std::vector<std::string>* nodes,
                                                  base::TimePoint now) const {
  const auto ask = DescribeAsk(cluster_, key, now);
  if (!ask) return Plan{};
  std::set<std::string> eased_by;
  if (ask->minds_pods) eased_by.emplace(kPodsMoved);
  const auto filter = FilterFor(cluster_, key, now);
  if (!filter) return tl::make_unexpected(Failure{filter.error().message, eased_by});
  const dcu::Answer answer =
      nodes == nullptr ? dcu::Allocate(cluster_.inventory(), ask->request, *filter)
                       : dcu::AllocateOn(cluster_.inventory(), ask->request, *nodes, *filter);
  if (const auto* refusal = std::get_if<dcu::Refusal>(&answer)) {
    return tl::make_unexpected(Failure{refusal->Message(), eased_by});
  }
  const auto& placement = std::get<dcu::Placement>(answer);
  if (auto why = cluster_.WhyOverQuota(ask->ns, ask->request.slices, placement.assignments)) {
    eased_by.insert(ask->ns);
    return tl::make_unexpected(Failure{std::move(*why), eased_by});
  }
  return Grant(cluster_, key, placement);
}

// The first of those that were never tried.
Decision Placer::TryNew(const Instant& at) {
  const std::string key = untried_.begin()->second;
  const std::string alike = requests_.at(key).alike;
  const auto waits = classes_.find(alike);
  if (waits != classes_.end() && !retry_.contains(waits->second.waiting.begin()->first)) {
    // Another that asks for the same was refused, and nothing has improved since.
    const std::string message = waits->second.message;
    Wait(key);
    return {key, Explain(cluster_, key, message, at)};
  }
  auto plan = Place(key, nullptr, at.now);
  if (plan) {
    Remove(key);
    return Given(key, std::move(*plan));
  }
  if (waits != classes_.end()) retry_.erase(waits->second.waiting.begin()->first);
  Wait(key);
  Class& failed = classes_[alike];
  failed.message = plan.error().message;
  failed.eased_by = plan.error().eased_by;
  failed.everywhere = false;
  return {key, Explain(cluster_, key, failed.message, at)};
}

// The first of the classes that have not seen the improved nodes. What it says of itself stays
// until all nodes are looked at again.
std::optional<Decision> Placer::TryAgain(const Instant& at) {
  const std::string alike = retry_.begin()->second;
  Class& waits = classes_.at(alike);
  const std::string key = waits.waiting.begin()->second;
  const std::vector<std::string> nodes(improved_.begin(), improved_.end());
  auto plan = Place(key, waits.everywhere ? nullptr : &nodes, at.now);
  if (!plan) {
    retry_.erase(retry_.begin());
    const bool everywhere = std::exchange(waits.everywhere, false);
    if (everywhere) waits.eased_by.clear();
    waits.eased_by.insert(plan.error().eased_by.begin(), plan.error().eased_by.end());
    if (!everywhere) return {};
    waits.message = plan.error().message;
    return Decision{key, Explain(cluster_, key, waits.message, at)};
  }
  Remove(key);
  return Given(key, std::move(*plan));
}

void Placer::Wait(const std::string& key) {
  const Request& request = requests_.at(key);
  untried_.erase(request.order);
  classes_[request.alike].waiting[request.order] = key;
}

}  // namespace vdcu::reconcilers
