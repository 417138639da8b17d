#include "crds/dcunode.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/crds/json.h"

namespace vdcu::crds {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(DcuNode, EveryFieldIsRead) {
  const auto node = Parse<DcuNode>(FullNode());
  ASSERT_TRUE(node) << node.error().message;
  EXPECT_EQ(node->meta.name, "node-1");
  EXPECT_THAT(node->spec.unschedulable_devices, ElementsAre("DCU-2"));
  EXPECT_EQ(node->spec.memory_reserve, dcu::MiB{512});
  EXPECT_EQ(node->spec.share_cards, dcu::Sharing::kNamespace);
  EXPECT_EQ(node->status.driver_version, "6.3.8");
  EXPECT_THAT(node->status.devices,
              ElementsAre(dcu::Device{.index = 0,
                                      .uuid = "DCU-1",
                                      .model = "Z100L",
                                      .pci_device_id = "55b7",
                                      .pci_bus_id = "0000:33:00.0",
                                      .compute_units = 60,
                                      .memory = dcu::MiB{32768},
                                      .numa_node = 1,
                                      .drm_card_minor = 1,
                                      .drm_render_minor = 129,
                                      .mode = dcu::Mode::kMig,
                                      .healthy = false,
                                      .reason = "DriverUnbound",
                                      .message = "no driver",
                                      .unhealthy_since = "2026-01-01T00:00:00Z"}));
  const dcu::Assignment held{.node = "node-1",
                             .device = "DCU-1",
                             .pci_bus_id = "0000:33:00.0",
                             .compute_units = 9,
                             .units = dcu::CuMask::FirstUnits(9),
                             .memory = dcu::MiB{2000},
                             .pipe = 3,
                             .vdev = 0,
                             .share = dcu::Sharing::kNamespace};
  EXPECT_THAT(node->status.held, ElementsAre(HeldSlice{.partition_uid = "p-1",
                                                       .assignment = held,
                                                       .pod_uid = "u-1",
                                                       .since = "2026-01-01T00:00:00Z",
                                                       .ns = "team-a"}));
  EXPECT_THAT(node->status.occupied_vdevs, ElementsAre(0, 7));
  EXPECT_EQ(node->status.models, "Z100L");
  EXPECT_EQ(node->status.vdcus, "1/4");
  EXPECT_EQ(node->status.healthy, "0/1");
  EXPECT_TRUE(node->ready());
}

TEST(DcuNode, PrintsTheStatusThatItRead) {
  const json object = FullNode();
  const auto node = Parse<DcuNode>(object);
  ASSERT_TRUE(node) << node.error().message;
  EXPECT_EQ(ToJson(node->status), object["status"]);
}

TEST(DcuNode, WithoutStatusIsNotReady) {
  const auto node = Parse<DcuNode>(json{{"metadata", {{"name", "node-1"}}}});
  ASSERT_TRUE(node) << node.error().message;
  EXPECT_FALSE(node->ready());
  EXPECT_EQ(node->spec, DcuNodeSpec());
  EXPECT_EQ(node->status, DcuNodeStatus());
}

TEST(DcuNode, UnknownNumbersOfACardAreLeftOut) {
  const json device = ToJson(dcu::Device());
  for (const char* key :
       {"numaNode", "drmCardMinor", "drmRenderMinor", "reason", "message", "unhealthySince"}) {
    EXPECT_FALSE(device.contains(key)) << key;
  }
  json object = FullNode();
  for (const char* key : {"numaNode", "drmCardMinor", "drmRenderMinor"}) {
    object["status"]["devices"][0].erase(key);
  }
  const auto node = Parse<DcuNode>(object);
  ASSERT_TRUE(node) << node.error().message;
  EXPECT_EQ(node->status.devices[0].numa_node, -1);
  EXPECT_EQ(node->status.devices[0].drm_card_minor, -1);
  EXPECT_EQ(node->status.devices[0].drm_render_minor, -1);
}

TEST(DcuNode, RefusesByName) {
  const struct {
    const char* sentence;
    const char* path;
    json value;
    const char* want_message;
  } rows[] = {
      {"a reserve without unit", "/spec/memoryReserve", 512,
       "DCUNode node-1: spec.memoryReserve: 512: write a unit, for example 512Mi"},
      {"cordoned cards that are no list of texts", "/spec/unschedulableDevices", json::array({1}),
       "spec.unschedulableDevices: [1]: must be a list of strings"},
      {"a card without uuid", "/status/devices/0/uuid", nullptr,
       "status.devices[0].uuid: must not be empty"},
      {"an unknown mode", "/status/devices/0/mode", "mixed",
       "status.devices[0].mode: \"mixed\": must be vdcu or mig"},
      {"health that is a text", "/status/devices/0/healthy", "yes",
       "status.devices[0].healthy: \"yes\": must be true or false"},
      {"memory without unit", "/status/devices/0/memory", "32768", "status.devices[0].memory"},
      {"a slice held of nothing", "/status/held/0/assignment", nullptr,
       "status.held[0].assignment: must be there"},
      {"masks of other units than counted", "/status/held/0/assignment/computeUnits", 10,
       "status.held[0].assignment.computeUnits: 10: must be"},
      {"a number that no vdev file has", "/status/occupiedVdevs", json::array({65536}),
       "status.occupiedVdevs: [65536]: must be a list of whole numbers from 0 to 65535"},
      {"nobody's slice", "/status/held/0/partitionUID", "", "status.held[0].partitionUID"},
  };
  for (const auto& row : rows) {
    json object = FullNode();
    object[json::json_pointer(row.path)] = row.value;
    const auto node = Parse<DcuNode>(object);
    ASSERT_FALSE(node) << row.sentence;
    EXPECT_EQ(node.error().code, base::ErrorCode::kCorrupt) << row.sentence;
    EXPECT_THAT(node.error().message, HasSubstr(row.want_message)) << row.sentence;
  }
}

DcuNode StandInFor(const json& object) {
  const kclient::Parsed read(object.dump());
  return DcuNode::Unreadable(read.view()).value();
}

TEST(DcuNode, KeepsItsCardsWhereTheSpecCannotBeRead) {
  const DcuNode whole = *Parse<DcuNode>(FullNode());
  const struct {
    const char* sentence;
    const char* path;
    json value;
    const char* want_message;
    std::function<void(DcuNodeSpec&)> want;
  } rows[] = {
      {"a reserve without unit", "/spec/memoryReserve", "12",
       "spec.memoryReserve: \"12\": write a unit, for example 12Mi",
       [](DcuNodeSpec& spec) { spec.memory_reserve = {}; }},
      {"a sharing that is none", "/spec/shareCards", "pod",
       "spec.shareCards: \"pod\": must be cluster or namespace",
       [](DcuNodeSpec& spec) { spec.share_cards = dcu::Sharing::kNamespace; }},
      {"cards that are no list", "/spec/unschedulableDevices", json::array({1}),
       "spec.unschedulableDevices: [1]: must be a list of strings",
       [](DcuNodeSpec& spec) { spec.unschedulable_devices = {""}; }},
  };
  for (const auto& row : rows) {
    json object = FullNode();
    object[json::json_pointer(row.path)] = row.value;
    const DcuNode node = StandInFor(object);
    EXPECT_THAT(node.spec_unread, HasSubstr(row.want_message)) << row.sentence;
    DcuNodeSpec want = whole.spec;
    row.want(want);
    EXPECT_EQ(node.spec, want) << row.sentence;
    EXPECT_EQ(node.status, whole.status) << row.sentence;
    EXPECT_EQ(node.meta, whole.meta) << row.sentence;
  }
}

TEST(DcuNode, HasNoStatusWhereThatCannotBeRead) {
  json object = FullNode();
  object["status"]["devices"][0]["healthy"] = "yes";
  const DcuNode node = StandInFor(object);
  EXPECT_EQ(node.spec_unread, "");
  EXPECT_EQ(node.spec, Parse<DcuNode>(FullNode())->spec);
  EXPECT_EQ(node.status, DcuNodeStatus()) << "its daemon writes it anew";
}

}  // namespace
}  // namespace vdcu::crds
