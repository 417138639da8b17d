#include "kclient/core/node.h"

#include <gtest/gtest.h>

#include "tests/kclient/core/parsed.h"

namespace vdcu::kclient {
namespace {

TEST(Node, ReadsWhatPlacementNeeds) {
  const Parsed json(R"({"kind": "Node", "metadata": {"name": "node-1", "uid": "u1",
      "labels": {"kubernetes.io/hostname": "node-1"}, "annotations": {"vdcu.io/x": "y"}},
    "spec": {"unschedulable": true,
             "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]},
    "status": {
      "capacity": {"cpu": "64", "pods": "110"},
      "allocatable": {"cpu": "63500m", "memory": "257698037760", "pods": "110",
                      "hygon.com/dcunum": "32"},
      "conditions": [
        {"type": "MemoryPressure", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"},
        {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-02T00:00:00Z",
         "lastHeartbeatTime": "2026-01-03T00:00:00Z", "reason": "KubeletReady"}]}})");
  const auto node = Node::FromJson(json.view());
  ASSERT_TRUE(node) << node.error().message;
  EXPECT_EQ(node->meta.name, "node-1");
  EXPECT_EQ(node->meta.labels, (Labels{{"kubernetes.io/hostname", "node-1"}}));
  EXPECT_TRUE(node->meta.annotations.empty());
  EXPECT_TRUE(node->unschedulable);
  EXPECT_EQ(node->taints.size(), 1U);
  EXPECT_EQ(
      node->allocatable,
      (ResourceList{
          {"cpu", 63'500}, {"memory", 257'698'037'760}, {"pods", 110}, {"hygon.com/dcunum", 32}}));
  EXPECT_TRUE(node->ready);
  EXPECT_EQ(node->ready_changed, "2026-01-02T00:00:00Z");
}

TEST(Node, IsReadyOnlyWhenTheConditionSaysSo) {
  for (const std::string status : {"False", "Unknown"}) {
    const Parsed json(R"({"metadata": {"name": "n"}, "status": {"conditions": [
        {"type": "Ready", "status": ")" +
                      status + R"(", "lastTransitionTime": "T1"}]}})");
    const auto node = Node::FromJson(json.view());
    ASSERT_TRUE(node);
    EXPECT_FALSE(node->ready) << status;
    EXPECT_EQ(node->ready_changed, "T1");
  }
}

TEST(Node, AJustRegisteredOneHasNothing) {
  const Parsed json(R"({"metadata": {"name": "n"}})");
  const auto node = Node::FromJson(json.view());
  ASSERT_TRUE(node);
  EXPECT_FALSE(node->ready);
  EXPECT_FALSE(node->unschedulable);
  EXPECT_TRUE(node->allocatable.empty());
}

TEST(Node, WithoutANameItIsCorrupt) {
  const Parsed json(R"({"kind": "Node", "metadata": {}})");
  const auto node = Node::FromJson(json.view());
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().code, base::ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace vdcu::kclient
