#include "reconcilers/view/namespace_holdings.h"

#include <array>
#include <utility>

#include "crds/pod_request.h"

namespace vdcu::reconcilers {

namespace {

constexpr std::string_view kPrefix = "requests.";

struct Bound {
  std::string_view resource;
  int64_t Amounts::* amount;
  int64_t of_one;  // of the amount, for one of the resource
};

// Of one family of names.
std::array<Bound, 3> BoundsOf(const crds::ResourceNames& family, crds::MemoryUnit memory) {
  return {{{family.count, &Amounts::cards, 1},
           {family.memory, &Amounts::memory, crds::MiBOf(memory)},
           {family.cores, &Amounts::percent, 1}}};
}

bool IsOver(int64_t amount, int64_t bound, int64_t of_one) {
  return (amount + of_one - 1) / of_one > bound;
}

std::string_view NamespaceOf(std::string_view key) { return key.substr(0, key.find('/')); }

}  // namespace

Amounts& Amounts::operator+=(const Amounts& more) {
  cards += more.cards;
  memory += more.memory;
  percent += more.percent;
  return *this;
}

Amounts AmountsOf(const dcu::SliceRequest& asked, const dcu::Assignment& given, int card_units) {
  Amounts amounts{.cards = 1, .memory = asked.memory.value_or(given.memory).value, .percent = 100};
  if (asked.percent) amounts.percent = *asked.percent;
  if (asked.compute_units && card_units > 0) {
    amounts.percent = (int64_t{100} * *asked.compute_units + card_units - 1) / card_units;
  }
  return amounts;
}

void NamespaceHoldings::Add(const base::Symbol& key, const crds::VdcuPartition& partition) {
  Held& held = held_[partition.meta.ns];
  const dcu::SliceRequest& asked = partition.spec.request;
  if (asked.compute_units) {
    held.of_units.insert(key);
  } else {
    held.sum += AmountsOf(asked, *partition.spec.assignment, 0);
  }
}

void NamespaceHoldings::Take(const base::Symbol& key, const crds::VdcuPartition& partition) {
  const auto found = held_.find(partition.meta.ns);
  Held& held = found->second;
  const dcu::SliceRequest& asked = partition.spec.request;
  if (asked.compute_units) {
    held.of_units.erase(key);
  } else {
    const Amounts less = AmountsOf(asked, *partition.spec.assignment, 0);
    held.sum += {-less.cards, -less.memory, -less.percent};
  }
  if (held.sum.cards == 0 && held.of_units.empty()) held_.erase(found);
}

bool NamespaceHoldings::SetQuota(const std::string& key, const kclient::ResourceQuota* quota) {
  kclient::ResourceList bounds;
  if (quota != nullptr && !quota->scoped) {
    for (const auto& [name, amount] : quota->hard) {
      const std::string_view resource = name;
      if (!resource.starts_with(kPrefix)) continue;
      if (crds::IsDcuResource(resource.substr(kPrefix.size()))) bounds.emplace(name, amount);
    }
  }
  const std::string ns(NamespaceOf(key));
  auto& quotas = quotas_[ns];
  auto& stored = quotas[key.substr(ns.size() + 1)];
  const bool changed = stored != bounds;
  stored = std::move(bounds);
  if (stored.empty()) quotas.erase(key.substr(ns.size() + 1));
  if (quotas.empty()) quotas_.erase(ns);
  return changed;
}

bool NamespaceHoldings::IsBounded(std::string_view ns) const { return quotas_.contains(ns); }

std::optional<std::string> NamespaceHoldings::WhyOver(
    const std::string& ns, const Amounts& more,
    const std::function<Amounts(const base::Symbol& key)>& of_units) const {
  const auto quotas = quotas_.find(ns);
  if (quotas == quotas_.end()) return {};
  Amounts held;
  if (const auto found = held_.find(ns); found != held_.end()) {
    held = found->second.sum;
    for (const base::Symbol& key : found->second.of_units) held += of_units(key);
  }
  for (const auto& [name, bounds] : quotas->second) {
    for (const crds::ResourceNames& family : crds::kResourceNames) {
      for (const auto& [resource, amount, of_one] : BoundsOf(family, memory_)) {
        const auto bound = bounds.find(std::string(kPrefix) + std::string(resource));
        if (bound == bounds.end()) continue;
        if (!IsOver(held.*amount + more.*amount, bound->second, of_one)) continue;
        const bool gi = of_one != 1;
        return "ResourceQuota " + name + " allows " + bound->first + " " +
               std::to_string(bound->second) + (gi ? ", which counts GiB" : "") +
               ": the VDCUPartitions of namespace " + ns + " hold " + std::to_string(held.*amount) +
               (gi ? " MiB" : "") + ", and this needs " + std::to_string(more.*amount) +
               (gi ? " MiB" : "");
      }
    }
  }
  return {};
}

}  // namespace vdcu::reconcilers
