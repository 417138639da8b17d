// What this node holds now: the admitted slices, their files and the cards below them. All disk
// access of the daemon but the scan goes through it.
//
// Promises: a slice is in slices() as long as any file of it may be on disk; the files of one whose
// checkpoint is corrupt stay until its object is held again or the checkpoint is removed; vdev
// files carry the card's present bus id; the cards that are gone stay in devices() as unhealthy
// ("Vanished") while slices are on them, and a card that comes back is the same again. What changes
// is noted.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "dcu/device.h"
#include "node/changes.h"
#include "node/scan.h"
#include "node/slice_files.h"
#include "node/slices.h"

namespace vdcu::node {

class Holdings {
 public:
  Holdings(SliceFiles files, Changes& changes) : files_(std::move(files)), changes_(changes) {}

  // Reads the checkpoints; the sentences that it returns are about those that are corrupt.
  base::Result<std::vector<std::string>> Load();
  // UIDs of the partitions that have a folder on disk, or a checkpoint that is corrupt, and are not
  // held: what they held is not known.
  base::Result<std::vector<std::string>> Orphans();
  // Makes the disk true to what is held, as far as it can: see disk().
  void Repair();
  // Looks at what may have come into our way since, and repairs where something was.
  void CheckDisk();
  const DiskState& disk() const { return disk_; }

  // Takes the cards as a scan shows them. `known` are cards as they were published last; they
  // describe those that are gone.
  void SetDevices(std::vector<dcu::Device> seen, const std::vector<dcu::Device>& known,
                  base::WallTime now);

  // Admits the slice and writes its files; again for one that is held: repairs them. A refusal, or
  // the error of the disk as refusal WriteFailed (the slice may be held then, see Find).
  std::optional<Refusal> Hold(const Slice& slice);
  // Changes what is recorded beside the assignment: who uses it, since when it is lost.
  base::Status Record(const Slice& slice);
  base::Status Release(const std::string& uid);

  const Slice* Find(std::string_view uid) const;
  const Slices& slices() const { return slices_; }
  const std::vector<dcu::Device>& devices() const { return devices_; }

 private:
  // Nothing where the card is gone: its files stay as they are.
  std::optional<std::string> ContentOf(const Slice& slice) const;
  bool HasSlice(const std::string& device) const;

  void SetDisk(DiskState disk);

  SliceFiles files_;
  Changes& changes_;
  DiskState disk_;
  std::map<std::string, std::string> corrupt_;  // checkpoints at the start, by uid: why
  Slices slices_;
  std::vector<dcu::Device> devices_;
};

}  // namespace vdcu::node
