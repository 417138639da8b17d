#include "kclient/config.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/dns_name.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "kclient/curl_proxy.h"
#include "kclient/kubeconfig_file.h"
#include "kclient/pem.h"

namespace vdcu::kclient {

namespace {

using base::Result;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// "A:B" -> A and B, each once; empty parts are none.
std::vector<std::string> SplitList(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream all(text);
  for (std::string part; std::getline(all, part, ':');) {
    const bool known = std::find(parts.begin(), parts.end(), part) != parts.end();
    if (!part.empty() && !known) parts.push_back(part);
  }
  return parts;
}

}  // namespace

Result<std::string> ReadSmallFile(const std::string& path, SourceFiles& files) {
  files[path] = base::StampOf(path);
  return base::Root("/").Read(path, size_t{1} << 20);
}

Result<std::string> ReadToken(const std::string& path, SourceFiles& files) {
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path, files));
  std::string token(base::Trim(text));
  if (token.empty()) return base::Invalid(path + ": holds no token");
  RETURN_IF_ERROR(CheckToken(path, token));
  return token;
}

base::Status CheckToken(const std::string& what, std::string_view token) {
  // It becomes a header's value as it is.
  const bool printable =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!printable) return base::Invalid(what + ": a token has no space and no control character");
  return base::Ok();
}

base::Status CheckNamespace(const std::string& what, std::string_view name) {
  if (base::IsDnsLabel(name)) return base::Ok();
  return base::Invalid(what + ": \"" + std::string(name) +
                       "\": want a namespace's name: a-z, 0-9 and -, 63 characters at most");
}

Result<Config> LoadInCluster(const std::string& folder) {
  const std::string host = Environment("KUBERNETES_SERVICE_HOST");
  const std::string port = Environment("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty()) {
    return base::NotFound(
        "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not both set: not in a pod");
  }
  Config config;
  const bool ipv6 = host.find(':') != std::string::npos;
  config.server = "https://" + (ipv6 ? "[" + host + "]" : host) + ":" + port;
  config.token_file = folder + "/token";
  config.service_account = folder;
  ASSIGN_OR_RETURN(config.proxy, ProxyFromEnvironment(config.server));
  ASSIGN_OR_RETURN(config.token, ReadToken(config.token_file, config.files));
  ASSIGN_OR_RETURN(config.ca_data, ReadSmallFile(folder + "/ca.crt", config.files));
  RETURN_IF_ERROR(CheckCertificates(folder + "/ca.crt", config.ca_data));
  SourceFiles read_once;  // a pod stays in its namespace
  const auto ns = ReadSmallFile(folder + "/namespace", read_once);
  if (ns && !base::Trim(*ns).empty()) {
    config.namespace_name = base::Trim(*ns);
    RETURN_IF_ERROR(CheckNamespace(folder + "/namespace", config.namespace_name));
  }
  return config;
}

Result<Config> LoadConfig(const std::string& path, const std::string& context) {
  if (!path.empty()) return LoadKubeconfig({path}, context);
  if (const std::string named = Environment("KUBECONFIG"); !named.empty()) {
    return LoadKubeconfig(SplitList(named), context);
  }
  if (!Environment("KUBERNETES_SERVICE_HOST").empty()) {
    if (context.empty()) return LoadInCluster();
    return base::Invalid("--context \"" + context +
                         "\": a pod's service account has none: want a kubeconfig, too");
  }
  const std::string home = Environment("HOME") + "/.kube/config";
  if (!base::Root("/").Exists(home)) {
    return base::NotFound(
        "no API server is configured: no --kubeconfig, no KUBECONFIG, not in a pod, no " + home);
  }
  return LoadKubeconfig({home}, context);
}

std::vector<std::string> WarningsOf(const Config& config) {
  std::vector<std::string> warnings;
  if (config.insecure_skip_tls_verify) {
    warnings.push_back(
        config.cluster_file +
        ": insecure-skip-tls-verify: true: whoever answers in the API server's place "
        "gets the credentials and is believed");
  }
  const auto look = [&](const std::string& what, const std::string& path) {
    struct stat file{};
    if (path.empty() || stat(path.c_str(), &file) != 0) return;
    if ((file.st_mode & (S_IRGRP | S_IROTH)) == 0) return;
    std::ostringstream mode;
    mode << std::oct << (file.st_mode & 07777);
    warnings.push_back(path + ": the " + what + " can be read by others, its mode is 0" +
                       mode.str() + ": want 0600");
  };
  for (const std::string& path : config.kubeconfigs) look("kubeconfig", path);
  if (config.kubeconfigs.empty()) return warnings;
  look("client's key", config.key_file);
  look("token", config.token_file);
  return warnings;
}

Result<Config> LoadConfigAndWarn(const base::CommonFlags& flags) {
  auto config = LoadConfig(flags.kubeconfig, flags.context);
  if (!config) return base::WithContext(std::move(config.error()), "no way to the API server");
  for (const std::string& warning : WarningsOf(*config)) {
    base::Log(base::Level::kWarning, "credentials are not safe", {{"why", warning}});
  }
  return config;
}

}  // namespace vdcu::kclient
