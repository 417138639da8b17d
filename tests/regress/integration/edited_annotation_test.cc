// kubectl annotate pod P vdcu.io/partition=reserved on a pod with a slice of its own: P became the
// user of the reserved partition. For which one a pod was bound stands in the pod, and is fixed.
#include "tests/integration/placement_fixture.h"

namespace vdcu::integration {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const Limits kSlice{{"dcunum", "1"}, {"dcumem", "1000"}, {"dcucores", "10"}};
const Limits kWholeCard{{"dcunum", "1"}};

class EditedAnnotationTest : public PlacementTest {
 protected:
  static Api::Answer Annotate(const std::string& pod, const std::string& name, const json& value,
                              const std::string& user = "") {
    return api().Call("PATCH", std::string(kPods) + "/" + pod,
                      {{"metadata", {{"annotations", {{name, value}}}}}}, user);
  }
  std::string UserOf(const std::string& partition) const {
    return FindPartition(partition)["status"].value("usedBy", json::object()).value("name", "");
  }
  void Reserve(const std::string& name) {
    Create(Partition(name, {{"cores", 15}, {"memory", "2000Mi"}}));
    ASSERT_TRUE(Becomes(name, "Ready", "True/Ready"));
  }
};

TEST_F(EditedAnnotationTest, ARunningPodHasWhatItWasBoundWith) {
  Reserve("first");
  Reserve("second");
  Create(Pod("own", kSlice));
  ASSERT_FALSE(Bound("own").empty());
  Create(Pod("user", kWholeCard, {{"vdcu.io/partition", "first"}}));
  ASSERT_FALSE(Bound("user").empty());
  Eventually("user uses it", [&] { return UserOf("first") == "user"; });

  ASSERT_EQ(Annotate("own", "vdcu.io/partition", "second").code, 200);
  ASSERT_EQ(Annotate("user", "vdcu.io/partition", "second").code, 200);
  Eventually("own is answered", [&] {
    return HasEvent("own", "AnnotationIgnored", "bound for no reserved partition");
  });
  Eventually("user is answered", [&] {
    return HasEvent("user", "AnnotationIgnored", "bound for VDCUPartition first");
  });
  // Both decide from the objects alone.
  world().controller.reset();
  world().controller = world().MakeController("controller");
  Create(Pod("next", kWholeCard, {{"vdcu.io/partition", "second"}}));
  ASSERT_FALSE(Bound("next").empty());
  Eventually("next uses it", [&] { return UserOf("second") == "next"; });
  EXPECT_EQ(UserOf("first"), "user");
  Create(Pod("late", kWholeCard, {{"vdcu.io/partition", "first"}}));
  ASSERT_TRUE(Waits("late", "Unschedulable", "first is held by pod user"));

  Delete(kPods, "user");
  EXPECT_FALSE(Bound("late").empty());
  Eventually("late uses it", [&] { return UserOf("first") == "late"; });
  EXPECT_EQ(FindPod("late")["metadata"]["annotations"]["vdcu.io/bound-partition"],
            "first/" + FindPod("late")["metadata"]["uid"].get<std::string>());
}

TEST_F(EditedAnnotationTest, NobodyWritesForWhichPartitionAPodWasBound) {
  Reserve("first");
  Create(Pod("user", kWholeCard, {{"vdcu.io/partition", "first"}}));
  Create(Pod("own", kSlice));
  ASSERT_FALSE(Bound("user").empty());
  ASSERT_FALSE(Bound("own").empty());
  const auto refused = [](const Api::Answer& answer) {
    EXPECT_GE(answer.code, 400) << answer.body.dump();
    return answer.body.value("message", "");
  };
  constexpr char kBound[] = "vdcu.io/bound-partition";
  const std::string uid = FindPod("own")["metadata"]["uid"];
  const char* only = "only vdcu-controller sets vdcu.io/bound-partition";
  EXPECT_THAT(refused(Annotate("own", kBound, "first/" + uid)), HasSubstr(only));
  EXPECT_THAT(refused(Annotate("user", kBound, nullptr)), HasSubstr(only));
  EXPECT_THAT(refused(Annotate("user", kBound, "second")), HasSubstr(only));
  Create({{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", "unbound"}}},
          {"spec", {{"schedulerName", "nobody"}, {"containers", {Container("main", {})}}}}});
  const json binding{{"apiVersion", "v1"},
                     {"kind", "Binding"},
                     {"metadata", {{"name", "unbound"}, {"annotations", {{kBound, "first/x"}}}}},
                     {"target", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", "big"}}}};
  EXPECT_THAT(refused(api().Call("POST", std::string(kPods) + "/unbound/binding", binding)),
              HasSubstr(only));
  EXPECT_EQ(Annotate("own", "note", "pods may be edited else").code, 200);
  EXPECT_EQ(Annotate("user", "note", "this one too").code, 200);
}

}  // namespace
}  // namespace vdcu::integration
