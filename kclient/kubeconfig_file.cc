#include "kclient/kubeconfig_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "kclient/base64.h"
#include "kclient/curl_proxy.h"
#include "kclient/kubeconfig_section.h"
#include "kclient/pem.h"

namespace vdcu::kclient {

namespace {

using base::Result;
using base::Status;

// Reads files that are there. yaml-cpp throws; Read() is called in a try.
class KubeconfigReader {
 public:
  explicit KubeconfigReader(SourceFiles& files) : files_(files) {}

  // Nothing is read where the file is absent and need not be there.
  Status Add(const std::string& path, bool must_be_there) {
    auto text = ReadSmallFile(path, files_);
    if (!text && text.error().code == base::ErrorCode::kNotFound && !must_be_there) {
      return base::Ok();
    }
    if (!text) return std::move(text.error());
    try {
      documents_.push_back({path, YAML::Load(*text)});
    } catch (const std::exception& error) {
      return base::Corrupt(path + ": " + error.what());
    }
    if (documents_.back().root.IsMap()) return base::Ok();
    return base::Invalid(path + ": is not a kubeconfig (no map)");
  }
  bool empty() const { return documents_.empty(); }

  Result<Config> Read(const std::string& asked) {
    ASSIGN_OR_RETURN(const std::string name, ContextName(asked));
    ASSIGN_OR_RETURN(const auto context, FindSection(documents_, "contexts", name, "context"));
    ASSIGN_OR_RETURN(const std::string cluster_name, context.Required("cluster"));
    ASSIGN_OR_RETURN(const std::string user_name, context.Required("user"));
    ASSIGN_OR_RETURN(const auto cluster,
                     FindSection(documents_, "clusters", cluster_name, "cluster"));
    ASSIGN_OR_RETURN(const auto user, FindSection(documents_, "users", user_name, "user"));
    Config config;
    ASSIGN_OR_RETURN(const std::string ns, context.String("namespace"));
    if (!ns.empty()) {
      RETURN_IF_ERROR(CheckNamespace(context.Place("namespace"), ns));
      config.namespace_name = ns;
    }
    RETURN_IF_ERROR(ReadCluster(cluster, config));
    RETURN_IF_ERROR(ReadUser(user, config));
    if (user.Has("exec")) {
      ASSIGN_OR_RETURN(const auto exec, user.Map("exec"));
      ASSIGN_OR_RETURN(config.exec, ReadExec(exec, cluster, config));
    }
    return config;
  }

 private:
  // What was asked for, or what the first file says that says something.
  Result<std::string> ContextName(const std::string& asked) const {
    if (!asked.empty()) return asked;
    for (const KubeconfigDocument& document : documents_) {
      const KubeconfigSection top(document.root, document.path + ": ", "");
      ASSIGN_OR_RETURN(std::string name, top.String("current-context"));
      if (!name.empty()) return name;
    }
    return base::Invalid(documents_.front().path + ": current-context: is missing or empty");
  }

  Status ReadCluster(const KubeconfigSection& cluster, Config& config) const {
    ASSIGN_OR_RETURN(config.server, cluster.Required("server"));
    config.cluster_file = cluster.where().substr(0, cluster.where().find(": clusters["));
    while (config.server.ends_with("/")) config.server.pop_back();
    if (!config.server.starts_with("https://") || config.server.size() == 8) {
      return base::Invalid(cluster.Place("server") + ": \"" + config.server +
                           "\" must be https://HOST:PORT");
    }
    ASSIGN_OR_RETURN(config.ca_data, Certificates(cluster, "certificate-authority"));
    ASSIGN_OR_RETURN(config.tls_server_name, cluster.String("tls-server-name"));
    ASSIGN_OR_RETURN(config.insecure_skip_tls_verify, cluster.Bool("insecure-skip-tls-verify"));
    if (config.insecure_skip_tls_verify && !config.ca_data.empty()) {
      return base::Invalid(cluster.Place("insecure-skip-tls-verify") +
                           ": true contradicts certificate-authority; have one of them");
    }
    ASSIGN_OR_RETURN(const std::string proxy, cluster.String("proxy-url"));
    if (proxy.empty()) {
      ASSIGN_OR_RETURN(config.proxy, ProxyFromEnvironment(config.server));
    } else {
      ASSIGN_OR_RETURN(config.proxy, ParseProxy(cluster.Place("proxy-url"), proxy));
    }
    return base::Ok();
  }

  Status ReadUser(const KubeconfigSection& user, Config& config) const {
    RETURN_IF_ERROR(user.Refuse({"auth-provider"}, "Kubernetes has none any more; use exec"));
    RETURN_IF_ERROR(user.Refuse({"username", "password"}, "API servers know no passwords"));
    RETURN_IF_ERROR(ReadImpersonation(user, config.impersonate));
    RETURN_IF_ERROR(ReadClientCertificate(user, config));
    ASSIGN_OR_RETURN(config.token, user.String("token"));
    RETURN_IF_ERROR(CheckToken(user.Place("token"), config.token));
    ASSIGN_OR_RETURN(const std::string file, user.String("tokenFile"));
    if (file.empty()) return base::Ok();
    config.token_file = user.folder() / file;
    auto token = ReadToken(config.token_file, files_);
    if (!token) return base::WithContext(std::move(token.error()), user.Place("tokenFile"));
    config.token = std::move(*token);
    return base::Ok();
  }

