// The DCUNodes as they are shown, packed, and how far their daemons' word is to be taken.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/symbol.h"
#include "crds/dcunode.h"
#include "reconcilers/view/changes.h"
#include "reconcilers/view/doubts.h"
#include "reconcilers/view/node_ledger.h"
#include "reconcilers/view/packed.h"

namespace vdcu::reconcilers {

class DcuNodes {
 public:
  // `taint`: key of the taint that nodes with cards are to have; empty: none.
  DcuNodes(const NodeLedger& ledger, Changes& changes, const std::string& taint)
      : ledger_(ledger), changes_(changes), taint_(taint) {}

  // As the watch shows it; null: not there.
  void Set(const std::string& name, const crds::DcuNode* before, const crds::DcuNode* after,
           base::TimePoint now);
  // By what is known now of the Node and the DCUNode of that name.
  void JudgeDaemon(const std::string& name, base::TimePoint now);
  // The daemon did not prepare a slice in time; it has renewed the Lease of its node.
  void OnMissed(const std::string& name, base::TimePoint now);
  void OnRenewed(std::string_view name, base::TimePoint now) { doubts_.OnRenewed(name, now); }
  // A write of ours to this version has been sent, and may have been done; it was not.
  void NoteWrite(const std::string& name, const std::string& version) { written_[name] = version; }
  void ForgetWrite(const std::string& name) { written_.erase(name); }
  bool IsWritten(const crds::DcuNode& shown) const;
  // The same of the Node's taints.
  void NoteTaint(const std::string& name, const std::string& version) { tainted_[name] = version; }
  void ForgetTaint(const std::string& name) { tainted_.erase(name); }
  // The Node, where it has cards and is to be given the taint; nothing: it has it, or a write of it
  // is not shown yet. One with a taint of NoExecute is left as it is: pods are kept off already,
  // and of that taint we do not know since when it is there.
  std::optional<kclient::Node> FindUntainted(std::string_view name) const;

  std::shared_ptr<const crds::DcuNode> Find(std::string_view name) const;  // null: not there
  const Doubts& doubts() const { return doubts_; }
  // How many there are of each status of their condition Ready ("" where it is absent).
  const std::map<std::string, size_t, std::less<>>& by_ready() const { return by_ready_; }
  void ForEachKey(const std::function<void(std::string_view)>& visit) const;
  // Those of which there may be something to write.
  void MarkDue() const;

 private:
  const NodeLedger& ledger_;
  Changes& changes_;
  const std::string& taint_;
  std::unordered_map<base::Symbol, PackedDcuNode> nodes_;
  std::map<std::string, size_t, std::less<>> by_ready_;
  Doubts doubts_;
  std::map<std::string, std::string> written_;               // version that we write to
  std::map<std::string, std::string, std::less<>> tainted_;  // the same of Nodes
};

}  // namespace vdcu::reconcilers
