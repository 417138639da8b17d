// What the VDCUPartitions of each namespace hold of cards, and what its ResourceQuotas allow: a
// quota counts what pods ask for, and knows nothing of partitions.
//
// Counted as a pod would ask for it: cards, MiB, and percent of a card's units; what was not asked
// for is what was given. Both names of a resource bound the same cards. Quotas with scopes are
// about some pods only and do not count here.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/symbol.h"
#include "crds/memory_unit.h"
#include "crds/vdcupartition.h"
#include "dcu/assignment.h"
#include "kclient/core/quota.h"

namespace vdcu::reconcilers {

struct Amounts {
  int64_t cards = 0;
  int64_t memory = 0;   // MiB
  int64_t percent = 0;  // of a card's units

  Amounts& operator+=(const Amounts& more);
};

// `card_units`: of the card; 0: it is not known, and counts as wholly taken where units were asked.
Amounts AmountsOf(const dcu::SliceRequest& asked, const dcu::Assignment& given, int card_units);

class NamespaceHoldings {
 public:
  explicit NamespaceHoldings(crds::MemoryUnit memory) : memory_(memory) {}

  // The partition is assigned, and is not any more. `key` is its own.
  void Add(const base::Symbol& key, const crds::VdcuPartition& partition);
  void Take(const base::Symbol& key, const crds::VdcuPartition& partition);
  // Whether it bounds something else than before.
  bool SetQuota(const std::string& key, const kclient::ResourceQuota* quota);

  // Whether any quota bounds cards there.
  bool IsBounded(std::string_view ns) const;
  // Which quota has no room for `more`, and why; nothing: all have. `of_units` says what a
  // partition that asked for units counts for.
  std::optional<std::string> WhyOver(
      const std::string& ns, const Amounts& more,
      const std::function<Amounts(const base::Symbol& key)>& of_units) const;

 private:
  struct Held {
    Amounts sum;                      // but for those in of_units
    std::set<base::Symbol> of_units;  // keys of those that asked for units, not for percent
  };

  const crds::MemoryUnit memory_;                  // what quotas count in
  std::map<std::string, Held, std::less<>> held_;  // by namespace
  // By namespace, then by name; only those that bound cards.
  std::map<std::string, std::map<std::string, kclient::ResourceList>, std::less<>> quotas_;
};

}  // namespace vdcu::reconcilers
