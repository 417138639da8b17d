// An annotation on a running pod took its partition away: what a pod has is what it was bound with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "node/partition_plan.h"
#include "reconcilers/reserved.h"
#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakePartition;
using builders::MakePod;
using builders::MakeSlice;
using builders::PodBuilder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kNames[] = "vdcu.io/partition";

class EditedAnnotationTest : public testing::Test {
 protected:
  EditedAnnotationTest() {
    shown_.ShowNode("n", 1);
    for (const char* name : {"r", "s"}) shown_.Show(Reserved(name));
  }

  static PartitionPtr Reserved(const std::string& name) {
    const int first = name == "r" ? 0 : 10;
    return MakePartition(name)
        .Assigned(MakeSlice("n", 0, first, 10, 1000, 0, first / 10))
        .Ready()
        .Obj();
  }
  static PodBuilder Whole(const std::string& name) { return MakePod(name).Limits(kWhole); }
  // A pod that names r before any of these tests' pods in order, so that it can be had or not.
  bool IsFree(const std::string& partition) {
    const std::string name = "asks-for-" + partition;
    shown_.Show(Whole(name).Created("2030-01-01T00:00:00Z").Annotation(kNames, partition).Obj());
    const auto writes = Writes(shown_.OfPod(name));
    shown_.Remove(Whole(name).Obj());
    return writes == std::vector<std::string>{"create pods/binding team-a/" + name};
  }

  ShownCluster shown_;
};

TEST_F(EditedAnnotationTest, APodWithASliceOfItsOwnTakesNoReservedOne) {
  const auto own = MakePod("p").Limits(kTenth).Node("n");
  shown_.Show(PodBuilder(own).Obj());
  shown_.Show(PodBuilder(own).Annotation(kNames, "r").Obj());
  EXPECT_TRUE(IsFree("r"));
}

TEST_F(EditedAnnotationTest, APodKeepsThePartitionThatItWasBoundFor) {
  const auto bound = Whole("p").BoundFor("r").Node("n");
  for (const PodPtr& edited :
       {PodBuilder(bound).Obj(), PodBuilder(bound).Annotation(kNames, "s").Obj(),
        PodBuilder(bound).Annotation(kNames, "").Obj()}) {
    shown_.Show(edited);
    EXPECT_FALSE(IsFree("r"));
    EXPECT_TRUE(IsFree("s"));
  }
  shown_.Remove(PodBuilder(bound).Obj());
  EXPECT_TRUE(IsFree("r"));
}

TEST_F(EditedAnnotationTest, ABindingIsForWhatThePodNamedWhenItWasSent) {
  shown_.Show(Whole("p").Annotation(kNames, "r").Obj());
  const Plan bind = shown_.OfPod("p");
  ASSERT_EQ(bind.writes.size(), 1u);
  EXPECT_EQ(bind.writes[0].write.body["metadata"]["annotations"],
            (nlohmann::json{{"vdcu.io/bound-partition", "r/uid-p"}}));
  shown_.Assume(bind);
  shown_.Show(Whole("p").Annotation(kNames, "s").Obj());
  EXPECT_FALSE(IsFree("r"));
  EXPECT_TRUE(IsFree("s"));
  shown_.Settle(bind, Outcome::kUnknown);
  const Plan again = shown_.OfPod("p");
  ASSERT_EQ(again.writes.size(), 1u);
  EXPECT_EQ(again.writes[0].write.body, bind.writes[0].write.body);
}

TEST_F(EditedAnnotationTest, ARefusedBindingIsForNothing) {
  shown_.Show(Whole("p").Priority(-1).Annotation(kNames, "r").Obj());
  const Plan bind = shown_.OfPod("p");
  shown_.Assume(bind);
  EXPECT_FALSE(IsFree("r"));
  shown_.Settle(bind, Outcome::kRefused);
  EXPECT_TRUE(IsFree("r"));
}

