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
    const Request& before = found->second;
    const bool due = before.again_at && now >= *before.again_at;
    if (before.alike == alike && before.order == order && !due) return;
    Renew(key);
  }
  const int cost = request->Size() + request->Minding() * (kCostOfMinding - 1);
  requests_[key] = {order, std::move(alike), request->Size(), cost};
  untried_[order] = key;
  preemptor_.Recall(key, now);
}

void Placer::Remove(const Key& key) {
  if (!requests_.contains(key)) return;
  Renew(key);
  preemptor_.Forget(key);
}

void Placer::Renew(const Key& key) {
  const auto found = requests_.find(key);
  if (found == requests_.end()) return;
  const Request request = std::move(found->second);
  requests_.erase(found);
  untried_.erase(request.order);
  Unwait(request);
}

void Placer::Unwait(const Request& request) {
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
  if (improved) TakeClaimsOn(nodes);
  improved_.merge(nodes);
  for (auto& [alike, waits] : classes_) {
    const bool may_have_more =
        std::any_of(waits.eased_by.begin(), waits.eased_by.end(),
                    [&](const std::string& by) { return eased.contains(by); });
    waits.everywhere |= may_have_more;
    if (improved || may_have_more) retry_[waits.waiting.begin()->first] = alike;
  }
  TakeOffers();
}

// Whoever waits for others to end there may have its room now. Nobody else of its class can tell.
void Placer::TakeClaimsOn(const std::set<std::string>& nodes) {
  view_.claims().ForEach([&](const std::string& /*uid*/, const Claim& claim) {
    const auto found = requests_.find(PodKey(claim.pod->meta.key()));
    if (found != requests_.end() && nodes.contains(claim.node())) TryByItself(found->first);
  });
}

void Placer::TryByItself(const Key& key) {
  Request& request = requests_.at(key);
  if (untried_.contains(request.order)) return;
  request.by_itself = true;
  Unwait(request);
  untried_[request.order] = key;
}

// For those that wait and are more important than somebody on a node.
void Placer::TakeOffers() {
  auto offered = changes_.TakeOffered();
  const auto lowest = view_.priorities().Lowest();
  if (offered.empty() || !lowest) return;
  bool any = false;
  for (const auto& [alike, waits] : classes_) {
    const Order& first = waits.waiting.begin()->first;
    if (KeyOf(first).kind != kPod || PriorityOf(first) <= *lowest) continue;
    retry_[first] = alike;
    any = true;
  }
  if (any) improved_.merge(offered);
}

// As if all had just come, so that each is told anew why it waits.
void Placer::RetryAll() {
  for (const auto& [alike, waits] : classes_) {
    untried_.insert(waits.waiting.begin(), waits.waiting.end());
  }
  classes_.clear();
  retry_.clear();
}

// The claims of less important ones do not count for it.
tl::expected<Plan, Failure> Placer::Give(const Waiting& request,
                                         const std::vector<std::string>* nodes,
                                         base::TimePoint now) {
  Trial trial = cluster_.BeginTrial();
  if (!view_.claims().empty()) {
    const Key& key = request.key();
    const PodEntryPtr pod = key.kind == kPod ? view_.FindPod(key.object()) : nullptr;
    trial.Outrank(PriorityOf(request.PlaceInLine()), pod ? pod->pod->meta.uid : "");
  }
  return request.Give(trial, nodes, now);
}

// The first of those that were never tried.
Decision Placer::TryNew(const Order& order, const Instant& at) {
  const Key key = untried_.at(order);
  const std::string alike = requests_.at(key).alike;
  const auto request = FindWaiting(view_, key);
  if (!request) return NoLonger(key);
  const auto waits = classes_.find(alike);
  const bool by_itself = std::exchange(requests_.at(key).by_itself, false);
  if (by_itself && waits != classes_.end()) return TryImproved(*request, at);
  // Another that asks for the same was refused, and nothing has improved since; nor is there room
  // that only this one may have.
  const bool known = waits != classes_.end() &&
                     !retry_.contains(waits->second.waiting.begin()->first) &&
                     (view_.claims().empty() ||
                      (PriorityOf(order) <= waits->second.tried && !preemptor_.IsNominated(key)));
  if (!known) {
    auto plan = Give(*request, nullptr, at.now);
    if (plan) return Given(*request, std::move(*plan));
    if (waits != classes_.end()) retry_.erase(waits->second.waiting.begin()->first);
    Class& failed = classes_[alike];
    failed.Fail(std::move(plan.error()));
    failed.tried = PriorityOf(order);
    failed.in_vain.reset();
    failed.everywhere = false;
  }
  Wait(key);
  return Refuse(*request, nullptr, at);
}

