#include "base/flags.h"

#include <arpa/inet.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>

namespace vdcu::base {

namespace {

constexpr std::string_view kListenForm =
    "ADDRESS:PORT, as 127.0.0.1:8080, [::1]:8080 or :8080 (all addresses)";

bool IsAddress(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

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

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  const auto wrong = [text] {
    return Invalid("\"" + std::string(text) + "\": want " + std::string(kListenForm));
  };
  if (colon == std::string_view::npos) return wrong();
  ListenAddress address{std::string(text.substr(0, colon)), 0};
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size() || address.port < 0 ||
      address.port > 65535) {
    return wrong();
  }
  if (address.host.empty()) address.host = "::";
  const bool brackets = address.host.starts_with('[') && address.host.ends_with(']');
  if (brackets) address.host = address.host.substr(1, address.host.size() - 2);
  if (!IsAddress(address.host)) return wrong();
  return address;
}

void AddCommonFlags(CLI::App& app, CommonFlags& flags) {
  app.add_option("--kubeconfig", flags.kubeconfig,
                 "Kubeconfig file; without it the service account of the pod")
      ->type_name("FILE");
  app.add_option_function<std::string>(
         "--listen",
         [&flags](const std::string& text) {
           if (text.empty()) return;
           auto address = ParseListenAddress(text);
           if (!address) throw CLI::ValidationError("--listen", address.error().message);
           flags.listen = *address;
         },
         "Serve /healthz, /readyz and /metrics at this address; empty: serve nothing")
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
