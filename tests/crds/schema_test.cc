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

TEST(Schema, SaysWhatEachFieldIs) {
  ExpectDescriptions(RootSchema("crds/vdcupartition.yaml"), "");
  ExpectDescriptions(RootSchema("crds/dcunode.yaml"), "");
}

}  // namespace
}  // namespace vdcu::crds
