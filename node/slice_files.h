// Slices on disk: the vdev files that containers mount, and a checkpoint of each slice from which a
// restarted daemon knows what it holds, also when the object is gone.
//
// Promises: a slice is held from the moment its checkpoint stands (written before the vdev files)
// until it is removed (after them), so a process that ends at any step leaves, after Repair, the
// old state or the new one. Each step may be repeated. Whole cards have a checkpoint and no vdev
// file. Repair removes only names of ours: temporaries (".<name>.tmp"), folders in /etc/vdev/slices
// and vdev<N>.conf. What stands in the place of one of our files and is none is somebody's: an
// empty folder is removed (dockerd makes one where a container is to mount a file that is not
// there), anything else stays and is named, and only what needs that place does without. Errors:
// base::Root's.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "node/file_ops.h"
#include "node/slices.h"

namespace vdcu::node {

inline constexpr char kVdevFolder[] = "/etc/vdev";
inline constexpr char kSlicesFolder[] = "/etc/vdev/slices";

// "/etc/vdev/vdev4.conf"; empty for a whole card.
std::string HostVdevPath(const dcu::Assignment& assignment);
// Whether a file in /etc/vdev is called "vdev<N>.conf".
bool IsVdevName(const std::string& name);
// "/etc/vdev/slices/<partition uid>", which a container gets.
std::string SliceFolder(const std::string& uid);

// What is in our way on the disk.
struct DiskState {
  std::vector<std::string> problems = {};          // a sentence each
  std::map<int, std::string> occupied_vdevs = {};  // numbers whose file cannot be ours, and why
  std::string failure = "";                        // why nothing can be kept; empty: it can

  friend bool operator==(const DiskState&, const DiskState&) = default;
};

class SliceFiles {
 public:
  explicit SliceFiles(FileOps& files) : files_(files) {}

  struct Found {
    Slices slices;
    std::map<std::string, std::string> corrupt;  // checkpoints that cannot be read, by uid: why
  };
  // Checkpoints that are not of this version's format are kInvalid: a newer daemon wrote them.
  base::Result<Found> Load();

  // UIDs of the partitions that have a folder, whether or not their checkpoint stands.
  base::Result<std::vector<std::string>> Folders();

  // `content` is the vdev file's; of a whole card it is not looked at. Writes what differs.
  base::Status Prepare(const Slice& slice, const std::string& content);
  // Only the checkpoint: the user or lost_since has changed.
  base::Status Record(const Slice& slice);
  // What is not ours stays, and is no error.
  base::Status Remove(const Slice& slice);

  // Makes the disk say exactly `slices`; their vdev files' bytes are in `contents`, by uid. A slice
  // without (its card is not there) keeps the files that it has, as do those of the uids `kept`.
  // Goes on past what fails.
  DiskState Repair(const Slices& slices, const std::map<std::string, std::string>& contents,
                   const std::set<std::string>& kept = {});

  // Whether its vdev number's file may be ours; kAlreadyExists.
  base::Status CheckVdev(const dcu::Assignment& assignment);
  std::map<int, std::string> OccupiedVdevs();
  // Why a file as large as a checkpoint cannot be kept; empty: it can.
  std::string Probe();
  bool HasCheckpoint(const std::string& uid);

 private:
  using Errors = std::vector<base::Error>;
  using RemoveOne = base::Status (SliceFiles::*)(const std::string& path);

  base::Status WriteIfOther(const std::string& path, const std::string& content);
  base::Status RemoveFile(const std::string& path);
  base::Status RemoveFolder(const std::string& path);
  Errors RemoveUnless(const std::string& folder, bool (*ours)(const std::string& name),
                      const std::set<std::string>& wanted, RemoveOne remove);
  Errors RemoveOthers(const Slices& slices, const std::set<std::string>& kept);

  FileOps& files_;
};

}  // namespace vdcu::node
