// Running programs and waiting for them, for tests against real ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vdcu::world {

struct Output {
  int exit_code = -1;  // 128 + signal where one ended it
  std::string text;    // standard output and error together
};

// Runs `arguments` (the first is the program, found by PATH) with `input` as standard input, until
// its output is closed and it has ended.
Output RunProgram(const std::vector<std::string>& arguments, std::string_view input = "");

}  // namespace vdcu::world
