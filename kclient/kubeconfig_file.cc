#include "kclient/kubeconfig_file.h"

#include <openssl/evp.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <filesystem>
#include <initializer_list>
#include <utility>

#include "kclient/pem.h"

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
  KubeconfigReader(const std::filesystem::path& path, const YAML::Node& document,
                   SourceFiles& files)
      : path_(path),
        folder_(path.parent_path()),
        files_(files),
        document_{document, path_ + ": "} {}

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
    if (!ns.empty()) {
      RETURN_IF_ERROR(CheckNamespace(Place(context, "namespace"), ns));
      config.namespace_name = ns;
    }
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

  // As Go's encoders write what is not set: null, "", [] or {}.
  static bool IsEmpty(const YAML::Node& value) {
    return !value || value.IsNull() || (value.IsScalar() && value.Scalar().empty()) ||
           ((value.IsSequence() || value.IsMap()) && value.size() == 0);
  }

  static Status Refuse(const Section& section, std::initializer_list<const char*> fields,
                       std::string_view why) {
    for (const char* field : fields) {
      if (!IsEmpty(section.node[field])) {
        return base::Invalid(Place(section, field) + ": " + std::string(why));
      }
    }
    return base::Ok();
  }

  struct Pem {
    std::string text;   // empty: there is none
    std::string where;  // field and file, for messages
    std::string file = "";
  };

  // From FIELD-data (base64) or from the file that FIELD names.
  Result<Pem> ReadPem(const Section& section, const std::string& field) const {
    Pem pem{.text = "", .where = Place(section, field + "-data")};
    ASSIGN_OR_RETURN(std::string data, String(section, field + "-data"));
    if (!data.empty()) {
      ASSIGN_OR_RETURN(pem.text, DecodeBase64(pem.where, std::move(data)));
      if (pem.text.empty()) return base::Invalid(pem.where + ": holds nothing");
      return pem;
    }
    ASSIGN_OR_RETURN(const std::string file, String(section, field));
    pem.where = Place(section, field);
    if (file.empty()) return pem;
    const std::string path = folder_ / file;
    auto read = ReadSmallFile(path, files_);
    if (!read) return base::WithContext(std::move(read.error()), pem.where);
    (pem.where += ": ") += path;
    pem.file = path;
    if (read->empty()) return base::Invalid(pem.where + ": holds nothing");
    pem.text = std::move(*read);
    return pem;
  }

  Result<std::string> Certificates(const Section& section, const std::string& field) const {
    ASSIGN_OR_RETURN(Pem pem, ReadPem(section, field));
    if (!pem.text.empty()) RETURN_IF_ERROR(CheckCertificates(pem.where, pem.text));
    return std::move(pem.text);
  }

  Status ReadCluster(const Section& cluster, Config& config) const {
    RETURN_IF_ERROR(Refuse(cluster, {"proxy-url"}, "proxies are not supported"));
    ASSIGN_OR_RETURN(config.server, Required(cluster, "server"));
    while (config.server.ends_with("/")) config.server.pop_back();
    if (!config.server.starts_with("https://") || config.server.size() == 8) {
      return base::Invalid(Place(cluster, "server") + ": \"" + config.server +
                           "\" must be https://HOST:PORT");
    }
    ASSIGN_OR_RETURN(config.ca_data, Certificates(cluster, "certificate-authority"));
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
    RETURN_IF_ERROR(ReadClientCertificate(user, config));
    ASSIGN_OR_RETURN(config.token, String(user, "token"));
    RETURN_IF_ERROR(CheckToken(Place(user, "token"), config.token));
    ASSIGN_OR_RETURN(const std::string file, String(user, "tokenFile"));
    if (file.empty()) return base::Ok();
    config.token_file = folder_ / file;
    auto token = ReadToken(config.token_file, files_);
    if (!token) return base::WithContext(std::move(token.error()), Place(user, "tokenFile"));
    config.token = std::move(*token);
    return base::Ok();
  }

  Status ReadClientCertificate(const Section& user, Config& config) const {
    ASSIGN_OR_RETURN(config.cert_data, Certificates(user, "client-certificate"));
    ASSIGN_OR_RETURN(Pem key, ReadPem(user, "client-key"));
    if (config.cert_data.empty() != key.text.empty()) {
      return base::Invalid(Place(user, "client-certificate") +
                           ": must come with client-key, and client-key with it");
    }
    if (!key.text.empty()) RETURN_IF_ERROR(CheckKey(key.where, key.text, config.cert_data));
    config.key_data = std::move(key.text);
    config.key_file = std::move(key.file);
    return base::Ok();
  }

  const std::string path_;
  const std::filesystem::path folder_;
  SourceFiles& files_;  // notes what is read
  const Section document_;
};

}  // namespace

Result<Config> LoadKubeconfig(const std::string& path) {
  const std::string file = std::filesystem::absolute(path);
  SourceFiles files;
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(file, files));
  try {
    ASSIGN_OR_RETURN(Config config, KubeconfigReader(file, YAML::Load(text), files).Read());
    config.kubeconfig = file;
    config.files = std::move(files);
    return config;
  } catch (const std::exception& error) {
    return base::Corrupt(file + ": " + error.what());
  }
}

}  // namespace vdcu::kclient