TEST_F(EditedAnnotationTest, OneEventAnswersEachEdit) {
  const auto bound = Whole("p").BoundFor("r").Node("n");
  shown_.Show(PodBuilder(bound).Obj());
  EXPECT_THAT(Reasons(shown_.OfPod("p")), IsEmpty());
  for (const auto& [named, want] : std::vector<std::pair<std::string, std::string>>{
           {"s",
            "names VDCUPartition s, which changes nothing: the pod was bound for VDCUPartition r"},
           {"", "is gone, which changes nothing: the pod was bound for VDCUPartition r"}}) {
    shown_.TakeDirty();
    shown_.Show(PodBuilder(bound).Annotation(kNames, named).Obj());
    EXPECT_TRUE(shown_.TakesDirty("pod/team-a/p"));
    const Plan plan = shown_.OfPod("p");
    ASSERT_THAT(Reasons(plan), ElementsAre("AnnotationIgnored"));
    EXPECT_THAT(plan.events[0].note, HasSubstr(want));
    EXPECT_THAT(plan.writes, IsEmpty());
    shown_.Show(PodBuilder(bound).Annotation(kNames, named).Version("9").Obj());
    EXPECT_THAT(Reasons(shown_.OfPod("p")), IsEmpty()) << "another change";
  }
  shown_.Show(PodBuilder(bound).Obj());
  EXPECT_THAT(Reasons(shown_.OfPod("p")), IsEmpty()) << "it is as it was";
}

TEST_F(EditedAnnotationTest, WhoWasNotBoundByUsHasNothing) {
  for (const char* scheduler : {"default-scheduler", "vdcu-scheduler"}) {
    const PodPtr by_hand = Whole("h").Scheduler(scheduler).Annotation(kNames, "r").Node("n").Obj();
    shown_.Show(by_hand);
    const Plan plan = shown_.OfPod("h");
    ASSERT_THAT(Reasons(plan), ElementsAre("AnnotationIgnored"));
    EXPECT_THAT(plan.events[0].note, HasSubstr("bound for no reserved partition"));
    EXPECT_TRUE(IsFree("r"));
    shown_.Remove(by_hand);
  }
}

TEST_F(EditedAnnotationTest, ACopyOfABoundPodHasNothing) {
  auto copy = *Whole("copy").BoundFor("r").Node("n").Obj();
  copy.meta.uid = "another";
  shown_.Show(std::make_shared<const kclient::Pod>(copy));
  EXPECT_TRUE(IsFree("r"));
}

TEST_F(EditedAnnotationTest, SlicesThatAWaitingPodNoLongerAsksForAreGivenBack) {
  const auto pod = MakePod("p").Limits(kWhole);
  shown_.Show(PodBuilder(pod).Obj());
  const auto own = MakePartition("own")
                       .For(PodBuilder(pod).Obj())
                       .Assigned(MakeSlice("n", 0, 30, 10, 1000, 1, 5))
                       .Ready();
  shown_.Show(own.Obj());
  for (const auto& [annotation, value] : std::vector<std::pair<std::string, std::string>>{
           {kNames, "r"}, {"vdcu.io/policy", "Nonsense"}}) {
    shown_.Show(PodBuilder(pod).Annotation(annotation, value).Obj());
    const Plan plan = shown_.OfPod("p");
    EXPECT_THAT(Writes(plan), ElementsAre("delete vdcupartitions " + own.Obj()->meta.key()));
    EXPECT_THAT(Reasons(plan), ElementsAre("RequestChanged"));
  }
}

// As the daemon reads the pod.
node::NodePod OfNode(const std::string& annotations) {
  kclient::JsonParser parser;
  const auto pod = node::NodePod::FromJson(parser
                                               .Parse(R"({"metadata": {"name": "p",
    "namespace": "team-a", "uid": "u", "annotations": )" +
                                                      annotations +
                                                      R"(}, "spec": {"containers": [{"name": "main",
    "resources": {"limits": {"hygon.com/dcunum": "1"}}}]}})")
                                               .value());
  return *pod;
}

TEST(EditedAnnotation, TheDaemonSeesTheSame) {
  const auto user = [](const std::string& annotations, const std::string& holder) {
    const node::NodePod pod = OfNode(annotations);
    auto partition = *MakePartition("r").Obj();
    if (!holder.empty()) partition.status.used_by = crds::PodRef{"p", holder, "main"};
    const auto picked = node::PickUser(partition, {&pod});
    return picked ? picked->uid : "";
  };
  EXPECT_EQ(user(R"({"vdcu.io/partition": "r"})", ""), "") << "edited into a running pod";
  EXPECT_EQ(user(R"({"vdcu.io/partition": "s", "vdcu.io/bound-partition": "r/u"})", ""), "u");
  EXPECT_EQ(user(R"({"vdcu.io/bound-partition": "r/u"})", ""), "u") << "taken away";
  EXPECT_EQ(user(R"({"vdcu.io/bound-partition": "r/another"})", ""), "") << "a copy";
  EXPECT_EQ(user(R"({"vdcu.io/bound-partition": "s/u"})", ""), "");
  EXPECT_EQ(user(R"({})", "u"), "u") << "who holds it keeps it";
}

}  // namespace
}  // namespace vdcu::reconcilers
