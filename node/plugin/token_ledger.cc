#include "node/plugin/token_ledger.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "node/plugin/admission_events.h"

namespace vdcu::node {

namespace {
constexpr base::Duration kTimeout{5'000};
}  // namespace

void TokenLedger::Refresh() {
  unsure_ = true;
  searches_.Start(
      kTimeout,
      [this](const PodSearch& search) {
        Learn(search.listing());
        return FindLost(search);
      },
      [](const base::Error&) {});
}

void TokenLedger::Learn(const kubelet::Listing& listing) {
  std::map<std::string, std::set<std::string>> in_use;
  for (const kubelet::ListedPod& pod : listing) {
    for (const kubelet::ListedContainer& container : pod.containers) {
      for (const auto& [resource, ids] : container.devices) {
        in_use[resource].insert(ids.begin(), ids.end());
      }
    }
  }
  if (std::exchange(in_use_, std::move(in_use)) != in_use_) sources_.changes.NoteTokens();
}

void TokenLedger::Give(const std::string& resource, const std::vector<std::string>& ids) {
  in_use_[resource].insert(ids.begin(), ids.end());
}

std::set<std::string> TokenLedger::InUse(const std::string& resource) const {
  const auto ids = in_use_.find(resource);
  return ids == in_use_.end() ? std::set<std::string>() : ids->second;
}

PodSearch::Next TokenLedger::FindLost(const PodSearch& search) {
  const LostDevices found =
      FindLostDevices({.listing = search.listing(),
                       .slices = sources_.slices,
                       .resources = sources_.resources,
                       .pod = [&](const auto& key) { return search.pod(key); },
                       .has_processes = sources_.has_processes,
                       .read = search.read()});
  if (!found.unknown.empty()) return {.read = found.unknown};
  unsure_ = found.unsure;
  SetLost(found.lost);
  return {};
}

void TokenLedger::SetLost(const std::vector<Asker>& containers) {
  std::set<crds::PodRef> lost;
  for (const Asker& container : containers) {
    lost.insert(container.pod);
    if (!IsLost(container.pod)) Tell(container);
  }
  std::set<crds::PodRef> changed;
  std::set_symmetric_difference(lost.begin(), lost.end(), lost_.begin(), lost_.end(),
                                std::inserter(changed, changed.end()));
  lost_ = std::move(lost);
  for (const crds::PodRef& container : changed) sources_.changes.NotePod(container.uid);
}

void TokenLedger::Tell(const Asker& container) {
  base::Log(base::Level::kWarning, "the kubelet has lost a device",
            {{"pod", container.key()}, {"container", container.pod.container}});
  const Refusal why = DeviceLostOf(container.pod.container);
  sources_.tell(EventOnPod(container, kclient::EventType::kWarning, why.reason, why.message));
}

}  // namespace vdcu::node
