// A quota on dcumem was passed by with reserved partitions, which no ResourceQuota counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakePartition;
using builders::MakePod;
using builders::PartitionBuilder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kMemory[] = "requests.hygon.com/dcumem";
constexpr char kCards[] = "requests.hygon.com/dcunum";
constexpr char kCores[] = "requests.hygon.com/dcucores";

class QuotaTest : public testing::Test {
 protected:
  QuotaTest() { shown_.ShowNode("n", 4); }

  void Quota(const kclient::ResourceList& hard, bool scoped = false,
             const std::string& ns = "team-a") {
    kclient::ResourceQuota quota;
    quota.meta.name = "q";
    quota.meta.ns = ns;
    quota.hard = hard;
    quota.scoped = scoped;
    const auto now = std::make_shared<const kclient::ResourceQuota>(quota);
    shown_.cluster.shown().Set(std::exchange(quotas_[ns], now), now, shown_.at.now);
  }
  void Reconcile() {
    for (const Key& key : shown_.cluster.TakeDirty()) {
      const std::string object = key.object();
      const Plan plan = shown_.Noted(
          key.kind == kPod ? ReconcilePod(shown_.cluster.view(), object, shown_.at)
                           : ReconcilePartition(shown_.cluster.view(), object, shown_.at));
      if (plan.place) placer_.Add(key, shown_.at.now);
    }
  }
  // Who is placed now.
  std::vector<std::string> Placed() {
    Reconcile();
    std::vector<std::string> placed;
    while (const auto decision = placer_.Next(shown_.at)) {
      shown_.Assume(decision->plan);
      const std::string name = decision->key.name;
      if (decision->placed) {
        placed.push_back(name);
        shown_.Settle(decision->plan, Outcome::kCommitted);
      }
      if (decision->placed || decision->plan.writes.empty()) continue;
      told_ = Reported(decision->plan)["message"];
      shown_.Settle(decision->plan, Outcome::kRefused);
    }
    return placed;
  }
  // The partition that a pod was given, or a reserved one with its card, is shown and goes.
  void EndOf(const PartitionPtr& partition) {
    const PartitionEntryPtr entry = shown_.cluster.view().FindPartition(partition->meta.key());
    shown_.Show(std::make_shared<const crds::VdcuPartition>(entry->object()));
    shown_.Remove(partition);
  }
  static PartitionBuilder Asks(const std::string& name, int64_t mib) {
    return MakePartition(name).Units(10, mib);
  }
  static builders::PodBuilder Slice(const std::string& name, int64_t mib, int percent = 10) {
    return MakePod(name).Limits(
        {{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", mib}, {"hygon.com/dcucores", percent}});
  }

  ShownCluster shown_;
  Placer placer_{shown_.cluster};
  std::string told_;

 private:
  std::map<std::string, std::shared_ptr<const kclient::ResourceQuota>> quotas_;
};

TEST_F(QuotaTest, AReservedPartitionIsHeldToWhatPodsAre) {
  Quota({{kMemory, 4000}, {"pods", 1}});
  shown_.Show(Asks("r", 30000).Obj());
  EXPECT_THAT(Placed(), IsEmpty());
  EXPECT_EQ(told_,
            "ResourceQuota q allows requests.hygon.com/dcumem 4000: the VDCUPartitions of "
            "namespace team-a hold 0, and this needs 30000");
  Quota({{kMemory, 30000}});
  EXPECT_THAT(Placed(), ElementsAre("r")) << "no node has changed";
}

TEST_F(QuotaTest, PodsAndReservedOnesHoldTogether) {
  Quota({{kMemory, 4000}});
  shown_.Show(Slice("p", 3000).Obj());
  EXPECT_THAT(Placed(), ElementsAre("p"));
  shown_.Show(Asks("r", 2000).Obj());
  EXPECT_THAT(Placed(), IsEmpty());
  EXPECT_THAT(told_, HasSubstr("hold 3000, and this needs 2000"));
  shown_.Show(MakePartition("r2").Ns("team-b").Units(10, 2000).Obj());
  EXPECT_THAT(Placed(), ElementsAre("r2")) << "another namespace";
  const auto own = shown_.cluster.view().PartitionsOfPod("uid-p").at(0)->object();
  EndOf(std::make_shared<const crds::VdcuPartition>(own));
  EXPECT_THAT(Placed(), ElementsAre("r")) << "it stands before p, which has lost its slice";
  EXPECT_THAT(told_, HasSubstr("hold 2000, and this needs 3000"));
}

TEST_F(QuotaTest, TwoInOnePassDoNotBothPass) {
  Quota({{kMemory, 4000}});
  shown_.Show(Asks("a", 2500).Obj());
  shown_.Show(Asks("b", 2500).Obj());
  EXPECT_THAT(Placed(), ElementsAre("a"));
  EndOf(Asks("a", 2500).Obj());
  EXPECT_THAT(Placed(), ElementsAre("b"));
}

TEST_F(QuotaTest, ARefusedWriteHoldsNothing) {
  Quota({{kMemory, 2500}});
  shown_.Show(Asks("a", 2500).Obj());
  Reconcile();
  const auto decision = placer_.Next(shown_.at);
  ASSERT_TRUE(decision && decision->placed);
  shown_.Assume(decision->plan);
  shown_.Show(Asks("b", 2500).Obj());
  EXPECT_THAT(Placed(), IsEmpty());
  shown_.Settle(decision->plan, Outcome::kRefused);
  EXPECT_THAT(Placed(), ElementsAre("b"));
}

TEST_F(QuotaTest, EachAmountIsCountedAsAPodWouldAskForIt) {
  struct Case {
    std::string name;
    kclient::ResourceList hard;
    PartitionPtr partition;
    bool want_placed;
  };
  const auto whole = [] {
    auto partition = *MakePartition("r").Obj();
    partition.spec.request = {};
    return std::make_shared<const crds::VdcuPartition>(partition);
  };
  for (const Case& c : {
           Case{"memory that fits", {{kMemory, 1000}}, Asks("r", 1000).Obj(), true},
           Case{"memory that does not", {{kMemory, 999}}, Asks("r", 1000).Obj(), false},
           Case{"by the other name",
                {{"requests.hygon.com/hcumem", 999}},
                Asks("r", 1000).Obj(),
                false},
           Case{"no card at all", {{kCards, 0}}, Asks("r", 1000).Obj(), false},
           Case{"one card", {{kCards, 1}}, Asks("r", 1000).Obj(), true},
           Case{"10 of 60 units are 17 percent", {{kCores, 16}}, Asks("r", 1000).Obj(), false},
           Case{"17 percent", {{kCores, 17}}, Asks("r", 1000).Obj(), true},
           Case{"a whole card is 100 percent", {{kCores, 99}}, whole(), false},
           Case{"and all its memory", {{kMemory, 32767}}, whole(), false},
           Case{"which may be allowed", {{kMemory, 32768}, {kCores, 100}}, whole(), true},
           Case{"other resources", {{"requests.cpu", 0}}, whole(), true},
       }) {
    SCOPED_TRACE(c.name);
    ShownCluster shown;
    shown.ShowNode("n", 1);
    kclient::ResourceQuota quota;
    quota.meta.name = "q";
    quota.meta.ns = "team-a";
    quota.hard = c.hard;
    shown.cluster.shown().Set(nullptr, std::make_shared<const kclient::ResourceQuota>(quota),
                              shown.at.now);
    shown.Show(c.partition);
    Placer placer(shown.cluster);
    placer.Add(PartitionKey("team-a/r"), shown.at.now);
    const auto decision = placer.Next(shown.at);
    ASSERT_TRUE(decision);
    EXPECT_EQ(decision->placed, c.want_placed);
  }
}

TEST_F(QuotaTest, AScopedQuotaIsNotAboutPartitions) {
  Quota({{kMemory, 1}}, true);
  shown_.Show(Asks("r", 1000).Obj());
  EXPECT_THAT(Placed(), ElementsAre("r"));
}

TEST_F(QuotaTest, WhatIsHeldByUnitsFollowsItsCard) {
  Quota({{kCores, 100}});
  shown_.Show(Asks("a", 1000).Obj());
  shown_.Show(Asks("b", 1000).Obj());
  EXPECT_THAT(Placed(), ElementsAre("a", "b")) << "17 percent each";
  shown_.Show(Slice("p", 1000, 66).Obj());
  EXPECT_THAT(Placed(), ElementsAre("p"));
  shown_.Show(Slice("q", 1000, 1).Obj());
  EXPECT_THAT(Placed(), IsEmpty());
  EXPECT_THAT(told_, HasSubstr("hold 100, and this needs 1"));
}

TEST_F(QuotaTest, WhoWaitsForItHoldsUpNobodyElse) {
  Quota({{kCards, 0}});
  shown_.Show(Slice("a", 1000).Obj());
  shown_.Show(Slice("b", 1000).Ns("team-b").Obj());
  EXPECT_THAT(Placed(), ElementsAre("b"));
}

TEST(ResourceQuota, IsReadAsItBounds) {
  kclient::JsonParser parser;
  const auto read = [&](const std::string& spec) {
    const std::string text =
        R"({"metadata": {"name": "q", "namespace": "t"}, "spec": )" + spec + "}";
    return *kclient::ResourceQuota::FromJson(parser.Parse(text).value());
  };
  const auto plain = read(R"({"hard": {"requests.hygon.com/dcumem": "4k", "pods": "2500m"}})");
  EXPECT_EQ(plain.hard, (kclient::ResourceList{{kMemory, 4000}, {"pods", 2}})) << "rounded down";
  EXPECT_FALSE(plain.scoped);
  EXPECT_TRUE(read(R"({"scopes": ["NotTerminating"]})").scoped);
  EXPECT_TRUE(read(R"({"scopeSelector": {"matchExpressions": []}})").scoped);
}

}  // namespace
}  // namespace vdcu::reconcilers
