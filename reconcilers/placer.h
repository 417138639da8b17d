// Which waiting request gets cards next: pods and reserved partitions, by priority, then age; but a
// namespace that has had kTurn tries, of which those that look at all pods count ten times, lets
// others of its priority have theirs first.
//
// Promises: each request is tried once when it comes, and again only when a node has improved or
// what it asks for, or the set of nodes and cards, has changed; requests that ask for the same (a
// class) wait behind their first, so that a change costs one try for each class, not for each
// request; nothing is tried on a timer; a group of pods is given cards in one decision, or none. A
// pod that gets none may have others evicted (reconcilers/preemptor.h): that is tried when it
// comes, and again when a node has improved, or has got a pod of a lower priority.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reconcilers/plan.h"
#include "reconcilers/preemptor.h"
#include "reconcilers/view/cluster.h"
#include "reconcilers/waiting.h"

namespace vdcu::reconcilers {

struct Decision {
  Key key;
  Plan plan;
  int placed = 0;  // so many requests; none: the plan says why not
};

class Placer {
 public:
  static constexpr int kTurn = 100;

  explicit Placer(Cluster& cluster)
      : cluster_(cluster),
        view_(cluster.view()),
        changes_(cluster.changes()),
        preemptor_(cluster) {}

  // A request that waits for cards. One that waits already is only looked at
  // again if what it asks for has changed.
  void Add(const Key& key, base::TimePoint now);
  void Remove(const Key& key);
  // When it is added next it is tried, and told why it waits, as if it had just come.
  void Renew(const Key& key);

  // The next decision, of one try: its plan is empty where that was in vain and there is nothing
  // new to say. Nothing: all that can be tried has been. What it plans must be assumed in the
  // cluster before the next call.
  std::optional<Decision> Next(const Instant& at);

  size_t waiting() const { return requests_.size(); }
  // Those that wait here, each since it was created, or was refused last.
  void CountWaiting(WaitCounts& counts) const;

 private:
  struct Request {
    Order order;
    std::string alike;
    int size = 1;
    int cost = 1;                                  // of a try
    std::optional<base::TimePoint> again_at = {};  // evictions for it are to be tried then
    bool by_itself = false;  // it is tried on the nodes that have improved, whatever its class was
  };
  struct Class {
    std::map<Order, Key> waiting;
    std::string message;                   // why the last try over all nodes failed
    WaitReason reason = WaitReason::kNew;  // the same in a word
    std::set<std::string> eased_by;        // what of TakeEased lets it be tried again everywhere
    bool everywhere = false;               // the next try is over all nodes
    int tried = 0;                         // the priority of who was tried last
    // For nobody of it with this priority or a lower one there are pods to evict; and what it says.
    std::optional<int> in_vain;
    std::string in_vain_told;

    void Fail(Failure failure);
  };
  struct Turn {
    bool again = false;  // in retry_, else in untried_
    Order order;
  };
  std::optional<Turn> TakeTurn();
  bool HadTurn(const Key& key) const;

  void TakeImprovements();
  void TakeClaimsOn(const std::set<std::string>& nodes);
  void TakeOffers();
  void TryByItself(const Key& key);
  void RetryAll();
  Decision TryNew(const Order& order, const Instant& at);
  Decision TryImproved(const Waiting& request, const Instant& at);
  Decision TryAgain(const Order& order, const Instant& at);
  void Wait(const Key& key);
  void Unwait(const Request& request);
  tl::expected<Plan, Failure> Give(const Waiting& request, const std::vector<std::string>* nodes,
                                   base::TimePoint now);
  Preemptor::Attempt Preempt(const Key& key, Class& waits, const std::vector<std::string>* nodes,
                             const Instant& at);
  void PreemptForNext(Class& waits, const Order& after);
  Decision Refuse(const Waiting& request, const std::vector<std::string>* nodes, const Instant& at);
  Decision Given(const Waiting& request, Plan plan);
  Decision NoLonger(const Key& key);

  Cluster& cluster_;
  const View& view_;
  Changes& changes_;
  Preemptor preemptor_;
  std::map<Key, Request> requests_;  // each is in untried_ or waits in its class
  std::map<Order, Key> untried_;
  std::map<std::string, Class> classes_;  // by Request::alike; none is empty
  // The first of each class that was not tried since the last improvement -> its class.
  std::map<Order, std::string> retry_;
  std::set<std::string> improved_;  // the nodes to try for retry_
  // What the tries of each namespace have cost since all had their turn.
  std::map<std::string, int, std::less<>> spent_;
};

}  // namespace vdcu::reconcilers
