// The command line as all binaries of the project have it: each flag is also an environment
// variable (VDCU_LOG_LEVEL for --log-level), wrong values end with exit code 2 and a message that
// names the flag, the value and what is right.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/log.h"

namespace CLI {
class App;
}  // namespace CLI

namespace vdcu::base {

inline constexpr int kExitUsage = 2;
inline constexpr int kExitFailure = 1;

struct CommonFlags {
  std::string kubeconfig;  // empty: as kclient::LoadConfig finds it
  std::string context;     // of the kubeconfig; empty: its current one
  std::string listen;      // for HttpServer::Listen; empty: serve nothing
  Level log_level = Level::kInfo;
  LogFormat log_format = LogFormat::kText;
};

// --kubeconfig, --context, --listen, --log-level, --log-format, --version.
void AddCommonFlags(CLI::App& app, CommonFlags& flags);

// For CLI::Option::check: what is wrong with an address to listen on; empty: nothing.
std::string CheckListen(const std::string& address);

// A flag that takes one of a few names; that name's function takes it.
void AddChoice(CLI::App& app, const std::string& flag, const std::string& help,
               const std::map<std::string, std::function<void()>>& values,
               const std::string& fallback);

// Call after the last flag was added: names the environment variables and reads both. Nothing: go
// on. Else end with that exit code: 0 after --help and --version, kExitUsage after a wrong value.
std::optional<int> ParseFlags(CLI::App& app, int argc, const char* const* argv);

}  // namespace vdcu::base
