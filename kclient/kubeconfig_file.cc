#include "kclient/kubeconfig_file.h"

#include <openssl/evp.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <filesystem>
#include <initializer_list>
#include <utility>

namespace vdcu::kclient {

namespace {

using base::Result;
using base::Status;

Result<std::string> DecodeBase64(const std::string& what, std::string text) {
  std::erase_if(text, [](unsigned char c) { return std::isspace(c) != 0; });
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = text.size() % 4 != 0
                       ? -1
                       : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                         reinterpret_cast<const unsigned char*>(text.data()),
                                         static_cast<int>(text.size()));
  if (size < 0) return base::Invalid(what + ": is not base64");
  // EVP_DecodeBlock counts the padding as zeros.
  const auto padding = static_cast<size_t>(std::count(text.begin(), text.end(), '='));
  bytes.resize(static_cast<size_t>(size) - std::min(padding, static_cast<size_t>(size)));
  return bytes;
}

// One named entry of "clusters", "users" or "contexts" with its place in messages.
struct Section {
  YAML::Node node;
  std::string where;  // before a field's name: "FILE: users[jane].user."
};

// Reads one kubeconfig. yaml-cpp throws; Read() is called in a try.
class KubeconfigReader {
 public:
  KubeconfigReader(const std::string& path, const YAML::Node& document)
      : path_(path),
        folder_(std::filesystem::absolute(path).parent_path()),
        document_{document, path + ": "} {}

  Result<Config> Read() {
    if (!document_.node.IsMap()) return base::Invalid(path_ + ": is not a kubeconfig (no map)");
    ASSIGN_OR_RETURN(const std::string current, Required(document_, "current-context"));
    ASSIGN_OR_RETURN(const Section context, Find("contexts", current, "context"));
    ASSIGN_OR_RETURN(const std::string cluster_name, Required(context, "cluster"));
    ASSIGN_OR_RETURN(const std::string user_name, Required(context, "user"));
    ASSIGN_OR_RETURN(const Section cluster, Find("clusters", cluster_name, "cluster"));
    ASSIGN_OR_RETURN(const Section user, Find("users", user_name, "user"));
    Config config;
    ASSIGN_OR_RETURN(const std::string ns, String(context, "namespace"));
    if (!ns.empty()) config.namespace_name = ns;
    RETURN_IF_ERROR(ReadCluster(cluster, config));
    RETURN_IF_ERROR(ReadUser(user, config));
    return config;
  }

 private:
  static std::string Place(const Section& section, std::string_view field) {
    return section.where + std::string(field);
  }

  // Empty where it is absent.
  static Result<std::string> String(const Section& section, const std::string& field) {
    if (!section.node.IsMap()) return std::string();
    const YAML::Node value = section.node[field];
    if (!value || value.IsNull()) return std::string();
    if (!value.IsScalar()) return base::Invalid(Place(section, field) + ": must be a string");
    return value.Scalar();
  }

  static Result<std::string> Required(const Section& section, const std::string& field) {
    ASSIGN_OR_RETURN(std::string value, String(section, field));
    if (value.empty()) return base::Invalid(Place(section, field) + ": is missing or empty");
    return value;
  }

  // The map `part` of the entry of `list` that has this name.
  Result<Section> Find(const std::string& list, const std::string& name,
                       const std::string& part) const {
    const std::string where = path_ + ": " + list + "[" + name + "]";
    const YAML::Node entries = document_.node[list];
    if (entries && entries.IsSequence()) {
      for (const YAML::Node& entry : entries) {
        if (!entry.IsMap() || !entry["name"] || !entry["name"].IsScalar()) continue;
        if (entry["name"].Scalar() != name) continue;
        const YAML::Node value = entry[part];
        if (!value || !value.IsMap()) return base::Invalid(where + "." + part + ": must be a map");
        return Section{value, where + "." + part + "."};
      }
    }
    return base::Invalid(where + ": no such entry");
  }

  static Status Refuse(const Section& section, std::initializer_list<const char*> fields,
                       std::string_view why) {
    for (const char* field : fields) {
      if (section.node[field] && !section.node[field].IsNull()) {
        return base::Invalid(Place(section, field) + ": " + std::string(why));
      }
    }
    return base::Ok();
  }

