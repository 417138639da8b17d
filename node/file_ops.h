// The few file operations that keeping slices on disk needs, so that a test can end the process at
// any of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace vdcu::node {

class FileOps {
 public:
  virtual ~FileOps() = default;
  virtual base::Result<std::string> Read(const std::string& path) = 0;
  // The names in a folder; none where there is no such folder.
  virtual base::Result<std::vector<std::string>> List(const std::string& path) = 0;
  // As base::Root's.
  virtual base::Status MakeWay(const std::string& path) = 0;
  virtual base::Status MakeFolder(const std::string& path) = 0;
  // The old bytes or the new; makes the folder above it.
  virtual base::Status Write(const std::string& path, std::string_view content) = 0;
  virtual base::Status RemoveFile(const std::string& path) = 0;
  virtual base::Status RemoveFolder(const std::string& path) = 0;
};

class RootFileOps : public FileOps {
 public:
  explicit RootFileOps(const base::Root& root) : root_(root) {}
  base::Result<std::string> Read(const std::string& path) override;
  base::Result<std::vector<std::string>> List(const std::string& path) override;
  base::Status MakeWay(const std::string& path) override;
  base::Status MakeFolder(const std::string& path) override;
  base::Status Write(const std::string& path, std::string_view content) override;
  base::Status RemoveFile(const std::string& path) override;
  base::Status RemoveFolder(const std::string& path) override;

 private:
  const base::Root& root_;
};

}  // namespace vdcu::node
