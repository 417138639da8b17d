#include "kclient/core/meta.h"

#include <gtest/gtest.h>

#include "tests/kclient/core/parsed.h"

namespace vdcu::kclient {
namespace {

constexpr std::string_view kPod = R"({
  "kind": "Pod", "apiVersion": "v1",
  "metadata": {
    "name": "train-0", "namespace": "team-a", "uid": "7a2c1f5e-5a54-4b0e-8d1e-0a4f3a4f8f00",
    "resourceVersion": "4711", "generation": 3, "creationTimestamp": "2026-01-02T15:04:05Z",
    "deletionTimestamp": "2026-01-02T16:00:00Z",
    "labels": {"app": "train", "tier": "gpu"},
    "annotations": {"vdcu.io/partition": "p1", "hygon.com/use-dcutype": "K100_AI",
                    "kubectl.kubernetes.io/last-applied-configuration": "{}"},
    "finalizers": ["vdcu.io/in-use", "foregroundDeletion"],
    "ownerReferences": [
      {"apiVersion": "batch/v1", "kind": "Job", "name": "train", "uid": "u1", "controller": true,
       "blockOwnerDeletion": true},
      {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "u2"}],
    "managedFields": [{"manager": "kubectl", "operation": "Update"}]}})";

TEST(ParseMeta, ReadsWhatIsThere) {
  const Parsed json(kPod);
  const auto meta = ParseMeta(json.view(), {.labels = true, .annotation_prefixes = {"vdcu.io/"}});
  ASSERT_TRUE(meta) << meta.error().message;
  EXPECT_EQ(meta->key(), "team-a/train-0");
  EXPECT_EQ(meta->uid, "7a2c1f5e-5a54-4b0e-8d1e-0a4f3a4f8f00");
  EXPECT_EQ(meta->resource_version, "4711");
  EXPECT_EQ(meta->generation, 3);
  EXPECT_EQ(meta->creation_timestamp, "2026-01-02T15:04:05Z");
  EXPECT_TRUE(meta->deleting());
  EXPECT_EQ(meta->labels, (Labels{{"app", "train"}, {"tier", "gpu"}}));
  EXPECT_EQ(meta->annotations, (Labels{{"vdcu.io/partition", "p1"}}));
  EXPECT_TRUE(meta->HasFinalizer("vdcu.io/in-use"));
  EXPECT_FALSE(meta->HasFinalizer("vdcu.io/in"));
  const std::vector<OwnerReference> want_owners{{"batch/v1", "Job", "train", "u1", true},
                                                {"v1", "ConfigMap", "c", "u2", false}};
  EXPECT_EQ(meta->owner_references, want_owners);
}

TEST(ParseMeta, TheFilterDropsLabelsAndAnnotations) {
  const Parsed json(kPod);
  const auto none = ParseMeta(json.view(), {.labels = false, .annotation_prefixes = {}});
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->labels.empty());
  EXPECT_TRUE(none->annotations.empty());
  const auto both =
      ParseMeta(json.view(), {.labels = false, .annotation_prefixes = {"vdcu.io/", "hygon.com/"}});
  ASSERT_TRUE(both);
  EXPECT_EQ(both->annotations.size(), 2U);
}

TEST(ParseMeta, AClusterScopedObjectNeedsOnlyItsName) {
  const Parsed json(R"({"metadata": {"name": "node-1"}})");
  const auto meta = ParseMeta(json.view(), {});
  ASSERT_TRUE(meta);
  EXPECT_EQ(meta->key(), "node-1");
  EXPECT_FALSE(meta->deleting());
}

TEST(ParseMeta, WithoutANameItIsCorrupt) {
  for (const std::string_view text :
       {R"({"kind": "Pod"})", R"({"kind": "Pod", "metadata": {}})",
        R"({"kind": "Pod", "metadata": {"name": ""}})", R"({"kind": "Pod", "metadata": null})"}) {
    const Parsed json(text);
    const auto meta = ParseMeta(json.view(), {});
    ASSERT_FALSE(meta) << text;
    EXPECT_EQ(meta.error().code, base::ErrorCode::kCorrupt);
    EXPECT_EQ(meta.error().message, "Pod has no metadata.name");
  }
}

