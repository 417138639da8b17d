#include "node/familiar_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <string>
#include <vector>

namespace vdcu::node {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kNode = "n1";

Slice OfPod(const std::string& ns, const std::string& pod, int units, int64_t mebibytes) {
  Slice slice;
  slice.uid = ns + pod;
  slice.ns = ns;
  slice.assignment.device = "DCU-1";
  slice.assignment.compute_units = units;
  slice.assignment.memory = dcu::MiB{mebibytes};
  slice.pod = crds::PodRef{.name = pod, .uid = "u", .container = "main"};
  return slice;
}

std::string Text(FamiliarMetrics make, const std::vector<Slice>& slices, bool names_pods) {
  dcu::Device card;
  card.uuid = "DCU-1";
  card.index = 3;
  card.model = "K100_AI";
  card.compute_units = 120;
  card.memory = dcu::MiB{65520};
  const std::vector<dcu::Device> cards{card};
  Slices held;
  for (const Slice& slice : slices) held[slice.uid] = slice;
  return prometheus::TextSerializer().Serialize(
      make({.node = kNode, .devices = cards, .slices = held, .names_pods = names_pods}));
}

TEST(FamiliarMetrics, HamisNamesHaveItsLabelsAndUnits) {
  const std::string of_card =
      R"({zone="vGPU",node="n1",device_uuid="DCU-1",device_index="3",device_type="DCU-K100_AI"} )";
  const auto slices = {OfPod("a", "p", 18, 2000), OfPod("b", "p", 12, 1000)};
  EXPECT_THAT(Text(&HamiMetrics, slices, false),
              AllOf(HasSubstr("hami_gpu_memory_limit_bytes" + of_card + "68702699520\n"),
                    HasSubstr("hami_gpu_core_limit_ratio" + of_card + "100\n"),
                    HasSubstr("hami_gpu_memory_allocated_bytes" + of_card + "3145728000\n"),
                    HasSubstr("hami_gpu_core_allocated_ratio" + of_card + "25\n"),
                    HasSubstr("hami_gpu_shared_count" + of_card + "2\n"),
                    HasSubstr("hami_node_gpu_memory_allocated_ratio" + of_card + "0.0457875"),
                    Not(HasSubstr("hami_vgpu"))));
  const std::string of_pod =
      R"({zone="vGPU",node="n1",namespace="a",pod="p",container="main",device_uuid="DCU-1"} )";
  EXPECT_THAT(Text(&HamiMetrics, slices, true),
              AllOf(HasSubstr("hami_vgpu_memory_allocated_bytes" + of_pod + "2097152000\n"),
                    HasSubstr("hami_vgpu_core_allocated_ratio" + of_pod + "15\n")));
}

// One series for all pods of a name on a card: two of the same labels would spoil the whole page.
TEST(FamiliarMetrics, VolcanosNamesHaveItsLabelsAndUnits) {
  const std::string of_card = R"({NodeName="n1",devID="DCU-1"} )";
  const auto slices = {OfPod("a", "p", 18, 2000), OfPod("b", "p", 12, 1000)};
  EXPECT_THAT(Text(&VolcanoMetrics, slices, false),
              AllOf(HasSubstr("volcano_vgpu_device_memory_limit" + of_card + "65520\n"),
                    HasSubstr("volcano_vgpu_device_allocated_memory" + of_card + "3000\n"),
                    HasSubstr("volcano_vgpu_device_allocated_cores" + of_card + "25\n"),
                    HasSubstr("volcano_vgpu_device_shared_number" + of_card + "2\n"),
                    Not(HasSubstr("certain_pod"))));
  const std::string of_pod = R"({NodeName="n1",devID="DCU-1",podName="p"} )";
  const std::string memory = "volcano_vgpu_device_memory_allocation_for_a_certain_pod";
  const std::string cores = "volcano_vgpu_device_core_allocation_for_a_certain_pod";
  EXPECT_THAT(Text(&VolcanoMetrics, slices, true),
              AllOf(HasSubstr(memory + of_pod + "3000\n"), HasSubstr(cores + of_pod + "25\n")));
}

}  // namespace
}  // namespace vdcu::node
