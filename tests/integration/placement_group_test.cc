// Groups of pods: all of them are placed, or none is, whatever dies meanwhile.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// Two of them fill any card: 12 cards have room for 24.
const Limits kHalf{{"dcunum", "1"}, {"dcumem", "1000"}, {"dcucores", "40"}};
const Limits kWhole{{"dcunum", "1"}};
constexpr int kRoom = 24;

class GroupTest : public PlacementTest {
 protected:
  static json Member(const std::string& group, int number, int size, const Limits& limits = kHalf,
                     std::map<std::string, std::string> annotations = {}) {
    annotations["vdcu.io/group"] = group;
    annotations["vdcu.io/group-size"] = std::to_string(size);
    return Pod(group + "-" + std::to_string(number), limits, annotations);
  }
  static std::string GroupOf(const json& pod) {
    return pod["metadata"].value("annotations", json::object()).value("vdcu.io/group", "");
  }
  // How many pods of each group are bound; groups of which none is are there with 0.
  static std::map<std::string, int> BoundByGroup() {
    std::map<std::string, int> bound;
    for (const json& pod : api().List(kPods)) {
      bound[GroupOf(pod)] += pod["spec"].contains("nodeName") ? 1 : 0;
    }
    return bound;
  }
  // A pod is bound when all of its group have slices that are Ready, or have been bound.
  static void ExpectNoneBeforeAllAreReady(int size) {
    // In this order: what the pods say was true before what the partitions say.
    const std::map<std::string, int> bound = BoundByGroup();
    std::map<std::string, int> ready;
    for (const json& partition : api().List(kPartitions)) {
      const std::string pod = partition["spec"]["podRef"]["name"];
      const json condition = Condition(partition, "Ready");
      if (condition.is_object() && condition["status"] == "True") {
        ++ready[pod.substr(0, pod.rfind('-'))];
      }
    }
    for (const auto& [group, count] : bound) {
      if (count == 0) continue;
      EXPECT_EQ(ready[group], size) << count << " of group " << group << " are bound";
    }
  }
};

TEST_F(GroupTest, AllArePlacedOrNoneIs) {
  const std::map<std::string, std::string> on_small{{"hygon.com/use-dcutype", "Z100L"}};
  Create(Pod("other", kWhole, on_small));
  ASSERT_EQ(Bound("other"), "small");
  for (int i = 0; i < 3; ++i) Create(Member("train", i, 4, kWhole, on_small));
  Waits("train-0", "Unschedulable", "group train: 3 of 4 pods exist");
  Create(Member("train", 3, 4, kWhole, on_small));
  for (int i = 0; i < 4; ++i) {
    Waits("train-" + std::to_string(i), "Unschedulable", "group train: 3 of 4 placed: 0/2 nodes");
  }
  EXPECT_EQ(api().List(kPartitions).size(), 1u) << "what waits holds nothing";
  Create(Pod("alone", kHalf, on_small));
  EXPECT_EQ(Bound("alone"), "small") << "it keeps nobody from the room that it cannot use";
  Delete(kPods, "alone");
  Delete(kPods, "other");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Bound("train-" + std::to_string(i)), "small");
  ExpectNoBreach();
  ExpectFilesOfAssignments();
}

TEST_F(GroupTest, ItCostsThreeWritesForEachPodAndNoRead) {
  std::set<std::string> names;
  for (int i = 0; i < 4; ++i) {
    Create(Member("counted", i, 4));
    names.insert("counted-" + std::to_string(i));
  }
  for (const std::string& pod : std::set<std::string>(names)) {
    Bound(pod);
    const json partition = OnlyPartitionOf(pod);
    ASSERT_TRUE(partition.is_object());
    names.insert(partition["metadata"]["name"].get<std::string>());
  }
  Eventually("all bindings have their events", [&] {
    return HasEvent("counted-0", "Scheduled", "") && HasEvent("counted-1", "Scheduled", "") &&
           HasEvent("counted-2", "Scheduled", "") && HasEvent("counted-3", "Scheduled", "");
  });
  Eventually("twelve requests are answered",
             [&] { return world().RequestsAbout(names).size() >= 12; });
  std::map<std::string, int> requests;
  for (const std::string& request : world().RequestsAbout(names)) ++requests[request];
  EXPECT_EQ(requests, (std::map<std::string, int>{{"vdcu-controller create vdcupartitions", 4},
                                                  {"vdcu-node patch vdcupartitions/status", 4},
                                                  {"vdcu-controller create pods/binding", 4}}));
}

