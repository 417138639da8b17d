#include "base/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <map>

#include "base/listen_address.h"

namespace vdcu::base {

namespace {

std::string EnvironmentName(const std::string& flag) {
  std::string name = "VDCU_" + flag;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return name;
}

}  // namespace

std::string CheckListen(const std::string& address) {
  const Status right = address.empty() ? Ok() : CheckListenAddress(address);
  return right ? "" : right.error().message;
}

void AddChoice(CLI::App& app, const std::string& flag, const std::string& help,
               const std::map<std::string, std::function<void()>>& values,
               const std::string& fallback) {
  std::string names;
  for (const auto& [name, take] : values) names += (names.empty() ? "" : "|") + name;
  const auto set = [values, flag, names](const std::string& text) {
    const auto value = values.find(text);
    if (value == values.end()) {
      throw CLI::ValidationError(flag, "\"" + text + "\": want one of " + names);
    }
    value->second();
  };
  app.add_option_function<std::string>(flag, set, help)->type_name(names)->default_str(fallback);
}

void AddCommonFlags(CLI::App& app, CommonFlags& flags) {
  app.add_option("--kubeconfig", flags.kubeconfig,
                 "Kubeconfig file; without it those that KUBECONFIG names, the service account of "
                 "the pod, or ~/.kube/config")
      ->type_name("FILE");
  app.add_option("--context", flags.context,
                 "Context of the kubeconfig; without it its current-context")
      ->type_name("NAME");
  app.add_option("--listen", flags.listen,
                 "Serve /livez, /healthz, /readyz and /metrics there; without it serve nothing")
      ->type_name("ADDRESS:PORT")
      ->check(CheckListen);
  const auto level = [&flags](Level value) { return [&flags, value] { flags.log_level = value; }; };
  AddChoice(app, "--log-level", "The least important messages that are logged",
            {{"debug", level(Level::kDebug)},
             {"info", level(Level::kInfo)},
             {"warning", level(Level::kWarning)},
             {"error", level(Level::kError)}},
            "info");
  const auto format = [&flags](LogFormat value) {
    return [&flags, value] { flags.log_format = value; };
  };
  AddChoice(app, "--log-format", "How messages are written",
            {{"text", format(LogFormat::kText)}, {"json", format(LogFormat::kJson)}}, "text");
  app.set_version_flag("--version", VDCU_VERSION, "Print the version and end");
}

std::optional<int> ParseFlags(CLI::App& app, int argc, const char* const* argv) {
  for (CLI::Option* option : app.get_options()) {
    const std::string flag = option->get_name(false, true);
    const bool value = flag.starts_with("--") && flag != "--help" && flag != "--version";
    if (value) option->envname(EnvironmentName(flag.substr(2)));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  return std::nullopt;
}

}  // namespace vdcu::base
