// A program that runs beside the test: killed with it, its output in a file.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/clock.h"

namespace vdcu::world {

class Background {
 public:
  // `arguments` as for RunProgram; standard output and error are appended to `log`.
  Background(const std::vector<std::string>& arguments, const std::string& log);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // The exit code (128 + signal where one ended it), or -1 when it still runs after `most`.
  int Wait(base::Duration most);

 private:
  pid_t pid_ = -1;
  int exit_code_ = -1;
};

}  // namespace vdcu::world
