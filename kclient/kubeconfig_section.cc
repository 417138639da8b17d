#include "kclient/kubeconfig_section.h"

#include <algorithm>
#include <utility>

#include "kclient/base64.h"
#include "kclient/kubeconfig_file.h"

namespace vdcu::kclient {

namespace {

using base::Result;
using base::Status;

bool IsEmpty(const YAML::Node& value) {
  return !value || value.IsNull() || (value.IsScalar() && value.Scalar().empty()) ||
         ((value.IsSequence() || value.IsMap()) && value.size() == 0);
}

Result<std::vector<std::string>> ToStrings(const std::string& what, const YAML::Node& value) {
  std::vector<std::string> strings;
  if (IsEmpty(value)) return strings;
  if (!value.IsSequence()) return base::Invalid(what + ": must be a list of strings");
  for (const YAML::Node& each : value) {
    if (!each.IsScalar()) return base::Invalid(what + ": must be a list of strings");
    strings.push_back(each.Scalar());
  }
  return strings;
}

std::string NameOf(const YAML::Node& entry) {
  const bool has = entry.IsMap() && entry["name"] && entry["name"].IsScalar();
  return has ? entry["name"].Scalar() : "";
}

}  // namespace

YAML::Node KubeconfigSection::At(const std::string& field) const {
  const YAML::Node& node = node_;  // a const one does not add what it is asked for
  return node.IsMap() ? node[field] : YAML::Node(YAML::NodeType::Null);
}

bool KubeconfigSection::Has(const std::string& field) const { return !IsEmpty(At(field)); }

Result<std::string> KubeconfigSection::String(const std::string& field) const {
  const YAML::Node value = At(field);
  if (!value || value.IsNull()) return std::string();
  if (!value.IsScalar()) return base::Invalid(Place(field) + ": must be a string");
  return value.Scalar();
}

Result<std::string> KubeconfigSection::Required(const std::string& field) const {
  ASSIGN_OR_RETURN(std::string value, String(field));
  if (value.empty()) return base::Invalid(Place(field) + ": is missing or empty");
  return value;
}

Result<bool> KubeconfigSection::Bool(const std::string& field) const {
  ASSIGN_OR_RETURN(const std::string value, String(field));
  if (!value.empty() && value != "true" && value != "false") {
    return base::Invalid(Place(field) + ": \"" + value + "\" must be true or false");
  }
  return value == "true";
}

Result<std::vector<std::string>> KubeconfigSection::Strings(const std::string& field) const {
  return ToStrings(Place(field), At(field));
}

Result<std::map<std::string, std::vector<std::string>>> KubeconfigSection::Lists(
    const std::string& field) const {
  std::map<std::string, std::vector<std::string>> lists;
  const YAML::Node value = At(field);
  if (IsEmpty(value)) return lists;
  if (!value.IsMap()) return base::Invalid(Place(field) + ": must be a map of lists");
  for (const auto& each : value) {
    const std::string key = each.first.IsScalar() ? each.first.Scalar() : "";
    if (key.empty()) return base::Invalid(Place(field) + ": must be a map of lists");
    ASSIGN_OR_RETURN(lists[key], ToStrings(Place(field) + "[" + key + "]", each.second));
  }
  return lists;
}

Result<KubeconfigSection> KubeconfigSection::Map(const std::string& field) const {
  const YAML::Node value = At(field);
  if (!IsEmpty(value) && !value.IsMap()) return base::Invalid(Place(field) + ": must be a map");
  return KubeconfigSection(value, Place(field) + ".", folder_);
}

Result<std::map<std::string, std::string>> KubeconfigSection::NamedValues(
    const std::string& field) const {
  std::map<std::string, std::string> values;
  const YAML::Node list = At(field);
  if (IsEmpty(list)) return values;
  if (!list.IsSequence()) return base::Invalid(Place(field) + ": must be a list");
  for (const YAML::Node& each : list) {
    const KubeconfigSection entry(each, Place(field) + "[].", folder_);
    ASSIGN_OR_RETURN(const std::string name, entry.Required("name"));
    ASSIGN_OR_RETURN(values[name], entry.String("value"));
  }
  return values;
}

Status KubeconfigSection::Refuse(std::initializer_list<const char*> fields,
                                 std::string_view why) const {
  for (const char* field : fields) {
    if (Has(field)) return base::Invalid(Place(field) + ": " + std::string(why));
  }
  return base::Ok();
}

Result<KubeconfigSection::Pem> KubeconfigSection::ReadPem(const std::string& field,
                                                          SourceFiles& files) const {
  Pem pem{.text = "", .where = Place(field + "-data")};
  ASSIGN_OR_RETURN(std::string data, String(field + "-data"));
  if (!data.empty()) {
    auto bytes = DecodeBase64(data);
    if (!bytes) return base::Invalid(pem.where + ": is not base64");
    pem.text = std::move(*bytes);
    if (pem.text.empty()) return base::Invalid(pem.where + ": holds nothing");
    return pem;
  }
  ASSIGN_OR_RETURN(const std::string file, String(field));
  pem.where = Place(field);
  if (file.empty()) return pem;
  const std::string path = folder_ / file;
  auto read = ReadSmallFile(path, files);
  if (!read) return base::WithContext(std::move(read.error()), pem.where);
  (pem.where += ": ") += path;
  pem.file = path;
  if (read->empty()) return base::Invalid(pem.where + ": holds nothing");
  pem.text = std::move(*read);
  return pem;
}

Result<KubeconfigSection> FindSection(const std::vector<KubeconfigDocument>& documents,
                                      const std::string& list, const std::string& name,
                                      const std::string& part) {
  std::string paths;
  std::string names;
  for (const KubeconfigDocument& document : documents) {
    (paths += paths.empty() ? "" : ":") += document.path;
    const YAML::Node entries = document.root[list];
    if (!entries || !entries.IsSequence()) continue;
    for (const YAML::Node& entry : entries) {
      const std::string found = NameOf(entry);
      if (found != name) {
        if (!found.empty()) (names += names.empty() ? "" : ", ") += found;
        continue;
      }
      const std::string where = document.path + ": " + list + "[" + name + "]." + part;
      const YAML::Node value = entry[part];
      if (!value || !value.IsMap()) return base::Invalid(where + ": must be a map");
      return KubeconfigSection(value, where + ".",
                               std::filesystem::path(document.path).parent_path());
    }
  }
  return base::Invalid(paths + ": " + list + "[" + name + "]: no such entry" +
                       (names.empty() ? "" : ": want one of " + names));
}

}  // namespace vdcu::kclient
