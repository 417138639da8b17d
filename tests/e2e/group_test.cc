// A group of pods on a real kubelet: none starts before all can, and one that is made anew joins
// those that run.
#include "tests/e2e/e2e_test.h"

namespace vdcu::e2e {
namespace {

using nlohmann::json;

class GroupTest : public E2eTest {
 protected:
  // Whole cards: the machine has eight.
  static json Member(const std::string& name, const std::string& size) {
    return RealPod(name, kTwoCards, {{"vdcu.io/group", "train"}, {"vdcu.io/group-size", size}});
  }
};

TEST_F(GroupTest, AllRunOrNoneDoesAndOneMadeAnewJoinsThem) {
  Create(RealPod("other", kWholeCard));
  ASSERT_TRUE(Runs("other"));
  for (const char* pod : {"a", "b", "c", "d"}) Create(Member(pod, "4"));
  for (const char* pod : {"a", "b", "c", "d"}) {
    EXPECT_TRUE(Eventually(std::string(pod) + " says why it waits", [&] {
      const json condition = world::Condition(FindPod(pod), "PodScheduled");
      return condition.is_object() && condition["message"].get<std::string>().starts_with(
                                          "group train: 3 of 4 placed: 0/1 nodes fit");
    }));
  }
  EXPECT_EQ(api().List(world::kPartitions).size(), 1u) << "what waits holds nothing";
  Delete("other");
  ASSERT_TRUE(Runs(std::vector<std::string>{"a", "b", "c", "d"}));
  for (const char* pod : {"a", "b", "c", "d"}) ExpectOwnCards(pod, 2);
  Delete("b");
  ASSERT_TRUE(IsGone("b"));
  Create(Member("e", "4"));
  EXPECT_TRUE(Runs("e")) << "three of them run";
  ExpectOwnCards("e", 2);
  ExpectNoAdmissionError();
}

}  // namespace
}  // namespace vdcu::e2e
