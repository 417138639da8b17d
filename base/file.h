// Small files below a root folder, read with a bound and written so that a crash leaves the old
// bytes or the new, never a part.
//
// Paths are absolute as a host sees them ("/etc/vdev"); the root ("/", or the folder of a simulated
// host) is put before them, and not shown in messages.
//
// What is written or removed, and ReadFile and ListFolder, is reached by the descriptor of the
// folder that it is in: neither it nor that folder may be a link (kAlreadyExists), and no part of
// the path
// ".." (kCorrupt). So no name, and no link that somebody has put there, leads out. Threads: any.
// Errors: kNotFound where there is no such file or folder, kForbidden, else kUnavailable with path
// and reason.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace vdcu::base {

// A folder that this process alone has locked, until this is destroyed or the process ends,
// however.
class FolderLock {
 public:
  explicit FolderLock(int fd) : fd_(fd) {}
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;

  int fd() const { return fd_; }

 private:
  int fd_;
};

class Root {
 public:
  explicit Root(std::string prefix);

  // Where `path` is for this process.
  std::string Resolve(std::string_view path) const;

  // At most `limit` bytes; a longer file is kCorrupt, and so is what is no file.
  Result<std::string> Read(std::string_view path, size_t limit = 64 * 1024) const;
  Result<std::string> ReadFile(std::string_view path, size_t limit = 64 * 1024) const;
  // The names in a folder, sorted, without "." and "..".
  Result<std::vector<std::string>> List(std::string_view path) const;
  Result<std::vector<std::string>> ListFolder(std::string_view path) const;
  // Follows symbolic links, absolute ones below the root.
  bool Exists(std::string_view path) const;
  // A link is none.
  bool IsFile(std::string_view path) const;

  // Writes ".<name>.tmp", fsyncs, renames, fsyncs the folder; mode 0644. What failed leaves no
  // temporary file.
  Status WriteAtomic(std::string_view path, std::string_view content) const;
  // Makes way for a file: an empty folder in its place is removed. What else stands there and is no
  // file is somebody's: kAlreadyExists. Links are not followed.
  Status MakeWay(std::string_view path) const;
  // With parents, mode 0755; not an error if it exists. kAlreadyExists where it is no folder.
  Status MakeFolder(std::string_view path) const;
  // Not an error if it does not exist. RemoveFolder removes what is in it (files, one level).
  Status RemoveFile(std::string_view path) const;
  Status RemoveFolder(std::string_view path) const;

  // Makes the folder where it is not there. Waits for who has it locked, and so blocks, for `most`;
  // kAlreadyExists then.
  Result<FolderLock> Lock(std::string_view path, Duration most) const;

 private:
  std::string prefix_;  // without a trailing "/"; empty for the real root
};

}  // namespace vdcu::base
