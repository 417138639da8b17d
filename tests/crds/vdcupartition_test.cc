#include "crds/vdcupartition.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crds/fields.h"
#include "crds/keys.h"
#include "tests/crds/json.h"

namespace vdcu::crds {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(VdcuPartition, EveryFieldIsRead) {
  const auto partition = Parse<VdcuPartition>(FullPartition());
  ASSERT_TRUE(partition) << partition.error().message;
  EXPECT_EQ(partition->meta.key(), "team-a/train-0-3f");
  EXPECT_TRUE(partition->meta.HasFinalizer(kFinalizer));
  const PartitionSpec& spec = partition->spec;
  EXPECT_EQ(spec.request.percent, 15);
  EXPECT_EQ(spec.request.compute_units, std::nullopt);
  EXPECT_EQ(spec.request.memory, dcu::MiB{2000});
  EXPECT_THAT(spec.request.devices->models, ElementsAre("Z100L"));
  EXPECT_THAT(spec.request.devices->exclude_models, ElementsAre("Z100"));
  EXPECT_THAT(spec.request.devices->uuids, ElementsAre("DCU-1", "DCU-2"));
  EXPECT_THAT(spec.request.devices->exclude_uuids, ElementsAre("DCU-3"));
  EXPECT_EQ(spec.node_selector, (kclient::Labels{{"pool", "dcu"}}));
  EXPECT_EQ(spec.policy, dcu::Policy::kSpread);
  EXPECT_EQ(spec.share, dcu::Sharing::kNamespace);
  const PodRef pod_ref{.name = "train-0", .uid = "u-1", .container = "main"};
  EXPECT_EQ(spec.pod_ref, pod_ref);
  ASSERT_TRUE(partition->assigned());
  EXPECT_EQ(*spec.assignment, (dcu::Assignment{.node = "node-1",
                                               .device = "DCU-1",
                                               .pci_bus_id = "0000:33:00.0",
                                               .compute_units = 9,
                                               .units = dcu::CuMask::FirstUnits(9),
                                               .memory = dcu::MiB{2000},
                                               .pipe = 0,
                                               .vdev = 4,
                                               .share = dcu::Sharing::kNamespace}));
  const auto* ready = kclient::FindCondition(partition->status.conditions, kReady);
  ASSERT_NE(ready, nullptr);
  EXPECT_EQ(ready->status, "True");
  EXPECT_EQ(kclient::FindCondition(partition->status.conditions, kPrepared), nullptr);
  EXPECT_EQ(partition->status.vdev_file, "/etc/vdev/vdev4.conf");
  EXPECT_EQ(partition->status.used_by, pod_ref);
}

TEST(VdcuPartition, PrintsWhatItRead) {
  json object = FullPartition();
  const auto partition = Parse<VdcuPartition>(object);
  ASSERT_TRUE(partition) << partition.error().message;
  EXPECT_EQ(ToJson(partition->status), object["status"]);
  object.erase("status");
  EXPECT_EQ(ToJson(*partition), object);
}

TEST(VdcuPartition, OfNothingAskedIsOneWholeCard) {
  const json object = json::parse(
      R"({"apiVersion": "vdcu.io/v1alpha1", "kind": "VDCUPartition",
          "metadata": {"name": "p"}, "spec": {}})");
  const auto partition = Parse<VdcuPartition>(object);
  ASSERT_TRUE(partition) << partition.error().message;
  EXPECT_TRUE(partition->spec.request.whole_card());
  EXPECT_FALSE(partition->assigned());
  EXPECT_EQ(ToJson(*partition), object);
}

TEST(VdcuPartition, WholeCardAssignmentHasNoPipe) {
  json object = FullPartition();
  object["spec"]["assignment"].erase("pipe");
  object["spec"]["assignment"].erase("vdev");
  const auto partition = Parse<VdcuPartition>(object);
  ASSERT_TRUE(partition) << partition.error().message;
  EXPECT_TRUE(partition->spec.assignment->whole_card());
  EXPECT_EQ(ToJson(*partition)["spec"], object["spec"]);
}

TEST(VdcuPartition, StatusPatchClearsWhatIsNotSet) {
  EXPECT_EQ(ToJson(PartitionStatus()),
            json::parse(R"({"conditions": [], "vdevFile": null, "usedBy": null})"));
}

TEST(VdcuPartition, MemoryIsWholeMiB) {
  const struct {
    const char* text;
    int64_t want;
  } rows[] = {{"1Mi", 1}, {"2Gi", 2048}, {"1.5Gi", 1536}, {"2048Ki", 2}, {"1Ti", 1048576}};
  for (const auto& row : rows) {
    json object = FullPartition();
    object["spec"]["memory"] = row.text;
    const auto partition = Parse<VdcuPartition>(object);
    ASSERT_TRUE(partition) << partition.error().message;
    EXPECT_EQ(partition->spec.request.memory, dcu::MiB{row.want}) << row.text;
  }
}

