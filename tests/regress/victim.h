// Another process of this test binary, which runs one of its tests and is ended in the middle of
// it; and what the kernel shows of all that it had started.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/world/background.h"

namespace vdcu::regress {

class Victim {
 public:
  // What the test of that name does: whether it is played by a Victim; tells it that all runs.
  static bool IsPlayed();
  static void Show(const std::string& folder, const std::string& cgroup = "");

  // Starts it, and waits until all runs.
  explicit Victim(const std::string& test);

  // Of all processes that belong to it: those that name its folder, and those in its cgroup.
  std::vector<std::string> Programs() const;
  int End(int signal);  // its exit code
  // Waits until nothing is left, and says what is.
  std::vector<std::string> Left() const;

 private:
  // By pid and the time of its start.
  using Processes = std::map<std::pair<pid_t, std::string>, std::string>;
  Processes Find() const;
  std::vector<std::string> LeftNow() const;

  std::string folder_;  // as Show() said
  std::string cgroup_;
  std::unique_ptr<world::Background> process_;
  Processes before_;  // as it stood when all ran
};

}  // namespace vdcu::regress
