// A pod of 21 KB, 200 containers with 1,024 cards each and an annotation of 300 names, took the
// controller 10 GiB. What one node cannot have is refused before anything is built for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crds/pod_request.h"
#include "dcu/allocator.h"
#include "tests/crds/json.h"

namespace vdcu {
namespace {

using crds::ParsePodRequest;
using nlohmann::json;
using testing::HasSubstr;

kclient::Pod MakePod(int containers, const json& limits, const json& annotations = json::object()) {
  json pod{{"metadata", {{"name", "p"}, {"namespace", "ns"}, {"annotations", annotations}}},
           {"spec", {{"containers", json::array()}}}};
  for (int i = 0; i < containers; ++i) {
    pod["spec"]["containers"].push_back(
        {{"name", "c" + std::to_string(i)}, {"resources", {{"limits", limits}}}});
  }
  auto parsed = crds::Parse<kclient::Pod>(pod);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return std::move(*parsed);
}

std::string Names(int count, const std::string& start = "DCU-") {
  std::string names;
  for (int i = 0; i < count; ++i) names += start + std::to_string(i) + ",";
  return names;
}

const json kCard{{"hygon.com/dcunum", "1"}};
const json kSlice{{"hygon.com/dcunum", "1"}, {"hygon.com/dcumem", "100"}};

struct Row {
  const char* sentence;
  kclient::Pod pod;
  const char* want_message;  // null: it is taken
};

TEST(PodOfManyCards, IsRefusedWithFieldValueAndBound) {
  const Row rows[] = {
      {"one container", MakePod(1, {{"hygon.com/dcunum", "1024"}}),
       "container c0: hygon.com/dcunum 1024: at most 64"},
      {"all containers together", MakePod(3, {{"hygon.com/dcunum", "22"}}),
       "spec.containers: 66 whole cards together: at most 64"},
      {"as many as a node has", MakePod(64, kCard), nullptr},
      {"slices", MakePod(257, kSlice), "spec.containers: 257 slices together: at most 256"},
      {"as many slices as a node has", MakePod(256, kSlice), nullptr},
      {"many names", MakePod(1, kCard, {{"hygon.com/use-dcutype", Names(300)}}),
       "annotation hygon.com/use-dcutype: more than 64 names: at most 64"},
      {"many names in two annotations",
       MakePod(1, kCard,
               {{"hygon.com/use-gpuuuid", Names(40)}, {"hygon.com/use-hcuuuid", Names(40, "X-")}}),
       "annotation hygon.com/use-hcuuuid: more than 64 names"},
      {"the same name again and again",
       MakePod(1, kCard, {{"hygon.com/use-gpuuuid", "DCU-1,DCU-1,DCU-1"}}), nullptr},
      {"a long name", MakePod(1, kCard, {{"hygon.com/nouse-gpuuuid", std::string(1000, 'x')}}),
       "xxx...\": a name of 1000 characters: at most 128"},
  };
  for (const Row& row : rows) {
    const auto request = ParsePodRequest(row.pod);
    EXPECT_EQ(request.has_value(), row.want_message == nullptr) << row.sentence;
    if (request || row.want_message == nullptr) continue;
    EXPECT_EQ(request.error().code, base::ErrorCode::kInvalid) << row.sentence;
    EXPECT_THAT(request.error().message, HasSubstr(row.want_message)) << row.sentence;
    EXPECT_LT(request.error().message.size(), 200U) << row.sentence;
  }
}

// A VDCUPartition's lists are sets: the API server would refuse the partition of such a pod.
TEST(PodOfManyCards, ANameCountsOnce) {
  const auto request =
      ParsePodRequest(MakePod(1, kCard, {{"hygon.com/use-gpuuuid", "DCU-1, DCU-2 ,DCU-1"}}));
  ASSERT_TRUE(request);
  EXPECT_THAT(request->containers.front().slice.devices->uuids,
              testing::ElementsAre("DCU-1", "DCU-2"));
}

TEST(PodOfManyCards, ItsSlicesShareOneSelector) {
  const auto request = ParsePodRequest(MakePod(200, kSlice, {{"hygon.com/use-dcutype", "K100"}}));
  ASSERT_TRUE(request);
  const auto* first = &*request->containers.front().slice.devices;
  for (const auto& container : request->containers) EXPECT_EQ(&*container.slice.devices, first);
}

// Many slices that are all different, on many nodes that each have room for nearly all of them: the
// search ends soon.
TEST(PodOfManyCards, TheSearchIsBoundedOverAllNodes) {
  dcu::Inventory inventory;
  constexpr int kNodes = 2000;
  for (int n = 0; n < kNodes; ++n) {
    const std::string name = "n" + std::to_string(n);
    std::vector<dcu::Device> devices;
    for (int c = 0; c < 8; ++c) {
      dcu::Device device;
      device.uuid = name + "-" + std::to_string(c);
      device.model = "K100_AI";
      device.compute_units = 120 - c;
      device.memory = dcu::MiB{65520 - 16 * c};
      devices.push_back(device);
    }
    dcu::NodeOptions options;
    options.ready = true;
    inventory.SetNode(name, devices, options);
  }
  dcu::Request request;
  for (int i = 0; i < 25; ++i) {
    dcu::SliceRequest slice;
    slice.compute_units = 38 + i % 5;
    slice.memory = dcu::MiB{100 + i};
    request.slices.push_back(slice);
  }
  int asked = 0;
  const auto answer = dcu::Allocate(inventory, request, [&](const std::string&) {
    ++asked;
    return std::nullopt;
  });
  EXPECT_TRUE(std::holds_alternative<dcu::FitError>(answer));
  EXPECT_EQ(asked, 0);
}

}  // namespace
}  // namespace vdcu
