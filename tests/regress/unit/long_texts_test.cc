// An annotation of 64 KiB was copied whole into PodScheduled's message and into the log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kclient/api_error.h"
#include "node/partition_plan.h"
#include "tests/reconcilers/shown.h"

namespace vdcu {
namespace {

using testing::HasSubstr;

constexpr size_t kMost = 1024;
const std::string kLong(64 << 10, 'x');

TEST(LongTexts, AnAnnotationIsQuotedInPart) {
  reconcilers::ShownCluster shown;
  shown.Show(builders::MakePod("p")
                 .Limits({{"hygon.com/dcunum", 1}})
                 .Annotation("vdcu.io/policy", kLong)
                 .Obj());
  const std::string message = Reported(shown.OfPod("p"))["message"];
  EXPECT_LE(message.size(), 300u);
  EXPECT_THAT(message, HasSubstr("must be BinPack, Spread or FragmentationAware"))
      << "what is right still stands there";
}

TEST(LongTexts, AMessageIsCutWhereverItComesFrom) {
  reconcilers::ShownCluster shown;
  shown.Show(builders::MakePod("p").Limits(reconcilers::kTenth).Obj());
  const auto entry = shown.cluster.view().FindPod("team-a/p");
  reconcilers::Plan plan;
  AppendUnscheduled(plan, *entry, "Unschedulable", kLong, shown.at);
  EXPECT_EQ(Reported(plan)["message"].get<std::string>().size(), kMost);
  shown.Assume(plan);
  reconcilers::Plan again;
  AppendUnscheduled(again, *shown.cluster.view().FindPod("team-a/p"), "Unschedulable", kLong,
                    shown.at);
  EXPECT_TRUE(again.writes.empty()) << "it is the same still";

  const auto partition = builders::MakePartition("r").Obj();
  reconcilers::Plan unassigned;
  AppendUnassigned(unassigned, *partition, "Unschedulable", kLong, shown.at);
  EXPECT_EQ(Reported(unassigned)["message"].get<std::string>().size(), kMost);

  crds::VdcuPartition unread = *partition;
  unread.unread = crds::Unread{.why = kLong, .node = ""};
  const auto unreadable = node::PlanUnread(unread, shown.at.wall_time);
  const auto& conditions = unreadable.write.value().body["status"]["conditions"];
  EXPECT_EQ(conditions[0]["message"].get<std::string>().size(), kMost);
}

TEST(LongTexts, AServersMessageIsCut) {
  const std::string body =
      R"({"kind": "Status", "reason": "Forbidden", "message": ")" + kLong + "\"}";
  EXPECT_EQ(kclient::ErrorFromResponse({403, body, {}}).message.size(), kMost);
}

}  // namespace
}  // namespace vdcu
