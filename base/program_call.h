// Runs a program beside the loop and gathers what it writes to its standard output.
//
// Promises: it is bounded in time and output; beyond either it is killed, with all that it started
// and that stayed in its process group. Destroying the handle kills it, and the callback never
// runs. Its standard input is empty, its standard error ours.
// Errors: kNotFound where there is no such program, kUnavailable where it cannot be started, ends
// with another code than 0, by a signal, or is killed; the message names the program, and nothing
// that it wrote.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/uv_loop.h"

namespace vdcu::base {

struct ProgramCall {
  std::string file;                                     // a path, or a name that PATH knows
  std::vector<std::string> arguments = {};              // without its name
  std::map<std::string, std::string> environment = {};  // beside ours, and before it
  Duration most{30'000};
  size_t most_bytes = size_t{1} << 20;
};

std::unique_ptr<Subscription> StartProgram(UvLoop& loop, const ProgramCall& call,
                                           std::function<void(Result<std::string>)> on_done);

}  // namespace vdcu::base