struct BadRow {
  const char* sentence;
  const char* path;
  json value;
  const char* want_message;
};

void PrintTo(const BadRow& row, std::ostream* out) { *out << row.sentence; }

class BadPartition : public testing::TestWithParam<BadRow> {};

TEST_P(BadPartition, IsRefusedByName) {
  json object = FullPartition();
  object[json::json_pointer(GetParam().path)] = GetParam().value;
  const auto partition = Parse<VdcuPartition>(object);
  ASSERT_FALSE(partition);
  EXPECT_EQ(partition.error().code, base::ErrorCode::kCorrupt);
  EXPECT_THAT(partition.error().message, HasSubstr(GetParam().want_message));
  EXPECT_THAT(partition.error().message, HasSubstr("VDCUPartition team-a/train-0-3f: "));
}

TEST_P(BadPartition, HasAStandInThatSaysWhy) {
  json object = FullPartition();
  object[json::json_pointer(GetParam().path)] = GetParam().value;
  const kclient::Parsed read(object.dump());
  const auto partition = VdcuPartition::Unreadable(read.view());
  ASSERT_TRUE(partition) << partition.error().message;
  ASSERT_TRUE(partition->unread);
  EXPECT_THAT(partition->unread->why, HasSubstr(GetParam().want_message));
  const bool names_a_node = GetParam().path != std::string("/spec/assignment/node");
  EXPECT_EQ(partition->unread->node, names_a_node ? "node-1" : "");
  EXPECT_EQ(partition->spec, PartitionSpec()) << "nothing is granted for it";
  EXPECT_EQ(partition->meta, Parse<VdcuPartition>(FullPartition())->meta);
  EXPECT_NE(kclient::FindCondition(partition->status.conditions, kReady), nullptr);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadPartition,
    testing::Values(
        BadRow{"memory is a number", "/spec/memory", 2000,
               "spec.memory: 2000: write a unit, for example 2000Mi"},
        BadRow{"memory is a number in quotes", "/spec/memory", "2000",
               "spec.memory: \"2000\": write a unit, for example 2000Mi"},
        BadRow{"memory is a list", "/spec/memory", json::array(), "spec.memory: []: must be"},
        BadRow{"memory is a fraction of a MiB", "/spec/memory", "1.5Mi", "must be whole MiB"},
        BadRow{"memory is decimal", "/spec/memory", "2000M", "must be whole MiB"},
        BadRow{"memory is nothing", "/spec/memory", "0Mi", "must be at least 1Mi"},
        BadRow{"memory is negative", "/spec/memory", "-1Mi", "must be whole MiB"},
        BadRow{"memory is beyond 1Ti", "/spec/memory", "2Ti", "must be whole MiB from 0Mi to 1Ti"},
        BadRow{"cores is above 100", "/spec/cores", 101,
               "spec.cores: 101: must be a whole number from 1 to 100"},
        BadRow{"cores is zero", "/spec/cores", 0, "spec.cores: 0: must be"},
        BadRow{"cores is a text", "/spec/cores", "15", "spec.cores: \"15\": must be"},
        BadRow{"computeUnits beside cores", "/spec/computeUnits", 9, "not both"},
        BadRow{"an unknown sharing", "/spec/share", "pod",
               "spec.share: \"pod\": must be cluster or namespace"},
        BadRow{"an unknown policy", "/spec/policy", "Random",
               "spec.policy: \"Random\": must be BinPack, Spread or FragmentationAware"},
        BadRow{"a model that is no text", "/spec/devices/models", json::array({1}),
               "spec.devices.models: [1]: must be a list of strings"},
        BadRow{"devices is a list", "/spec/devices", json::array(),
               "spec.devices: []: must be an object"},
        BadRow{"a selected label that is no text", "/spec/nodeSelector", json{{"a", 1}},
               "spec.nodeSelector: "},
        BadRow{"a pod without UID", "/spec/podRef/uid", "",
               "spec.podRef.uid: \"\": must not be empty"},
        BadRow{"masks of other units than counted", "/spec/assignment/computeUnits", 8,
               "spec.assignment.computeUnits: 8: must be the number of units in cuMasks, 9"},
        BadRow{"one mask", "/spec/assignment/cuMasks", json::array({"0x00000000000001ff"}),
               "spec.assignment.cuMasks: [\"0x00000000000001ff\"]: must be two masks"},
        BadRow{"a mask that is none", "/spec/assignment/cuMasks", json::array({"0x1ff", "0x0"}),
               "spec.assignment.cuMasks: "},
        BadRow{"no masks", "/spec/assignment/cuMasks", nullptr, "must be two masks"},
        BadRow{"no node", "/spec/assignment/node", nullptr, "spec.assignment.node: must not be"},
        BadRow{"no card", "/spec/assignment/device", nullptr, "spec.assignment.device: must not"},
        BadRow{"no memory", "/spec/assignment/memory", nullptr,
               "spec.assignment.memory: must be there"},
        BadRow{"no units", "/spec/assignment/computeUnits", nullptr,
               "spec.assignment.computeUnits: must be there"},
        BadRow{"pipe 4", "/spec/assignment/pipe", 4, "spec.assignment.pipe: 4: must be a whole"},
        BadRow{"a pipe without vdev", "/spec/assignment/vdev", nullptr, "pipe and vdev must be"},
        BadRow{"a vdev without pipe", "/spec/assignment/pipe", nullptr, "pipe and vdev must be"},
        BadRow{"a negative vdev", "/spec/assignment/vdev", -1, "spec.assignment.vdev: -1: must"},
        BadRow{"a holder without container", "/status/usedBy/container", nullptr,
               "status.usedBy.container: must not be empty"}));

