// Schema (crds/*.yaml) and type must have the same fields: the full objects of json.h have all of
// the schema's and no other, and the types print back all that they read of them.

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "crds/dcunode.h"
#include "crds/vdcupartition.h"
#include "tests/crds/json.h"

namespace vdcu::crds {
namespace {

using nlohmann::json;
using Paths = std::set<std::string>;

YAML::Node RootSchema(const char* file) {
  const YAML::Node versions = YAML::LoadFile(file)["spec"]["versions"];
  EXPECT_EQ(versions.size(), 1U);
  return versions[0]["schema"]["openAPIV3Schema"];
}

// The paths of all properties below `path`; list items are "[]".
void AddSchemaPaths(const YAML::Node& schema, const std::string& path, Paths& paths) {
  for (const auto& property : schema["properties"]) {
    const std::string inner = path + "." + property.first.as<std::string>();
    paths.insert(inner);
    AddSchemaPaths(property.second, inner, paths);
  }
  if (schema["items"]) AddSchemaPaths(schema["items"], path + "[]", paths);
}

// Only as deep as `schema` has properties: the members of a map of labels are not fields.
void AddObjectPaths(const json& object, const std::string& path, Paths& paths) {
  for (const auto& [key, value] : object.items()) {
    const std::string inner = path + (object.is_array() ? "[]" : "." + key);
    if (object.is_object()) paths.insert(inner);
    if (value.is_structured() && key != "metadata" && key != "nodeSelector") {
      AddObjectPaths(value, inner, paths);
    }
  }
}

Paths SchemaPaths(const char* file) {
  Paths paths;
  AddSchemaPaths(RootSchema(file), "", paths);
  return paths;
}

Paths ObjectPaths(const json& object) {
  Paths paths;
  AddObjectPaths(object, "", paths);
  return paths;
}

void ExpectDescriptions(const YAML::Node& schema, const std::string& path) {
  for (const auto& property : schema["properties"]) {
    const std::string inner = path + "." + property.first.as<std::string>();
    // The apiserver has its own text for metadata and takes no other.
    if (inner != ".metadata") {
      EXPECT_TRUE(property.second["description"]) << inner;
    }
    ExpectDescriptions(property.second, inner);
  }
  if (schema["items"]) ExpectDescriptions(schema["items"], path + "[]");
}

TEST(Schema, OfVdcuPartitionHasTheFieldsOfTheType) {
  json with_units = FullPartition();
  with_units["spec"].erase("cores");
  with_units["spec"]["computeUnits"] = 9;
  Paths printed;
  for (const json& object : {FullPartition(), with_units}) {
    const auto partition = Parse<VdcuPartition>(object);
    ASSERT_TRUE(partition) << partition.error().message;
    json again = ToJson(*partition);
    again["status"] = ToJson(partition->status);
    EXPECT_EQ(again, object);
    printed.merge(ObjectPaths(again));
  }
  EXPECT_EQ(printed, SchemaPaths("crds/vdcupartition.yaml"));
}

TEST(Schema, OfDcuNodeHasTheFieldsOfTheType) {
  const json object = FullNode();
  EXPECT_EQ(ObjectPaths(object), SchemaPaths("crds/dcunode.yaml"));
  const auto node = Parse<DcuNode>(object);
  ASSERT_TRUE(node) << node.error().message;
  EXPECT_EQ(ToJson(node->status), object["status"]);
}

TEST(Schema, OfDcuNodeHasNoFieldOfSpecThatIsNotRead) {
  const json object = FullNode();
  for (const auto& [key, value] : object["spec"].items()) {
    json one = object;
    one["spec"] = {{key, value}};
    const auto node = Parse<DcuNode>(one);
    ASSERT_TRUE(node) << node.error().message;
    EXPECT_NE(node->spec, DcuNodeSpec()) << key;
  }
}

json JsonOf(const YAML::Node& node) {
  json value;
  if (node.IsMap()) {
    value = json::object();
    for (const auto& member : node) value[member.first.as<std::string>()] = JsonOf(member.second);
  } else if (node.IsSequence()) {
    value = json::array();
    for (const auto& item : node) value.push_back(JsonOf(item));
  } else {
    value = node.as<std::string>();
  }
  return value;
}

// Those of Kubernetes 1.25 to 1.30.
json OlderRules(const json& rules) {
  json older = json::array();
  for (const json& rule : rules) {
    if (rule["rule"].get<std::string>().find("isQuantity") != std::string::npos) continue;
    older.push_back({{"rule", rule["rule"]}, {"message", rule["message"]}});
  }
  return older;
}

// What a CRD is without what Kubernetes before 1.31 does not know, or before 1.25 (without rules).
json Older(const json& value, bool with_rules) {
  if (!value.is_structured()) return value;
  json older = value.is_array() ? json::array() : json::object();
  for (const auto& [key, inner] : value.items()) {
    if (value.is_array()) {
      older.push_back(Older(inner, with_rules));
    } else if (key == "x-kubernetes-validations") {
      if (with_rules) older[key] = OlderRules(inner);
    } else if (key == "x-kubernetes-int-or-string" && !with_rules) {
      older["type"] = "string";
    } else if (key != "selectableFields") {
      older[key] = Older(inner, with_rules);
    }
  }
  return older;
}

// The chart has them as tools/render-crd makes them, which reads text; this reads trees.
TEST(Schema, RenderingsDifferOnlyInWhatOlderKubernetesDoesNotKnow) {
  for (const std::string name : {"vdcupartition.yaml", "dcunode.yaml"}) {
    const json source = JsonOf(YAML::LoadFile("crds/" + name));
    const auto rendering = [&](const std::string& version) {
      return JsonOf(YAML::LoadFile("charts/vdcu-operator/files/crds/" + version + "/" + name));
    };
    EXPECT_EQ(rendering("1.31"), source) << name;
    EXPECT_EQ(rendering("1.25"), Older(source, true)) << name;
    EXPECT_EQ(rendering("1.20"), Older(source, false)) << name;
  }
}

TEST(Schema, SaysWhatEachFieldIs) {
  ExpectDescriptions(RootSchema("crds/vdcupartition.yaml"), "");
  ExpectDescriptions(RootSchema("crds/dcunode.yaml"), "");
}

}  // namespace
}  // namespace vdcu::crds