  // PEM from FIELD-data (base64) or from the file that FIELD names; empty where there is neither.
  Result<std::string> Pem(const Section& section, const std::string& field,
                          std::string_view kind) const {
    std::string what = Place(section, field + "-data");
    ASSIGN_OR_RETURN(std::string text, String(section, field + "-data"));
    if (!text.empty()) {
      ASSIGN_OR_RETURN(text, DecodeBase64(what, std::move(text)));
    } else {
      ASSIGN_OR_RETURN(const std::string file, String(section, field));
      if (file.empty()) return std::string();
      what = Place(section, field);
      auto read = ReadSmallFile(folder_ / file);
      if (!read) return base::WithContext(std::move(read.error()), what);
      text = std::move(*read);
    }
    RETURN_IF_ERROR(CheckPem(what, text, kind));
    return text;
  }

  Status ReadCluster(const Section& cluster, Config& config) const {
    RETURN_IF_ERROR(Refuse(cluster, {"proxy-url"}, "proxies are not supported"));
    ASSIGN_OR_RETURN(config.server, Required(cluster, "server"));
    while (config.server.ends_with("/")) config.server.pop_back();
    if (!config.server.starts_with("https://") || config.server.size() == 8) {
      return base::Invalid(Place(cluster, "server") + ": \"" + config.server +
                           "\" must be https://HOST:PORT");
    }
    ASSIGN_OR_RETURN(config.ca_data, Pem(cluster, "certificate-authority", "CERTIFICATE-----"));
    ASSIGN_OR_RETURN(config.tls_server_name, String(cluster, "tls-server-name"));
    ASSIGN_OR_RETURN(const std::string insecure, String(cluster, "insecure-skip-tls-verify"));
    if (!insecure.empty() && insecure != "true" && insecure != "false") {
      return base::Invalid(Place(cluster, "insecure-skip-tls-verify") + ": \"" + insecure +
                           "\" must be true or false");
    }
    config.insecure_skip_tls_verify = insecure == "true";
    if (config.insecure_skip_tls_verify && !config.ca_data.empty()) {
      return base::Invalid(Place(cluster, "insecure-skip-tls-verify") +
                           ": true contradicts certificate-authority; have one of them");
    }
    return base::Ok();
  }

  Status ReadUser(const Section& user, Config& config) const {
    RETURN_IF_ERROR(Refuse(user, {"exec", "auth-provider"},
                           "no programs are run for credentials; use a client certificate, token "
                           "or tokenFile"));
    RETURN_IF_ERROR(Refuse(user, {"username", "password"}, "API servers know no passwords"));
    RETURN_IF_ERROR(Refuse(user, {"as", "as-uid", "as-groups", "as-user-extra"},
                           "impersonation is not supported"));
    ASSIGN_OR_RETURN(config.cert_data, Pem(user, "client-certificate", "CERTIFICATE-----"));
    ASSIGN_OR_RETURN(config.key_data, Pem(user, "client-key", ""));
    if (config.cert_data.empty() != config.key_data.empty()) {
      return base::Invalid(Place(user, "client-certificate") +
                           ": must come with client-key, and client-key with it");
    }
    ASSIGN_OR_RETURN(config.token, String(user, "token"));
    RETURN_IF_ERROR(CheckToken(Place(user, "token"), config.token));
    ASSIGN_OR_RETURN(const std::string file, String(user, "tokenFile"));
    if (file.empty()) return base::Ok();
    config.token_file = folder_ / file;
    auto token = ReadToken(config.token_file);
    if (!token) return base::WithContext(std::move(token.error()), Place(user, "tokenFile"));
    config.token = std::move(*token);
    return base::Ok();
  }

  const std::string path_;
  const std::filesystem::path folder_;
  const Section document_;
};

}  // namespace

Status CheckPem(const std::string& what, std::string_view text, std::string_view kind) {
  const std::string begin = "-----BEGIN " + std::string(kind);
  if (text.find(begin) != std::string_view::npos) return base::Ok();
  return base::Invalid(what + ": is not PEM, no \"" + begin + "\" in it");
}

Result<Config> LoadKubeconfig(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  try {
    return KubeconfigReader(path, YAML::Load(text)).Read();
  } catch (const std::exception& error) {
    return base::Corrupt(path + ": " + error.what());
  }
}

}  // namespace vdcu::kclient