TEST(MetaToJson, WritesWhatACreateTakesAndNothingElse) {
  ObjectMeta meta;
  meta.name = "p1";
  EXPECT_EQ(ToJson(meta), nlohmann::json::parse(R"({"name": "p1"})"));

  const Parsed json(kPod);
  meta = *ParseMeta(json.view(), {.labels = true, .annotation_prefixes = {"vdcu.io/"}});
  EXPECT_EQ(ToJson(meta), nlohmann::json::parse(R"({
    "name": "train-0", "namespace": "team-a", "labels": {"app": "train", "tier": "gpu"},
    "annotations": {"vdcu.io/partition": "p1"},
    "finalizers": ["vdcu.io/in-use", "foregroundDeletion"],
    "ownerReferences": [
      {"apiVersion": "batch/v1", "kind": "Job", "name": "train", "uid": "u1", "controller": true},
      {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "u2"}]})"));
}

TEST(Conditions, WhatIsWrittenReadsBackTheSame) {
  const std::vector<Condition> conditions{
      {"Ready", "True", "Prepared", "all is there", "2026-01-02T15:04:05Z", 7},
      {"Healthy", "Unknown", "", "", "", 0}};
  const Parsed json(nlohmann::json{{"conditions", ToJson(conditions)}}.dump());
  EXPECT_EQ(ParseConditions(json.view()), conditions);
}

TEST(Conditions, AnEmptyTimeIsLeftOutBecauseTheSchemaRefusesIt) {
  EXPECT_EQ(
      ToJson(std::vector<Condition>{{"Ready", "True", "Ok", "", "", 0}}),
      nlohmann::json::parse(R"([{"type":"Ready","status":"True","reason":"Ok","message":""}])"));
  EXPECT_EQ(ToJson(std::vector<Condition>{}), nlohmann::json::array());
}

TEST(FindCondition, GivesTheOneOfTheTypeOrNull) {
  const std::vector<Condition> conditions{{"A", "True", "", "", "", 0},
                                          {"B", "False", "", "", "", 0}};
  ASSERT_NE(FindCondition(conditions, "B"), nullptr);
  EXPECT_EQ(FindCondition(conditions, "B")->status, "False");
  EXPECT_EQ(FindCondition(conditions, "C"), nullptr);
}

struct SetCase {
  std::string name;
  Condition wanted;
  bool want_changed;
  std::string want_time;
};

TEST(SetCondition, KeepsTheTimeWhileTheStatusStays) {
  const Condition old{"Ready", "False", "Waiting", "for the card", "T0", 1};
  const std::vector<SetCase> cases = {
      {"the same changes nothing",
       {"Ready", "False", "Waiting", "for the card", "T1", 1},
       false,
       "T0"},
      {"another status takes the new time",
       {"Ready", "True", "Waiting", "for the card", "T1", 1},
       true,
       "T1"},
      {"another reason keeps the time",
       {"Ready", "False", "Sick", "for the card", "T1", 1},
       true,
       "T0"},
      {"another message keeps the time", {"Ready", "False", "Waiting", "", "T1", 1}, true, "T0"},
      {"another generation keeps the time",
       {"Ready", "False", "Waiting", "for the card", "T1", 2},
       true,
       "T0"},
  };
  for (const auto& [name, wanted, want_changed, want_time] : cases) {
    std::vector<Condition> conditions{{"Healthy", "True", "", "", "T0", 1}, old};
    EXPECT_EQ(SetCondition(conditions, wanted), want_changed) << name;
    Condition want = wanted;
    want.last_transition_time = want_time;
    ASSERT_EQ(conditions.size(), 2U) << name;
    EXPECT_EQ(conditions[1], want) << name;
  }
}

TEST(ResourceVersion, IsSameOrOlder) {
  EXPECT_TRUE(IsSameOrOlder("9", "10")) << "as numbers, not as text";
  EXPECT_TRUE(IsSameOrOlder("20", "20"));
  EXPECT_TRUE(IsSameOrOlder("18446744073709551615", "18446744073709551616")) << "of any length";
  EXPECT_FALSE(IsSameOrOlder("21", "20"));
  EXPECT_FALSE(IsSameOrOlder("10", "9"));
  for (const char* none : {"", "0", "01", "-1", "1x", "b"}) {
    EXPECT_FALSE(IsSameOrOlder(none, "20")) << none;
    EXPECT_FALSE(IsSameOrOlder("20", none)) << none;
  }
}

TEST(SetCondition, ANewTypeIsAppended) {
  std::vector<Condition> conditions;
  EXPECT_TRUE(SetCondition(conditions, {"Ready", "True", "Ok", "", "T1", 1}));
  EXPECT_EQ(conditions, (std::vector<Condition>{{"Ready", "True", "Ok", "", "T1", 1}}));
}

}  // namespace
}  // namespace vdcu::kclient
