// Fields of a kubeconfig, with their place for messages. yaml-cpp throws: who calls this catches.
#pragma once

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kclient/config.h"

namespace vdcu::kclient {

// One file of those that are read as one.
struct KubeconfigDocument {
  std::string path;  // absolute
  YAML::Node root;   // a map
};

// The map of one cluster, user or context, or one within it. A field that is empty, as Go's
// encoders write what is not set (null, "", [], {}), counts as absent.
class KubeconfigSection {
 public:
  // `where`: before a field's name, "FILE: users[jane].user.".
  KubeconfigSection(const YAML::Node& node, std::string where, std::filesystem::path folder)
      : node_(node), where_(std::move(where)), folder_(std::move(folder)) {}

  std::string Place(std::string_view field) const { return where_ + std::string(field); }
  const std::string& where() const { return where_; }
  // Relative paths of fields are relative to it.
  const std::filesystem::path& folder() const { return folder_; }
  bool Has(const std::string& field) const;

  base::Result<std::string> String(const std::string& field) const;
  base::Result<std::string> Required(const std::string& field) const;
  base::Result<bool> Bool(const std::string& field) const;
  base::Result<std::vector<std::string>> Strings(const std::string& field) const;
  // A map of lists.
  base::Result<std::map<std::string, std::vector<std::string>>> Lists(
      const std::string& field) const;
  // The map at `field`; an empty one where it is absent.
  base::Result<KubeconfigSection> Map(const std::string& field) const;
  // A list of {name: N, value: V}.
  base::Result<std::map<std::string, std::string>> NamedValues(const std::string& field) const;
  // `why` says what would be right.
  base::Status Refuse(std::initializer_list<const char*> fields, std::string_view why) const;

  struct Pem {
    std::string text;   // empty: there is none
    std::string where;  // field and file, for messages
    std::string file = "";
  };
  // From FIELD-data (base64) or from the file that FIELD names, which is noted in `files`.
  base::Result<Pem> ReadPem(const std::string& field, SourceFiles& files) const;

 private:
  YAML::Node At(const std::string& field) const;

  YAML::Node node_;
  std::string where_;
  std::filesystem::path folder_;
};

// The map `part` of the entry of `list` that has this name, of the first file that has one.
base::Result<KubeconfigSection> FindSection(const std::vector<KubeconfigDocument>& documents,
                                            const std::string& list, const std::string& name,
                                            const std::string& part);

}  // namespace vdcu::kclient