TEST(VdcuPartition, NeedsAName) {
  EXPECT_FALSE(Parse<VdcuPartition>(json::parse(R"({"metadata": {}, "spec": {}})")));
}

TEST(Policy, ReadsWhatItPrints) {
  EXPECT_EQ(ParsePolicy("BinPack"), dcu::Policy::kBinPack);
  EXPECT_EQ(ParsePolicy("Spread"), dcu::Policy::kSpread);
  EXPECT_EQ(ParsePolicy("FragmentationAware"), dcu::Policy::kFragmentationAware);
  EXPECT_EQ(ParsePolicy("binpack"), std::nullopt);
  EXPECT_EQ(ToString(dcu::Policy::kBinPack), "BinPack");
  EXPECT_EQ(ToString(dcu::Policy::kSpread), "Spread");
  EXPECT_EQ(ToString(dcu::Policy::kFragmentationAware), "FragmentationAware");
}

TEST(Sharing, ReadsWhatItPrints) {
  EXPECT_EQ(ParseSharing("cluster"), dcu::Sharing::kCluster);
  EXPECT_EQ(ParseSharing("namespace"), dcu::Sharing::kNamespace);
  EXPECT_EQ(ParseSharing("pod"), std::nullopt);
  EXPECT_EQ(ToString(dcu::Sharing::kCluster), "cluster");
  EXPECT_EQ(ToString(dcu::Sharing::kNamespace), "namespace");
}

// The hashes are those of: printf uid-1/main | sha256sum, printf uid-1/main/1 | sha256sum.
TEST(PartitionName, IsThePodsNameAndTenHexDigits) {
  const struct {
    const char* sentence;
    const char* pod;
    int card;
    const char* want;
  } rows[] = {
      {"a short name", "train-0", 0, "train-0-e3eb8d6c35"},
      {"a further card", "train-0", 1, "train-0-9659182874"},
      {"cut to 40", "a123456789b123456789c123456789d123456789e", 0,
       "a123456789b123456789c123456789d123456789-e3eb8d6c35"},
      {"a cut that ends in a dash", "a123456789b123456789c123456789d12345678-e", 0,
       "a123456789b123456789c123456789d12345678-e3eb8d6c35"},
      {"a cut that ends in dots and dashes", "a123456789b123456789c123456789d12345.-.e", 0,
       "a123456789b123456789c123456789d12345---e-e3eb8d6c35"},
      {"a cut after dots and dashes", "a123456789b123456789c123456789d123456.-.e", 0,
       "a123456789b123456789c123456789d123456-e3eb8d6c35"},
      {"dots", "web.v1", 0, "web-v1-e3eb8d6c35"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(PartitionName(row.pod, "uid-1", "main", row.card), row.want) << row.sentence;
  }
}

// The hash is that of: printf '%070d' 0 | sha256sum
TEST(NodeLabel, IsTheNodesNameCutToALabelsValue) {
  EXPECT_EQ(NodeLabel("node-1.example"), "node-1.example");
  const std::string longest(63, '0');
  EXPECT_EQ(NodeLabel(longest), longest);
  const std::string cut = NodeLabel(std::string(70, '0'));
  EXPECT_EQ(cut, std::string(54, '0') + "-3a82a2f2");
  EXPECT_EQ(cut.size(), 63u);
  EXPECT_NE(NodeLabel(std::string(70, '0') + "a"), NodeLabel(std::string(70, '0') + "b"));
}

TEST(PartitionName, DiffersByUidContainerAndCard) {
  const std::set<std::string> names{
      PartitionName("p", "u1", "a", 0), PartitionName("p", "u2", "a", 0),
      PartitionName("p", "u1", "b", 0), PartitionName("p", "u1", "a", 1),
      PartitionName("p", "u1", "a", 2)};
  EXPECT_EQ(names.size(), 5U);
}

}  // namespace
}  // namespace vdcu::crds