// One that waits in its class, and may have what its first may not.
Decision Placer::TryImproved(const Waiting& request, const Instant& at) {
  const std::vector<std::string> nodes(improved_.begin(), improved_.end());
  auto plan = Give(request, &nodes, at.now);
  if (plan) return Given(request, std::move(*plan));
  Wait(request.key());
  return Refuse(request, &nodes, at);
}

// The first of the classes that have not seen the improved nodes. What it says of itself stays
// until all nodes are looked at again, or others go for it.
Decision Placer::TryAgain(const Order& order, const Instant& at) {
  Class& waits = classes_.at(retry_.at(order));
  const Key key = waits.waiting.begin()->second;
  const auto request = FindWaiting(view_, key);
  if (!request) return NoLonger(key);
  const std::vector<std::string> improved(improved_.begin(), improved_.end());
  const auto* nodes = waits.everywhere ? nullptr : &improved;
  auto plan = Give(*request, nodes, at.now);
  if (plan) return Given(*request, std::move(*plan));
  retry_.erase(order);
  waits.tried = PriorityOf(order);
  if (std::exchange(waits.everywhere, false)) {
    waits.Fail(std::move(plan.error()));
  } else {
    waits.eased_by.insert(plan.error().eased_by.begin(), plan.error().eased_by.end());
  }
  return Refuse(*request, nodes, at);
}

// It has got none of its class's last try. Whether others are evicted for it is looked at on these
// nodes, or (null) on all.
Decision Placer::Refuse(const Waiting& request, const std::vector<std::string>* nodes,
                        const Instant& at) {
  const Key& key = request.key();
  Class& waits = classes_.at(requests_.at(key).alike);
  auto attempt = Preempt(key, waits, nodes, at);
  const bool tells = nodes == nullptr || attempt.news;
  Plan plan;
  if (tells) {
    const std::string and_told = attempt.told.empty() ? "" : ". " + attempt.told;
    plan = request.Explain(waits.message + and_told, at);
  }
  Append(plan, std::move(attempt.plan));
  return {key, std::move(plan)};
}

Preemptor::Attempt Placer::Preempt(const Key& key, Class& waits,
                                   const std::vector<std::string>* nodes, const Instant& at) {
  Request& request = requests_.at(key);
  const int priority = PriorityOf(request.order);
  const bool known = nodes == nullptr && waits.in_vain && priority <= *waits.in_vain;
  Preemptor::Attempt attempt;
  if (known && !preemptor_.IsNominated(key)) {
    attempt.told = waits.in_vain_told;
    return attempt;
  }
  const bool of_room = waits.reason == WaitReason::kCards || waits.reason == WaitReason::kNodes;
  attempt = of_room ? preemptor_.Try(key, nodes, at) : preemptor_.Stop(key);
  request.again_at = attempt.again_at;
  if (attempt.again_at) attempt.plan.requeue_after = *attempt.again_at - at.now;
  if (attempt.in_vain) {
    waits.in_vain = priority;
    waits.in_vain_told = attempt.told;
  } else if (!attempt.told.empty()) {
    // Whether it would help another is not known by that.
    if (nodes != nullptr) waits.in_vain.reset();
    if (!improved_.empty()) PreemptForNext(waits, request.order);
  }
  return attempt;
}

// The next that asks for the same and for which nobody goes yet: the nodes that have improved may
// help it.
void Placer::PreemptForNext(Class& waits, const Order& after) {
  auto next = waits.waiting.upper_bound(after);
  while (next != waits.waiting.end() && !preemptor_.MayTry(next->second)) ++next;
  if (next != waits.waiting.end()) TryByItself(Key(next->second));
}

void Placer::Class::Fail(Failure failure) {
  message = std::move(failure.message);
  reason = failure.reason;
  eased_by = std::move(failure.eased_by);
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
