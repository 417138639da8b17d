// An annotation on a running pod, and its container never started again: SliceGone.
#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;
using world::kPartitions;
using world::kPods;

class EditedAnnotationTest : public E2eTest {
 protected:
  static void Annotate(const std::string& pod, const json& value) {
    const auto answer =
        api().Call("PATCH", std::string(kPods) + "/" + pod,
                   {{"metadata", {{"annotations", {{"vdcu.io/partition", value}}}}}});
    EXPECT_EQ(answer.code, 200) << answer.body.dump();
  }
  void StartsAgain(const std::string& pod) {
    const std::string before = Identity(pod);
    End({pod});
    EXPECT_TRUE(Eventually("a new container of " + pod, [&] {
      return Identity(pod) != before && ContainerOf(pod).has_value();
    }));
  }
};

TEST_F(EditedAnnotationTest, ContainersStartAgainWithWhatTheyHad) {
  Create(world::Partition("kept", {{"cores", 15}, {"memory", "2000Mi"}}));
  json own = RealPod("own", Slice(9, 2000));
  json user = RealPod("user", kWholeCard, {{"vdcu.io/partition", "kept"}});
  for (json* pod : {&own, &user}) {
    (*pod)["spec"]["restartPolicy"] = "Always";
    Create(*pod);
  }
  ASSERT_TRUE(Runs(std::vector<std::string>{"own", "user"}));
  Annotate("own", "kept");
  Annotate("user", nullptr);
  ASSERT_TRUE(Eventually("the edit is answered", [] {
    return HasEvent("own", "AnnotationIgnored", "bound for no reserved partition");
  }));
  StartsAgain("own");
  StartsAgain("user");
  ExpectOwnSlice("own");
  ExpectSlice("user", "main", api().Find(kPartitions, "kept"));
  EXPECT_EQ(api().Find(kPartitions, "kept")["status"]["usedBy"]["name"], "user");
}

}  // namespace
}  // namespace vdcu::e2e
