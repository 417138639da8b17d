// A request that waits for cards, of a pod, of a group of pods or of a reserved partition: what it
// asks for, where it may go, and what follows when it is given cards, or none.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "dcu/allocator.h"
#include "reconcilers/plan.h"
#include "reconcilers/view/trial.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

// Higher priority first, then the older, then by key. Who was refused by the API server goes to the
// end of its priority's line.
using Order = std::tuple<int, std::string, Key>;

// Why a request gets no cards.
struct Failure {
  std::string message;
  WaitReason reason = WaitReason::kNew;
  std::set<std::string> eased_by;  // what of TakeEased lets it be tried again everywhere
};

// Made for one decision, and true until the view changes.
class Waiting {
 public:
  Waiting(const View& view, Key key) : view_(view), key_(std::move(key)) {}
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  virtual ~Waiting() = default;

  const Key& key() const { return key_; }

  virtual Order PlaceInLine() const = 0;
  // Two requests with the same text have the same answer.
  virtual std::string Alike(base::TimePoint now) const = 0;
  // How many requests it is, and how many of them look at where other pods are.
  virtual int Size() const { return 1; }
  virtual int Minding() const = 0;
  // The writes that give it cards: of these nodes only, or (null) of any.
  virtual tl::expected<Plan, Failure> Give(Trial& trial, const std::vector<std::string>* nodes,
                                           base::TimePoint now) const = 0;
  // Says on the object, and in an event, why it waits.
  virtual Plan Explain(const std::string& message, const Instant& at) const = 0;

 protected:
  const View& view_;
  const Key key_;
};

// One object, which gets cards of one node.
class WaitingOne : public Waiting {
 public:
  using Waiting::Waiting;

  const dcu::Request& cards() const { return cards_; }
  const std::string& ns() const { return cards_.ns; }

  // Which nodes may serve it, cards aside. Errors: kInvalid, where no node can (its volumes).
  virtual base::Result<dcu::NodeFilter> Fits(base::TimePoint now) const = 0;
  // The writes that give it these cards.
  virtual Plan Grant(const dcu::Placement& placement) const = 0;

  // Cards that there are, whatever quotas say.
  tl::expected<dcu::Placement, Failure> Find(const std::vector<std::string>* nodes,
                                             base::TimePoint now) const;
  tl::expected<Plan, Failure> Give(Trial& trial, const std::vector<std::string>* nodes,
                                   base::TimePoint now) const override;

 protected:
  // Since when it stands in line, being `created` then.
  std::string Since(const std::string& created) const;

  dcu::Request cards_;
};

// What a pod asks for, of cards; for a pod whose request is right.
dcu::Request CardsOf(const View& view, const PodEntry& entry);
// Of a pod of another scheduler, which looks at all else itself: whether a node is not to be tried
// for now.
dcu::NodeFilter PassedOver(const View& view, const PodEntry& entry, base::TimePoint now);
// As `allocate` finds cards of that node: those that were found there for the pod before
// (view/plans.h), if they have room.
using Allocation = std::function<dcu::Answer(const dcu::Request& request)>;
dcu::Answer AllocateAsPlanned(const View& view, const PodEntry& entry, const dcu::Request& request,
                              const std::string& node, const Allocation& allocate);
// Cards for such a pod on one of these nodes. Errors: kInvalid, saying why there are none.
base::Result<dcu::Placement> AllocateFor(const View& view, const PodEntry& entry,
                                         const std::vector<std::string>& nodes,
                                         base::TimePoint now);
// These of the cards that it asks for, on this node.
base::Result<dcu::Placement> AllocateOnNodeFor(const View& view, const PodEntry& entry,
                                               const dcu::Request& cards, const std::string& node,
                                               base::TimePoint now);

// Null: nothing of that key waits for cards (any more).
std::unique_ptr<const Waiting> FindWaiting(const View& view, const Key& key);
// One of a pod or a partition, also of a pod that is placed with its group only.
std::unique_ptr<const WaitingOne> FindWaitingOne(const View& view, const Key& key);

}  // namespace vdcu::reconcilers
