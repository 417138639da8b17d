#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crds/vdcupartition.h"

namespace vdcu::crds {
namespace {

using testing::HasSubstr;

PartitionSpec ValidSpec() {
  PartitionSpec spec;
  spec.request.percent = 15;
  spec.request.memory = dcu::MiB{2000};
  spec.request.devices = base::Interned(dcu::DeviceSelector{.models = {"Z100L"}});
  spec.node_selector = {{"pool", "dcu"}};
  spec.pod_ref = PodRef{.name = "p", .uid = "u", .container = "c"};
  spec.assignment = dcu::Assignment{.node = "node-1",
                                    .device = "DCU-1",
                                    .pci_bus_id = "0000:33:00.0",
                                    .compute_units = 9,
                                    .units = dcu::CuMask::FirstUnits(9),
                                    .memory = dcu::MiB{2000},
                                    .pipe = 0,
                                    .vdev = 4};
  return spec;
}

TEST(Validate, TakesWhatIsRight) {
  EXPECT_TRUE(Validate(ValidSpec()));
  EXPECT_TRUE(Validate(PartitionSpec()));
  PartitionSpec whole = ValidSpec();
  whole.assignment->pipe.reset();
  whole.assignment->vdev.reset();
  EXPECT_TRUE(Validate(whole));
}

struct Row {
  const char* sentence;
  std::function<void(PartitionSpec&)> spoil;
  const char* want_message;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.sentence; }

class BadSpec : public testing::TestWithParam<Row> {};

TEST_P(BadSpec, IsRefusedByName) {
  PartitionSpec spec = ValidSpec();
  GetParam().spoil(spec);
  const auto status = Validate(spec);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, base::ErrorCode::kInvalid);
  EXPECT_THAT(status.error().message, HasSubstr(GetParam().want_message));
}

void Select(PartitionSpec& spec, dcu::DeviceSelector devices) {
  spec.request.devices = base::Interned(std::move(devices));
}

std::vector<std::string> Names(size_t count) { return std::vector<std::string>(count, "x"); }

INSTANTIATE_TEST_SUITE_P(
    Table, BadSpec,
    testing::Values(
        Row{"units and percent", [](auto& spec) { spec.request.compute_units = 9; },
            "spec.cores: 15: set cores (percent) or computeUnits, not both"},
        Row{"no percent", [](auto& spec) { spec.request.percent = 0; },
            "spec.cores: 0: must be from 1 to 100"},
        Row{"too much percent", [](auto& spec) { spec.request.percent = 101; }, "spec.cores: 101"},
        Row{"no units",
            [](auto& spec) {
              spec.request.percent.reset();
              spec.request.compute_units = 0;
            },
            "spec.computeUnits: 0: must be from 1 to 128"},
        Row{"too many units",
            [](auto& spec) {
              spec.request.percent.reset();
              spec.request.compute_units = 129;
            },
            "spec.computeUnits: 129"},
        Row{"no memory", [](auto& spec) { spec.request.memory = dcu::MiB{0}; },
            "spec.memory: 0Mi: must be from 1Mi to 1048576Mi"},
        Row{"too much memory", [](auto& spec) { spec.request.memory = dcu::MiB{1048577}; },
            "spec.memory: 1048577Mi"},
        Row{"a model without name", [](auto& spec) { Select(spec, {.models = {""}}); },
            "spec.devices.models: \"\": must not be empty"},
        Row{"too many models", [](auto& spec) { Select(spec, {.models = Names(17)}); },
            "spec.devices.models: 17 items: at most 16"},
        Row{"too many excluded models",
            [](auto& spec) { Select(spec, {.exclude_models = Names(17)}); },
            "spec.devices.excludeModels: 17 items"},
        Row{"too many uuids", [](auto& spec) { Select(spec, {.uuids = Names(65)}); },
            "spec.devices.uuids: 65 items: at most 64"},
        Row{"too many excluded uuids",
            [](auto& spec) { Select(spec, {.exclude_uuids = Names(65)}); },
            "spec.devices.excludeUUIDs: 65 items"},
        Row{"a label without key", [](auto& spec) { spec.node_selector[""] = "x"; },
            "spec.nodeSelector: \"\""},
        Row{"too many labels",
            [](auto& spec) {
              for (int i = 0; i < 16; ++i) spec.node_selector[std::to_string(i)] = "";
            },
            "spec.nodeSelector: 17 labels: at most 16"},
        Row{"a pod without name", [](auto& spec) { spec.pod_ref->name = ""; }, "spec.podRef.name"},
        Row{"a pod without uid", [](auto& spec) { spec.pod_ref->uid = ""; }, "spec.podRef.uid"},
        Row{"a pod without container", [](auto& spec) { spec.pod_ref->container = ""; },
            "spec.podRef.container"},
        Row{"no node", [](auto& spec) { spec.assignment->node = ""; }, "spec.assignment.node"},
        Row{"no card", [](auto& spec) { spec.assignment->device = ""; }, "spec.assignment.device"},
        Row{"no bus id", [](auto& spec) { spec.assignment->pci_bus_id = ""; },
            "spec.assignment.pciBusID"},
        Row{"no units assigned", [](auto& spec) { spec.assignment->compute_units = 0; },
            "spec.assignment.computeUnits: 0"},
        Row{"another number than the mask has",
            [](auto& spec) { spec.assignment->compute_units = 8; },
            "spec.assignment.computeUnits: 8: must be the number of units in cuMasks, 9"},
        Row{"no memory assigned", [](auto& spec) { spec.assignment->memory = dcu::MiB{0}; },
            "spec.assignment.memory: 0Mi"},
        Row{"a pipe without vdev", [](auto& spec) { spec.assignment->vdev.reset(); },
            "spec.assignment.pipe: 0: set pipe and vdev both"},
        Row{"a vdev without pipe", [](auto& spec) { spec.assignment->pipe.reset(); },
            "spec.assignment.pipe: none: set pipe and vdev both"},
        Row{"pipe 4", [](auto& spec) { spec.assignment->pipe = 4; },
            "spec.assignment.pipe: 4: must be from 0 to 3"},
        Row{"a negative vdev", [](auto& spec) { spec.assignment->vdev = -1; },
            "spec.assignment.vdev: -1"}));

}  // namespace
}  // namespace vdcu::crds
