// What tells one content of a file from the next, without reading it.
#pragma once

#include <cstdint>
#include <string>

namespace vdcu::base {

// All zero: it is not there. Of a link, what it leads to: a pod's volumes are changed by the link
// to their folder.
struct FileStamp {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t modified_ns = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

FileStamp StampOf(const std::string& path);

}  // namespace vdcu::base
