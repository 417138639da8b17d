// A folder in memory where the machine has that (a schedule writes thousands of files), removed
// with all below it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "base/check.h"

namespace vdcu::simulation {

class SimulatedFolder {
 public:
  SimulatedFolder() {
    path_ = std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp";
    path_ += "/vdcu-simulation.XXXXXX";
    CHECK(mkdtemp(path_.data()) != nullptr, "cannot make " + path_);
  }
  ~SimulatedFolder() { std::filesystem::remove_all(path_); }
  SimulatedFolder(const SimulatedFolder&) = delete;
  SimulatedFolder& operator=(const SimulatedFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace vdcu::simulation
