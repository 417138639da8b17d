// What main() is in each of our processes: command line, heap, log, signals, exit code.
//
//   int main(int argc, char** argv) { return base::Main(argc, argv, &ParseOptions, &Run); }
//
// Exit codes: 0 ended by a signal, 1 failed, 2 wrong command line.
#pragma once

#include <functional>
#include <memory>
#include <variant>
#include <vector>

#include "base/flags.h"
#include "base/http/server.h"
#include "base/result.h"
#include "base/uv_loop.h"

namespace vdcu::base {

// Heap and log.
void SetUpProcess(const CommonFlags& flags);
// Logs why the process cannot start. Returns the exit code.
int CannotStart(const Error& error);

// Where --listen says; null where it says nothing.
Result<std::unique_ptr<HttpServer>> Serve(UvLoop& loop, const CommonFlags& flags,
                                          std::vector<HttpRoute> routes);

// Runs the loop until it is stopped; SIGTERM and SIGINT call `on_signal`.
void RunLoop(UvLoop& loop, const std::function<void()>& on_signal);

// `parse` returns the options, which have CommonFlags in `common`, or the exit code to end with;
// `run` the exit code, or why the process cannot start.
template <class Options>
int Main(int argc, const char* const* argv,
         std::variant<Options, int> (*parse)(int argc, const char* const* argv),
         Result<int> (*run)(const Options& options)) {
  const auto parsed = parse(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  const auto& options = std::get<Options>(parsed);
  SetUpProcess(options.common);
  const Result<int> code = run(options);
  return code ? *code : CannotStart(code.error());
}

}  // namespace vdcu::base
