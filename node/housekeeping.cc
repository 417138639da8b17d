#include "node/housekeeping.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/memory.h"

namespace vdcu::node {

namespace {

void Warn(const std::string& what, const std::string& problem) {
  base::Log(base::Level::kWarning, what, {{"problem", problem}});
}

bool Contains(const std::vector<std::string>& problems, const std::string& problem) {
  return std::find(problems.begin(), problems.end(), problem) != problems.end();
}

}  // namespace

void Housekeeping::FindCards() {
  const auto published = state_.dcunodes.Get(state_.node);
  state_.scan = {};
  TakeScan(ScanHost(host_), published ? published->status.devices : state_.holdings.devices());
}

void Housekeeping::RepairDisk() {
  state_.holdings.Repair();
  LogDisk();
}

void Housekeeping::Look() {
  TrimWhenQuiet();
  state_.holdings.CheckDisk();
  LogDisk();
  Scan scan = ScanHost(host_);
  if (scan != state_.scan) TakeScan(std::move(scan), state_.holdings.devices());
}

void Housekeeping::TakeScan(Scan scan, const std::vector<dcu::Device>& known) {
  LogNewProblems(scan.problems);
  state_.scan = std::move(scan);
  state_.holdings.SetDevices(state_.scan.devices, known, clock_.Wall());
}

void Housekeeping::LogNewProblems(const std::vector<std::string>& problems) const {
  for (const std::string& problem : problems) {
    if (!Contains(state_.scan.problems, problem)) Warn("a card is left out", problem);
  }
}

void Housekeeping::LogDisk() {
  const DiskState before = std::exchange(logged_, state_.holdings.disk());
  for (const std::string& problem : logged_.problems) {
    if (!Contains(before.problems, problem)) Warn("something is in the way of our files", problem);
  }
  for (const auto& [vdev, why] : logged_.occupied_vdevs) {
    if (!before.occupied_vdevs.contains(vdev)) Warn("a vdev number is passed over", why);
  }
  if (logged_.failure != before.failure && !logged_.failure.empty()) {
    Warn("no slice can be prepared", logged_.failure);
  }
}

void Housekeeping::TrimWhenQuiet() {
  const bool quiet = !std::exchange(worked_, false);
  if (!quiet) {
    trim_is_due_ = true;
  } else if (std::exchange(trim_is_due_, false)) {
    base::TrimMemory();
  }
}

}  // namespace vdcu::node
