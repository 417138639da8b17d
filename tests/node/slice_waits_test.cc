// For how long a call of the kubelet is kept open for a slice.
#include "node/plugin/slice_waits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "crds/keys.h"
#include "tests/fakes/simulated_loop.h"
#include "tests/node/builders.h"

namespace vdcu::node {
namespace {

using testing::HasSubstr;

constexpr base::Duration kNone{0};

Asker AskerOf(const NodePod& pod, size_t count = 1) {
  return {.pod = RefOf(pod), .ns = "team", .partition = "", .count = count};
}

Slices Held(const NodePod& pod, int count) {
  Slices held;
  for (int i = 0; i < count; ++i) {
    const std::string name = "p" + std::to_string(i);
    held[name] = {name, "team", name, MakeAssignment(i), RefOf(pod), ""};
  }
  return held;
}

TEST(SliceWaits, WhoIsAwaited) {
  struct Case {
    std::string name;
    std::function<void(NodePod& pod)> edit;
    base::Duration want;
    std::string why;
  };
  const auto nothing = [](NodePod&) {};
  const auto unassigned = [](const std::string& reason) {
    return [reason](NodePod& pod) { pod.unassigned = Refusal{reason, "8 cards: 8 in use"}; };
  };
  for (const Case& c : std::vector<Case>{
           {"it has just come", nothing, kAdmissionTimeout, "vdcu-controller has made none"},
           {"there is no room now", unassigned(std::string(crds::kNoRoom)), kRoomTimeout,
            "8 cards: 8 in use"},
           {"it never gets one", unassigned("NotServed"), kNone, "8 cards: 8 in use"},
           {"it is static", [](NodePod& pod) { pod.mirror = true; }, kNone, "static pod"},
           {"it has ended", [](NodePod& pod) { pod.phase = "Failed"; }, kNone, ""},
           {"it is being deleted",
            [](NodePod& pod) { pod.meta.deletion_timestamp = "2026-01-01T00:00:00Z"; }, kNone,
            "being deleted"},
           {"the watch shows another of its name",
            [](NodePod& pod) {
              pod.meta.uid = "uid-before";
              pod.mirror = true;
            },
            kAdmissionTimeout, "vdcu-controller has made none"},
       }) {
    const Asker asker = AskerOf(MakePod("a"));
    NodePod pod = MakePod("a");
    pod.phase = "Pending";
    c.edit(pod);
    EXPECT_EQ(Patience({}, asker, &pod), c.want) << c.name;
    EXPECT_THAT(WhyNoSlice(asker, &pod), HasSubstr(c.why)) << c.name;
  }
}

TEST(SliceWaits, WhatIsHeldEndsAWaitAndHalfOfItDoesNot) {
  const NodePod pod = MakePod("a");
  const Asker two = AskerOf(pod, 2);
  EXPECT_EQ(Patience(Held(pod, 1), two, &pod), kAdmissionTimeout);
  EXPECT_EQ(Patience(Held(pod, 2), two, &pod), kNone);
  EXPECT_EQ(Patience(Held(MakePod("other"), 2), two, &pod), kAdmissionTimeout);
  EXPECT_EQ(Patience({}, two, nullptr), kAdmissionTimeout) << "the watch may lag";
  Asker reserved = AskerOf(pod);
  reserved.partition = "r";
  EXPECT_EQ(Patience({}, reserved, &pod), kNone) << "it was prepared before";
  EXPECT_THAT(WhyNoSlice(reserved, &pod), HasSubstr("VDCUPartition r"));
}

TEST(SliceWaits, EachEndsOnceAndByItself) {
  fakes::SimulatedLoop loop;
  Slices held;
  kclient::Store<NodePod> pods;
  int ended = 0;
  std::vector<std::string> done;
  SliceWaits waits({loop, held, pods, [&] { ++ended; }});
  const auto await = [&](const std::string& name) {
    waits.Await(AskerOf(MakePod(name)), loop.clock().Now(), [&, name] { done.push_back(name); });
  };
  held = Held(MakePod("has"), 1);
  await("has");
  EXPECT_THAT(done, testing::ElementsAre("has")) << "at once";
  await("a");
  await("b");
  loop.Advance(kAdmissionTimeout - base::Duration(1));
  EXPECT_EQ(done.size(), 1u);
  held = Held(MakePod("b"), 1);
  waits.Look();
  EXPECT_THAT(done, testing::ElementsAre("has", "b"));
  EXPECT_FALSE(waits.empty());
  loop.Advance(base::Duration(1));
  EXPECT_THAT(done, testing::ElementsAre("has", "b", "a"));
  EXPECT_TRUE(waits.empty());
  EXPECT_EQ(ended, 2);
}

}  // namespace
}  // namespace vdcu::node
