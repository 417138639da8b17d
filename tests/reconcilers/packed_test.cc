#include "reconcilers/view/packed.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reconcilers/view/entries.h"
#include "reconcilers/view/table.h"
#include "tests/builders/builders.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakeDcuNode;
using builders::MakeNode;
using builders::MakePartition;
using builders::MakePod;
using builders::MakeSlice;
using builders::PartitionPtr;
using builders::PodPtr;

constexpr char kUuid[] = "3f6c1d0e-5b7a-4c3e-9f00-0123456789ab";

// What short forms cannot hold, and what they could be taken for.
std::vector<kclient::ObjectMeta> OddMetas(const kclient::ObjectMeta& plain) {
  std::vector<kclient::ObjectMeta> metas(1, plain);
  for (const char* uid : {kUuid, "", "no-uuid"}) {
    metas.push_back(plain);
    metas.back().uid = uid;
  }
  for (const char* version : {"", "0", "1000001", "007", "18446744073709551616", "-1", "x", "1x"}) {
    metas.push_back(plain);
    metas.back().resource_version = version;
  }
  for (const char* time : {"", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "not a time",
                           "2026-01-02T15:04:05.25Z", "2200-01-02T15:04:05Z"}) {
    metas.push_back(plain);
    metas.back().creation_timestamp = time;
    metas.back().deletion_timestamp = time;
  }
  metas.push_back(plain);
  metas.back().ns.clear();
  metas.back().labels = {{"a", "b"}};
  metas.back().finalizers = {"x", "y"};
  return metas;
}

TEST(PackedPod, UnpacksToWhatWasPacked) {
  const PodPtr plain = MakePod("p")
                           .Uid(kUuid)
                           .Node("n")
                           .Phase("Running")
                           .Limits({{"cpu", 5}})
                           .Port(80)
                           .Annotation("vdcu.io/partition", "r")
                           .Obj();
  for (const kclient::ObjectMeta& meta : OddMetas(plain->meta)) {
    kclient::Pod pod = *plain;
    pod.meta = meta;
    EXPECT_EQ(PackedPod(pod).Unpack(meta.key()), pod) << meta.uid << meta.resource_version;
  }
}

std::vector<crds::VdcuPartition> OddPartitions() {
  const PodPtr pod = MakePod("p").Uid(kUuid).Node("n").Obj();
  const auto slice = MakeSlice("n", 0, 0, 6, 1000, 0, 3);
  const PartitionPtr ready = MakePartition("").For(pod).Assigned(slice).Ready().Obj();
  std::vector<crds::VdcuPartition> odd{
      *ready,
      *MakePartition("r").Obj(),
      *MakePartition("r").NodeSelector({{"zone", "a"}}).Deleting("now").Obj(),
      *MakePartition("r").Assigned(slice).Ready().UsedBy(pod).Obj(),
      *MakePartition("").For(pod).Obj(),
  };
  for (const char* label : {"", "n", "another"}) {
    odd.push_back(*ready);
    odd.back().meta.labels = {{"app", "x"}, {std::string(crds::kNodeLabel), label}};
  }
  const std::string long_name(70, 'n');
  odd.push_back(*MakePartition("r").Assigned(MakeSlice(long_name, 0, 0, 6, 1000, 0, 3)).Obj());
  odd.push_back(*MakePartition("r").Obj());
  odd.back().meta.labels.emplace(crds::kNodeLabel, "n");
  odd.push_back(*MakePartition("r").Obj());
  odd.back().unread = crds::Unread{.why = "spec.memory: lots", .node = "n"};
  for (const char* time : {"", "2026-01-02T15:04:05Z", "2026-01-02T15:04:05.25Z", "soon"}) {
    odd.push_back(*ready);
    for (int i = 0; i < 5; ++i) odd.back().status.conditions.push_back({});
    for (auto& condition : odd.back().status.conditions) condition.last_transition_time = time;
    odd.back().status.vdev_file = "/etc/vdev/vdev3.conf";
  }
  odd.push_back(*ready);
  odd.back().spec.assignment->pipe.reset();
  odd.back().spec.assignment->vdev.reset();
  odd.push_back(*ready);
  odd.back().spec.assignment->compute_units = 1;  // not what the mask counts
  odd.push_back(*ready);
  odd.back().meta.owner_references[0].uid = "another";
  odd.push_back(*ready);
  odd.back().meta.owner_references.push_back(odd.back().meta.owner_references[0]);
  odd.push_back(*ready);
  odd.back().meta.owner_references.clear();
  return odd;
}

TEST(PackedPartition, UnpacksToWhatWasPacked) {
  for (const crds::VdcuPartition& plain : OddPartitions()) {
    for (const kclient::ObjectMeta& meta : OddMetas(plain.meta)) {
      crds::VdcuPartition partition = plain;
      partition.meta = meta;
      EXPECT_EQ(PackedPartition(partition).Unpack(meta.key()), partition)
          << crds::ToJson(partition);
    }
  }
}

