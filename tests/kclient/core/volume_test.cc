#include "kclient/core/volume.h"

#include <gtest/gtest.h>

#include "tests/kclient/core/parsed.h"

namespace vdcu::kclient {
namespace {

struct ClaimCase {
  std::string name;
  std::string annotations;
  std::string volume_name;
  std::string phase;
  bool want_bound;
};

TEST(PersistentVolumeClaim, IsBoundWhenBothSidesSaySo) {
  const std::string completed = R"({"pv.kubernetes.io/bind-completed": "yes"})";
  const std::vector<ClaimCase> cases = {
      {"bound", completed, "pv-1", "Bound", true},
      {"waiting for its first consumer", "{}", "", "Pending", false},
      {"a volume is chosen but not bound", "{}", "pv-1", "Pending", false},
      {"not completed", "{}", "pv-1", "Bound", false},
      {"no volume", completed, "", "Bound", false},
      {"its volume was lost", completed, "pv-1", "Lost", false},
  };
  for (const auto& [name, annotations, volume_name, phase, want_bound] : cases) {
    const Parsed json(R"({"metadata": {"name": "data", "namespace": "a", "annotations": )" +
                      annotations + R"(}, "spec": {"accessModes": ["ReadWriteOnce"],
                      "volumeName": ")" +
                      volume_name + R"("}, "status": {"phase": ")" + phase + R"("}})");
    const auto claim = PersistentVolumeClaim::FromJson(json.view());
    ASSERT_TRUE(claim) << name;
    EXPECT_EQ(claim->bound, want_bound) << name;
    EXPECT_EQ(claim->volume_name, volume_name) << name;
    EXPECT_FALSE(claim->single_pod) << name;
    EXPECT_TRUE(claim->meta.annotations.empty()) << name;
  }
}

TEST(PersistentVolumeClaim, KnowsReadWriteOncePod) {
  const Parsed json(
      R"({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOncePod"]}})");
  const auto claim = PersistentVolumeClaim::FromJson(json.view());
  ASSERT_TRUE(claim);
  EXPECT_TRUE(claim->single_pod);
  EXPECT_FALSE(claim->bound);
}

TEST(PersistentVolume, ReadsItsRequiredNodeAffinity) {
  const Parsed json(R"({"metadata": {"name": "pv-1"}, "spec": {"nodeAffinity": {"required": {
      "nodeSelectorTerms": [{"matchExpressions": [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-1"]}]}]}}}})");
  const auto volume = PersistentVolume::FromJson(json.view());
  ASSERT_TRUE(volume);
  EXPECT_TRUE(Matches(volume->node_affinity, "x", {{"kubernetes.io/hostname", "node-1"}}));
  EXPECT_FALSE(Matches(volume->node_affinity, "x", {{"kubernetes.io/hostname", "node-2"}}));
}

TEST(PersistentVolume, WithoutAffinityItFitsEveryNode) {
  const Parsed json(R"({"metadata": {"name": "nfs"}, "spec": {"nfs": {"server": "x"}}})");
  const auto volume = PersistentVolume::FromJson(json.view());
  ASSERT_TRUE(volume);
  EXPECT_TRUE(Matches(volume->node_affinity, "any", {}));
}

TEST(Volumes, WithoutANameTheyAreCorrupt) {
  const Parsed json(R"({"spec": {}})");
  EXPECT_EQ(PersistentVolume::FromJson(json.view()).error().code, base::ErrorCode::kCorrupt);
  EXPECT_EQ(PersistentVolumeClaim::FromJson(json.view()).error().code, base::ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace vdcu::kclient