  static Result<ExecPlugin> ReadExec(const KubeconfigSection& exec,
                                     const KubeconfigSection& cluster, const Config& config) {
    ExecPlugin plugin{.where = exec.where().substr(0, exec.where().size() - 1)};
    ASSIGN_OR_RETURN(plugin.api_version, exec.Required("apiVersion"));
    const bool v1 = plugin.api_version == "client.authentication.k8s.io/v1";
    if (!v1 && plugin.api_version != "client.authentication.k8s.io/v1beta1") {
      return base::Invalid(exec.Place("apiVersion") + ": \"" + plugin.api_version +
                           "\": want client.authentication.k8s.io/v1 or /v1beta1");
    }
    ASSIGN_OR_RETURN(plugin.command, exec.Required("command"));
    // A name is looked for in PATH; a path is relative to the kubeconfig.
    if (plugin.command.find('/') != std::string::npos) {
      plugin.command = exec.folder() / plugin.command;
    }
    ASSIGN_OR_RETURN(plugin.arguments, exec.Strings("args"));
    ASSIGN_OR_RETURN(plugin.environment, exec.NamedValues("env"));
    ASSIGN_OR_RETURN(plugin.install_hint, exec.String("installHint"));
    ASSIGN_OR_RETURN(const std::string mode, exec.String("interactiveMode"));
    if (mode != "Never" && mode != "IfAvailable" && (v1 || !mode.empty())) {
      return base::Invalid(exec.Place("interactiveMode") + ": \"" + mode +
                           "\": want Never or IfAvailable; nobody is there to be asked");
    }
    ASSIGN_OR_RETURN(plugin.environment["KUBERNETES_EXEC_INFO"],
                     ExecInfo(exec, plugin.api_version, cluster, config));
    return plugin;
  }

  static Result<std::string> ExecInfo(const KubeconfigSection& exec, const std::string& api_version,
                                      const KubeconfigSection& cluster, const Config& config) {
    nlohmann::json info{{"apiVersion", api_version},
                        {"kind", "ExecCredential"},
                        {"spec", {{"interactive", false}}}};
    ASSIGN_OR_RETURN(const bool provides, exec.Bool("provideClusterInfo"));
    if (!provides) return info.dump();
    RETURN_IF_ERROR(cluster.Refuse(
        {"extensions"}, "are not given to exec plugins; take provideClusterInfo or them away"));
    ASSIGN_OR_RETURN(const std::string proxy, cluster.String("proxy-url"));
    nlohmann::json& given = info["spec"]["cluster"];
    given["server"] = config.server;
    if (!config.tls_server_name.empty()) given["tls-server-name"] = config.tls_server_name;
    if (config.insecure_skip_tls_verify) given["insecure-skip-tls-verify"] = true;
    if (!config.ca_data.empty()) given["certificate-authority-data"] = EncodeBase64(config.ca_data);
    if (!proxy.empty()) given["proxy-url"] = proxy;
    return info.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  static Status ReadImpersonation(const KubeconfigSection& user, Impersonation& who) {
    ASSIGN_OR_RETURN(who.user, user.String("as"));
    ASSIGN_OR_RETURN(who.uid, user.String("as-uid"));
    ASSIGN_OR_RETURN(who.groups, user.Strings("as-groups"));
    ASSIGN_OR_RETURN(who.extra, user.Lists("as-user-extra"));
    return CheckImpersonation(user.where(), who);
  }

  Result<std::string> Certificates(const KubeconfigSection& section,
                                   const std::string& field) const {
    ASSIGN_OR_RETURN(auto pem, section.ReadPem(field, files_));
    if (!pem.text.empty()) RETURN_IF_ERROR(CheckCertificates(pem.where, pem.text));
    return std::move(pem.text);
  }

  Status ReadClientCertificate(const KubeconfigSection& user, Config& config) const {
    ASSIGN_OR_RETURN(config.cert_data, Certificates(user, "client-certificate"));
    ASSIGN_OR_RETURN(auto key, user.ReadPem("client-key", files_));
    if (config.cert_data.empty() != key.text.empty()) {
      return base::Invalid(user.Place("client-certificate") +
                           ": must come with client-key, and client-key with it");
    }
    if (!key.text.empty()) RETURN_IF_ERROR(CheckKey(key.where, key.text, config.cert_data));
    config.key_data = std::move(key.text);
    config.key_file = std::move(key.file);
    return base::Ok();
  }

  SourceFiles& files_;  // notes what is read
  std::vector<KubeconfigDocument> documents_;
};

}  // namespace

Result<Config> LoadKubeconfig(const std::vector<std::string>& paths, const std::string& context) {
  SourceFiles files;
  KubeconfigReader reader(files);
  std::vector<std::string> absolute;
  std::string all;
  for (const std::string& path : paths) {
    absolute.push_back(std::filesystem::absolute(path));
    RETURN_IF_ERROR(reader.Add(absolute.back(), paths.size() == 1));
    (all += all.empty() ? "" : ":") += absolute.back();
  }
  if (reader.empty()) return base::NotFound(all + ": none of these kubeconfigs is there");
  try {
    ASSIGN_OR_RETURN(Config config, reader.Read(context));
    config.kubeconfigs = std::move(absolute);
    config.context = context;
    config.files = std::move(files);
    return config;
  } catch (const std::exception& error) {
    return base::Corrupt(all + ": " + error.what());
  }
}

}  // namespace vdcu::kclient