TEST(PackedDcuNode, UnpacksToWhatWasPacked) {
  const auto plain = MakeDcuNode("n")
                         .Cards(3)
                         .Sick(1, "EccError")
                         .Cordon(2)
                         .Held(kUuid, MakeSlice("n", 0, 0, 6, 1000, 0, 0))
                         .Obj();
  for (const kclient::ObjectMeta& meta : OddMetas(plain->meta)) {
    crds::DcuNode node = *plain;
    node.meta = meta;
    EXPECT_EQ(PackedDcuNode(node).Unpack(meta.key()), node);
  }
}

TEST(PackedNode, UnpacksToWhatWasPacked) {
  const auto plain = MakeNode("n").Label("zone", "a").Taint("x", "", "NoSchedule").Obj();
  for (const char* host : {"", "n", "another"}) {
    for (const char* since : {"", "2026-01-02T15:04:05Z", "a while"}) {
      kclient::Node node = *plain;
      node.meta.labels["kubernetes.io/hostname"] = host;
      node.ready_changed = since;
      for (const kclient::ObjectMeta& meta : OddMetas(node.meta)) {
        node.meta = meta;
        const PackedNode packed(node);
        EXPECT_EQ(packed.Unpack(meta.key()), node);
        EXPECT_EQ(packed.UnpackLabels(meta.key()), node.meta.labels);
        EXPECT_EQ(packed.alike().taints, node.taints);
        EXPECT_EQ(packed.alike().allocatable, node.allocatable);
      }
    }
  }
}

TEST(Packed, WhatObjectsHaveAlikeIsHeldOnce) {
  std::vector<PackedPod> pods;
  std::vector<PackedPartition> partitions;
  std::vector<PackedDcuNode> nodes;
  for (int i = 0; i < 100; ++i) {
    const std::string n = std::to_string(i);
    const PodPtr pod = MakePod("p" + n).Version(n).Created("2026-01-02T15:04:05Z").Node(n).Obj();
    pods.emplace_back(*pod);
    partitions.emplace_back(
        *MakePartition("").For(pod).Assigned(MakeSlice(n, 0, i, 6, 1000, 0, i)).Ready().Obj());
    nodes.emplace_back(*MakeDcuNode(n).Cards(8).Obj());
  }
  EXPECT_LE(base::Interned<kclient::Pod>::pool_size(), 2u);
  EXPECT_LE(base::Interned<crds::VdcuPartition>::pool_size(), 2u);
  EXPECT_LE(base::Interned<crds::DcuNode>::pool_size(), 2u);
}

class TableTest : public testing::Test {
 protected:
  static constexpr std::string_view kKey = "team-a/p";

  TableTest() {
    PodEntry entry;
    entry.pod = pod_;
    entry.charged = base::Symbol("n");
    table_.Set(kKey, std::move(entry));
  }
  void Avoid(const std::string& node) {
    table_.Change(kKey, [&](PodEntry& entry) { entry.avoided[node] = {}; });
  }

  const PodPtr pod_ = MakePod("p").Node("n").Obj();
  Table<PodEntry> table_;
};

TEST_F(TableTest, ARowReadsTheSamePackedOrOpen) {
  const auto packed = table_.Find(kKey);
  EXPECT_NE(packed->pod, pod_) << "unpacked, not kept";
  EXPECT_EQ(*packed->pod, *pod_);
  Avoid("n");
  const auto open = table_.Find(kKey);
  EXPECT_EQ(open, table_.Find(kKey));
  EXPECT_EQ(*open->pod, *pod_);
  EXPECT_EQ(open->avoided.size(), 1u);
  table_.Change(kKey, [](PodEntry& entry) { entry.avoided.clear(); });
  EXPECT_NE(table_.Find(kKey), table_.Find(kKey)) << "packed again";
  EXPECT_EQ(*table_.Find(kKey)->pod, *pod_);
}

TEST_F(TableTest, WhatWasFoundStaysWhatItWas) {
  Avoid("n");
  const auto before = table_.Find(kKey);
  Avoid("m");
  EXPECT_EQ(before->avoided.size(), 1u);
  EXPECT_EQ(table_.Find(kKey)->avoided.size(), 2u);
  table_.Erase(kKey);
  EXPECT_EQ(*before->pod, *pod_);
}

TEST_F(TableTest, HasEachRowOnceAndNoneThatIsErased) {
  table_.Change("team-a/absent", [](PodEntry& entry) { entry.avoided["n"] = {}; });
  EXPECT_EQ(table_.Find("team-a/absent"), nullptr);
  for (const bool open : {false, true}) {
    SCOPED_TRACE(open ? "open" : "packed");
    if (open) Avoid("n");
    int open_rows = 0;
    int rows = 0;
    table_.ForEachOpen([&](std::string_view, const PodEntry&) { ++open_rows; });
    table_.ForEachKey([&](std::string_view key) { rows += key == kKey; });
    EXPECT_EQ(open_rows, open ? 1 : 0);
    EXPECT_EQ(rows, 1);
    EXPECT_EQ(table_.size(), 1u);
  }
  table_.Erase(kKey);
  EXPECT_EQ(table_.Find(kKey), nullptr);
  EXPECT_EQ(table_.size(), 0u);
}

}  // namespace
}  // namespace vdcu::reconcilers
