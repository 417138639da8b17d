#include "base/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <map>

namespace vdcu::base {

namespace {

std::string EnvironmentName(const std::string& flag) {
  std::string name = "VDCU_" + flag;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return name;
}

// A flag that takes one of the names in `values`.
template <class T>
void AddChoice(CLI::App& app, const std::string& flag, const std::string& help,
               const std::map<std::string, T>& values, const std::string& fallback, T& out) {
  std::string names;
  for (const auto& [name, value] : values) names += (names.empty() ? "" : "|") + name;
  const auto set = [&out, values, flag, names](const std::string& text) {
    const auto value = values.find(text);
    if (value == values.end()) {
      throw CLI::ValidationError(flag, "\"" + text + "\": want one of " + names);
    }
    out = value->second;
  };
  app.add_option_function<std::string>(flag, set, help)->type_name(names)->default_str(fallback);
}

}  // namespace

void AddCommonFlags(CLI::App& app, CommonFlags& flags) {
  app.add_option("--kubeconfig", flags.kubeconfig,
                 "Kubeconfig file; without it the service account of the pod")
      ->type_name("FILE");
  app.add_option("--listen", flags.listen,
                 "Serve /healthz, /readyz and /metrics there; without it serve nothing")
      ->type_name("ADDRESS:PORT");
  AddChoice<Level>(app, "--log-level", "The least important messages that are logged",
                   {{"debug", Level::kDebug},
                    {"info", Level::kInfo},
                    {"warning", Level::kWarning},
                    {"error", Level::kError}},
                   "info", flags.log_level);
  AddChoice<LogFormat>(app, "--log-format", "How messages are written",
                       {{"text", LogFormat::kText}, {"json", LogFormat::kJson}}, "text",
                       flags.log_format);
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