TEST_F(GroupTest, WhatIsWrongIsToldByTheControllerWithTheValue) {
  json pod = Member("train", 0, 2);
  pod["metadata"]["annotations"]["vdcu.io/group-size"] = "two";
  Create(pod);
  Waits("train-0", "SchedulerError",
        "annotation vdcu.io/group-size: \"two\": must be a whole number from 1 to 256");
  EXPECT_TRUE(Eventually("an event says so", [&] {
    return HasEvent("train-0", "FailedScheduling", "vdcu.io/group-size: \"two\"");
  }));
  Create(Member("train", 1, 2));
  Create(Member("train", 2, 3));
  Waits("train-2", "SchedulerError",
        "annotation vdcu.io/group-size: \"3\": must be 2, as pod train-1 of the same group says");
  Create(Member("train", 3, 2));
  Bound("train-1");
  Bound("train-3");
}

TEST_F(GroupTest, TheLeaderIsKilledSixTimesAmongSixGroupsAndEachEndsWhole) {
  const int size = 4;
  for (int i = 0; i < size; ++i) {
    for (int group = 0; group < kRoom / size; ++group) {
      Create(Member("g" + std::to_string(group), i, size));
    }
    if (i == 1) world().controller.reset();  // SIGKILL; the rest comes while nobody leads
  }
  const auto bound = [] {
    int all = 0;
    for (const auto& [group, count] : BoundByGroup()) all += count;
    return all;
  };
  for (int kill = 0; kill < 6; ++kill) {
    world().controller = world().MakeController("controller");
    const int before = bound();
    const size_t partitions = api().List(kPartitions).size();
    // Each time at another point: when slices are made, when pods are bound.
    Until([&] {
      ExpectNoneBeforeAllAreReady(size);
      return kill % 2 == 0 ? api().List(kPartitions).size() != partitions || bound() == kRoom
                           : bound() > before || bound() == kRoom;
    });
    world().controller.reset();  // SIGKILL
    ExpectNoBreach();
  }
  world().controller = world().MakeController("controller");
  Eventually("all are bound", [&] {
    ExpectNoneBeforeAllAreReady(size);
    return HasFailure() || bound() == kRoom;
  });
  for (const auto& [group, count] : BoundByGroup()) EXPECT_EQ(count, size) << group;
  ExpectNoBreach();
  ExpectFilesOfAssignments();
}

TEST_F(GroupTest, TwoThatFillHalfOfAllEachAndTwoThatNeedMoreComeToAnEnd) {
  const int half = kRoom / 2;
  for (int i = 0; i < half; ++i) {
    for (const char* group : {"x", "y"}) Create(Member(group, i, half));
  }
  Eventually("both are bound", [&] {
    return BoundByGroup() == std::map<std::string, int>{{"x", half}, {"y", half}};
  });
  for (const char* path : {kPods, kPartitions}) world::DeleteAll(api(), path);
  Eventually("all is gone", [&] { return api().List(kPartitions).empty(); });

  const int more = half + 2;
  for (int i = 0; i < more; ++i) {
    for (const char* group : {"v", "w"}) Create(Member(group, i, more));
  }
  std::string waits;
  Eventually("one is bound", [&] {
    const auto bound = BoundByGroup();
    waits = bound.at("v") == more ? "w" : "v";
    return bound.at("v") + bound.at("w") == more && bound.at(waits) == 0;
  });
  Waits(waits + "-0", "Unschedulable",
        "group " + waits + ": 10 of " + std::to_string(more) + " placed: ");
  EXPECT_EQ(api().List(kPartitions).size(), static_cast<size_t>(more));
  const std::string other = waits == "v" ? "w" : "v";
  for (int i = 0; i < more; ++i) Delete(kPods, other + "-" + std::to_string(i));
  for (int i = 0; i < more; ++i) Bound(waits + "-" + std::to_string(i));
  ExpectNoBreach();
}

}  // namespace
}  // namespace vdcu::integration
