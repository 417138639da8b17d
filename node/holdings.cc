#include "node/holdings.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "dcu/vdev.h"

namespace vdcu::node {

base::Result<std::vector<std::string>> Holdings::Load() {
  ASSIGN_OR_RETURN(SliceFiles::Found found, files_.Load());
  slices_ = std::move(found.slices);
  corrupt_ = std::move(found.corrupt);
  std::vector<std::string> sentences;
  for (const auto& [uid, why] : corrupt_) sentences.push_back(why);
  return sentences;
}

base::Result<std::vector<std::string>> Holdings::Orphans() {
  ASSIGN_OR_RETURN(std::vector<std::string> uids, files_.Folders());
  for (const auto& [uid, why] : corrupt_) uids.push_back(uid);
  std::erase_if(uids, [this](const std::string& uid) { return Find(uid) != nullptr; });
  return uids;
}

void Holdings::Repair() {
  std::map<std::string, std::string> contents;
  for (const auto& [uid, slice] : slices_) {
    if (auto content = ContentOf(slice)) contents.emplace(uid, std::move(*content));
  }
  std::erase_if(corrupt_, [this](const auto& entry) {
    return Find(entry.first) != nullptr || !files_.HasCheckpoint(entry.first);
  });
  std::set<std::string> kept;
  for (const auto& [uid, why] : corrupt_) kept.insert(uid);
  DiskState disk = files_.Repair(slices_, contents, kept);
  for (const auto& [uid, why] : corrupt_) {
    disk.problems.push_back(why + "; no VDCUPartition of this node has that UID: remove it");
  }
  if (!disk_.failure.empty() && disk.failure.empty()) disk.failure = files_.Probe();
  SetDisk(std::move(disk));
}

void Holdings::SetDisk(DiskState disk) {
  if (std::exchange(disk_, std::move(disk)) != disk_) changes_.NoteDisk();
}

void Holdings::CheckDisk() {
  if (!disk_.problems.empty() || !disk_.failure.empty()) return Repair();
  DiskState disk = disk_;
  disk.occupied_vdevs = files_.OccupiedVdevs();
  SetDisk(std::move(disk));
}

void Holdings::SetDevices(std::vector<dcu::Device> seen, const std::vector<dcu::Device>& known,
                          base::WallTime now) {
  for (const dcu::Device& before : known) {
    if (FindDevice(seen, before.uuid) != nullptr || !HasSlice(before.uuid)) continue;
    dcu::Device gone = before;
    gone.healthy = false;
    gone.reason = kVanished;
    gone.message = "the card is not on the host any more";
    gone.drm_card_minor = gone.drm_render_minor = -1;
    seen.push_back(std::move(gone));
  }
  for (dcu::Device& device : seen) {
    if (device.healthy) continue;
    const dcu::Device* before = FindDevice(known, device.uuid);
    const bool was_unhealthy =
        before != nullptr && !before->healthy && !before->unhealthy_since.empty();
    device.unhealthy_since = was_unhealthy ? before->unhealthy_since : base::FormatTime(now);
  }
  devices_ = std::move(seen);
  changes_.NoteCards();
}

std::optional<Refusal> Holdings::Hold(const Slice& slice) {
  const bool is_new = Find(slice.uid) == nullptr;
  if (is_new) {
    std::vector<dcu::Device> present = devices_;
    std::erase_if(present, [](const dcu::Device& device) { return device.reason == kVanished; });
    if (auto refusal = Admit(slices_, slice.uid, slice.ns, slice.assignment, present))
      return refusal;
    if (const base::Status free = files_.CheckVdev(slice.assignment); !free) {
      disk_.occupied_vdevs = files_.OccupiedVdevs();
      changes_.NoteSlices();
      return Refusal{"VdevOccupied", free.error().message};
    }
  }
  const auto content = ContentOf(slice);
  // A slice whose files could not be written holds its units all the same: some may be there.
  const base::Status written = content ? files_.Prepare(slice, *content) : files_.Record(slice);
  slices_.insert_or_assign(slice.uid, slice);
  if (is_new) changes_.NoteSlices();
  if (written) return std::nullopt;
  if (std::exchange(disk_.failure, files_.Probe()) != disk_.failure) changes_.NoteSlices();
  return Refusal{kWriteFailed, written.error().message};
}

base::Status Holdings::Record(const Slice& slice) {
  RETURN_IF_ERROR(files_.Record(slice));
  slices_.insert_or_assign(slice.uid, slice);
  changes_.NoteSlices();
  return base::Ok();
}

base::Status Holdings::Release(const std::string& uid) {
  const auto held = slices_.find(uid);
  if (held == slices_.end()) return base::Ok();
  RETURN_IF_ERROR(files_.Remove(held->second));
  changes_.NoteRelease(held->second.pod ? held->second.pod->uid : "");
  slices_.erase(held);
  return base::Ok();
}

const Slice* Holdings::Find(std::string_view uid) const {
  const auto held = slices_.find(uid);
  return held == slices_.end() ? nullptr : &held->second;
}

std::optional<std::string> Holdings::ContentOf(const Slice& slice) const {
  if (slice.assignment.whole_card()) return "";
  const dcu::Device* device = FindDevice(devices_, slice.assignment.device);
  if (device == nullptr || device->reason == kVanished) return std::nullopt;
  return dcu::Render(dcu::MakeVdevFile(slice.assignment, device->pci_bus_id));
}

bool Holdings::HasSlice(const std::string& device) const {
  return std::any_of(slices_.begin(), slices_.end(),
                     [&](const auto& entry) { return entry.second.assignment.device == device; });
}

}  // namespace vdcu::node
