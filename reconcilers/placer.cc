#include "reconcilers/placer.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

namespace vdcu::reconcilers {

namespace {

constexpr int kCostOfMinding = 10;

int PriorityOf(const Order& order) { return -std::get<0>(order); }
const std::string& SinceOf(const Order& order) { return std::get<1>(order); }
const Key& KeyOf(const Order& order) { return std::get<2>(order); }

}  // namespace

void Placer::Add(const Key& key, base::TimePoint now) {
  const auto request = FindWaiting(view_, key);
  if (!request) return Remove(key);
  const Order order = request->PlaceInLine();
  std::string alike = request->Alike(now);
  const auto found = requests_.find(key);
  if (found != requests_.end()) {
    if (found->second.alike == alike && found->second.order == order) return;
    Remove(key);
  }
  const int cost = request->Size() + request->Minding() * (kCostOfMinding - 1);
  requests_[key] = {order, std::move(alike), request->Size(), cost};
  untried_[order] = key;
}

void Placer::Remove(const Key& key) {
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
  const auto turn = TakeTurn();
  if (!turn) {
    improved_.clear();
    return {};
  }
  return turn->again ? TryAgain(turn->order, at) : TryNew(turn->order, at);
}

bool Placer::HadTurn(const Key& key) const {
  const auto found = spent_.find(key.ns);
  return found != spent_.end() && found->second >= kTurn;
}

// The first in order, of its priority the first whose namespace has not had its turn.
std::optional<Placer::Turn> Placer::TakeTurn() {
  auto fresh = untried_.begin();
  auto again = retry_.begin();
  std::optional<Turn> first;
  std::optional<Turn> next;
  while (!next && (fresh != untried_.end() || again != retry_.end())) {
    const bool is_again =
        fresh == untried_.end() || (again != retry_.end() && again->first < fresh->first);
    const Turn turn{is_again, is_again ? again->first : fresh->first};
    if (!first) first = turn;
    if (PriorityOf(turn.order) != PriorityOf(first->order)) break;
    if (!HadTurn(KeyOf(turn.order))) next = turn;
    is_again ? void(++again) : void(++fresh);
  }
  if (!next) {
    spent_.clear();
    next = first;
  }
  if (next) {
    const Key& key = KeyOf(next->order);
    spent_[key.ns] += requests_.at(key).cost;
  }
  return next;
}

void Placer::TakeImprovements() {
  if (changes_.TakeReshaped()) RetryAll();
  const auto eased = changes_.TakeEased();
  auto nodes = changes_.TakeImproved();
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

// The first of those that were never tried.
Decision Placer::TryNew(const Order& order, const Instant& at) {
  const Key key = untried_.at(order);
  const std::string alike = requests_.at(key).alike;
  const auto request = FindWaiting(view_, key);
  if (!request) return NoLonger(key);
  const auto waits = classes_.find(alike);
  if (waits != classes_.end() && !retry_.contains(waits->second.waiting.begin()->first)) {
    // Another that asks for the same was refused, and nothing has improved since.
    const std::string message = waits->second.message;
    Wait(key);
    return {key, request->Explain(message, at)};
  }
  Trial trial = cluster_.BeginTrial();
  auto plan = request->Give(trial, nullptr, at.now);
  if (plan) return Given(*request, std::move(*plan));
  if (waits != classes_.end()) retry_.erase(waits->second.waiting.begin()->first);
  Wait(key);
  Class& failed = classes_[alike];
  failed.message = plan.error().message;
  failed.reason = plan.error().reason;
  failed.eased_by = plan.error().eased_by;
  failed.everywhere = false;
  return {key, request->Explain(failed.message, at)};
}

// The first of the classes that have not seen the improved nodes. What it says of itself stays
// until all nodes are looked at again.
Decision Placer::TryAgain(const Order& order, const Instant& at) {
  Class& waits = classes_.at(retry_.at(order));
  const Key key = waits.waiting.begin()->second;
  const auto request = FindWaiting(view_, key);
  if (!request) return NoLonger(key);
  const std::vector<std::string> nodes(improved_.begin(), improved_.end());
  Trial trial = cluster_.BeginTrial();
  auto plan = request->Give(trial, waits.everywhere ? nullptr : &nodes, at.now);
  if (plan) return Given(*request, std::move(*plan));
  retry_.erase(order);
  const bool everywhere = std::exchange(waits.everywhere, false);
  if (everywhere) waits.eased_by.clear();
  waits.eased_by.insert(plan.error().eased_by.begin(), plan.error().eased_by.end());
  if (!everywhere) return {key, {}};
  waits.message = plan.error().message;
  waits.reason = plan.error().reason;
  return {key, request->Explain(waits.message, at)};
}

void Placer::CountWaiting(WaitCounts& counts) const {
  const auto count = [&](WaitReason reason, const Order& order, const Key& key) {
    const auto size = static_cast<size_t>(requests_.at(key).size);
    Count(counts, {reason, SinceOf(order), size});
  };
  for (const auto& [order, key] : untried_) count(WaitReason::kNew, order, key);
  for (const auto& [alike, waits] : classes_) {
    for (const auto& [order, key] : waits.waiting) count(waits.reason, order, key);
  }
}

Decision Placer::Given(const Waiting& request, Plan plan) {
  Remove(request.key());
  const int placed = plan.writes.empty() ? 0 : request.Size();
  return {request.key(), std::move(plan), placed};
}

// It has stopped to wait, and its key is to be reconciled yet.
Decision Placer::NoLonger(const Key& key) {
  Remove(key);
  return {key, {}};
}

void Placer::Wait(const Key& key) {
  const Request& request = requests_.at(key);
  untried_.erase(request.order);
  classes_[request.alike].waiting[request.order] = key;
}

}  // namespace vdcu::reconcilers
