// What nodes and cards have, what is taken of them, and what namespaces may take: the inventory,
// the node ledger, the pods that keep others away and the quotas, kept true by differences.
//
// Promise: what comes to have more room by a difference is noted in the changes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/symbol.h"
#include "crds/dcunode.h"
#include "crds/vdcupartition.h"
#include "dcu/inventory.h"
#include "reconcilers/view/anti_affinity.h"
#include "reconcilers/view/changes.h"
#include "reconcilers/view/namespace_holdings.h"
#include "reconcilers/view/node_ledger.h"

namespace vdcu::reconcilers {

// What a pod that is on a node takes of it; or, without one, slices that it has left there.
struct Occupant {
  struct Slice {
    std::string id;  // in the inventory
    dcu::Assignment assignment;
    std::string ns;
  };

  std::shared_ptr<const kclient::Pod> pod;  // null: it is gone
  std::string node;
  std::vector<Slice> slices;
};

class Rooms {
 public:
  // `memory`: what quotas count in.
  Rooms(Changes& changes, crds::MemoryUnit memory) : changes_(changes), holdings_(memory) {}
  Rooms(const Rooms&) = delete;
  Rooms& operator=(const Rooms&) = delete;

  // The pod took room on `was`, being `before`, and takes it on `is`; empty: nowhere. Returns
  // whether pods that asked for the same may not be alike any more.
  bool MovePod(const kclient::Pod* before, const std::string& was, const kclient::Pod& pod,
               const std::string& is);
  // A partition as it was and as it is, with our writes; null: not there.
  void SetPartition(const std::string& key, const crds::VdcuPartition* before,
                    const crds::VdcuPartition* after);
  // Null: not there. A node's cards count only while both its Node and its DCUNode exist: after
  // either has come or gone the cards are set again.
  void SetNode(const std::string& name, const kclient::Node* node);
  void SetCards(const std::string& node, const crds::DcuNode* cards);
  // Slices that daemons hold, as a DCUNode said and says; null: not there.
  void SetHeld(const crds::DcuNode* before, const crds::DcuNode* after);
  // A slice that is kept for a pod, and is not any more.
  void SetHold(const std::string& id, const dcu::Assignment& assignment, std::string_view ns);
  void RemoveHold(const std::string& id, const std::string& node);
  // As if the pod were on their node with these slices, and not any more: nothing is noted (Trial).
  void Lay(const kclient::Pod& pod, const std::vector<dcu::Assignment>& slices);
  void Lift(const kclient::Pod& pod, const std::vector<dcu::Assignment>& slices);
  // As if what is there were not, and as it is again: nothing is noted (Trial).
  void Hide(const Occupant& there);
  void Unhide(const Occupant& there);
  // The same of room that is kept for the pod on that node, of cards and all else (Claims).
  void Claim(const kclient::Pod& pod, const std::vector<dcu::Assignment>& slices);
  void Unclaim(const kclient::Pod& pod, const std::vector<dcu::Assignment>& slices);
  // Whether it bounds something else than before.
  bool SetQuota(const std::string& key, const kclient::ResourceQuota* quota);
  // See Inventory.
  void AddDemand(const std::vector<dcu::SliceRequest>& slices, const dcu::NodeNeeds& needs,
                 int count) {
    inventory_.AddDemand(slices, needs, count);
  }
  // Pods that wait for a reserved partition of the node are not the placer's: they look again
  // themselves.
  void Improve(const std::string& node);

  const dcu::Inventory& inventory() const { return inventory_; }
  const NodeLedger& ledger() const { return ledger_; }
  const AntiAffinity& anti_affinity() const { return anti_affinity_; }
  // Keys of the partitions that are assigned there.
  const std::vector<base::Symbol>& PartitionsOn(std::string_view node) const;

  // Whether quotas of the namespace bound its cards, and which has no room for these requests, with
  // what they would be given. `spec_of`: of a partition that holds a card.
  bool IsBounded(std::string_view ns) const { return holdings_.IsBounded(ns); }
  std::optional<std::string> WhyOverQuota(
      const std::string& ns, const std::vector<dcu::SliceRequest>& asked,
      const std::vector<dcu::Assignment>& given,
      const std::function<crds::PartitionSpec(const base::Symbol& key)>& spec_of) const;

 private:
  bool MoveAntiAffinity(const kclient::Pod* before, const std::string& was, const kclient::Pod& pod,
                        const std::string& is);
  void TellRoomOf(const std::string& node);
  void ImproveAround(const std::string& node, const std::vector<kclient::PodAffinityTerm>& terms);
  void Index(const std::string& key, const crds::VdcuPartition& object);
  void Unindex(const std::string& key, const crds::VdcuPartition& object);

  Changes& changes_;
  dcu::Inventory inventory_;
  NodeLedger ledger_;
  AntiAffinity anti_affinity_;
  NamespaceHoldings holdings_;
  std::unordered_map<base::Symbol, std::vector<base::Symbol>> partitions_on_;  // node -> keys
};

// By which the inventory knows a slice that the node's daemon says it holds.
std::string HeldId(const std::string& node, const crds::HeldSlice& held);

// What a DCUNode says of all its cards.
dcu::NodeOptions OptionsOf(const crds::DcuNode& node);

// Whether both hold the same card in the same way; null: not there.
bool HoldsTheSame(const crds::VdcuPartition* before, const crds::VdcuPartition* after);

}  // namespace vdcu::reconcilers
