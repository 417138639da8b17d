// Slices on disk: the vdev files that containers mount, and a checkpoint of each slice from which a
// restarted daemon knows what it holds, also when the object is gone.
//
// Promises: a slice is held from the moment its checkpoint stands (written before the vdev files)
// until it is removed (after them), so a process that ends at any step leaves, after Mend, the old
// state or the new one. Each step may be repeated. Whole cards have a checkpoint and no vdev file.
// Mend removes only names of ours: temporaries (".<name>.tmp"), folders in /etc/vdev/slices and
// vdev<N>.conf. Errors: base::Root's.
#pragma once

#include <map>
#include <optional>
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

class SliceFiles {
 public:
  explicit SliceFiles(FileOps& files) : files_(files) {}

  struct Found {
    Slices slices;
    std::vector<std::string> corrupt;  // checkpoints that cannot be read, a sentence each
  };
  // Checkpoints that are not of this version's format are kInvalid: a newer daemon wrote them.
  base::Result<Found> Load();

  // UIDs of the partitions that have a folder, whether or not their checkpoint stands.
  base::Result<std::vector<std::string>> Folders();

  // `content` is the vdev file's; of a whole card it is not looked at. Writes what differs.
  base::Status Prepare(const Slice& slice, const std::string& content);
  // Only the checkpoint: the user or lost_since has changed.
  base::Status Record(const Slice& slice);
  base::Status Remove(const Slice& slice);

  // Makes the disk say exactly `slices`; their vdev files' bytes are in `contents`, by uid. A slice
  // without (its card is not there) keeps the files that it has.
  base::Status Mend(const Slices& slices, const std::map<std::string, std::string>& contents);

 private:
  base::Status WriteIfOther(const std::string& path, const std::string& content);
  base::Status RemoveUnless(const std::string& folder, bool (*ours)(const std::string& name),
                            const std::vector<std::string>& wanted, bool folders);

  FileOps& files_;
};

}  // namespace vdcu::node
