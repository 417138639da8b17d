#include "crds/pod_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/crds/json.h"

namespace vdcu::crds {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// What a pod with these annotations and labels says, or the error.
base::Result<std::optional<PodGroup>> Said(const json& annotations, const json& labels) {
  const auto pod = Parse<kclient::Pod>(
      json{{"metadata",
            {{"name", "p"}, {"namespace", "ns"}, {"annotations", annotations}, {"labels", labels}}},
           {"spec", json::object()}});
  return ParsePodGroup(pod->meta);
}

struct Row {
  const char* sentence;
  json annotations;
  json labels;
  std::optional<PodGroup> want;
};

TEST(PodGroup, IsReadFromOurPairAndFromKueues) {
  const Row rows[] = {
      {"no group", json::object(), json::object(), {}},
      {"ours",
       {{"vdcu.io/group", "train"}, {"vdcu.io/group-size", "4"}},
       json::object(),
       PodGroup{"train", 4}},
      {"the smallest and a long name",
       {{"vdcu.io/group", std::string(63, 'g')}, {"vdcu.io/group-size", "1"}},
       json::object(),
       PodGroup{std::string(63, 'g'), 1}},
      {"the largest",
       {{"vdcu.io/group", "A_b.9"}, {"vdcu.io/group-size", "256"}},
       json::object(),
       PodGroup{"A_b.9", 256}},
      {"Kueue's",
       {{"kueue.x-k8s.io/pod-group-total-count", "3"}},
       {{"kueue.x-k8s.io/pod-group-name", "train"}},
       PodGroup{"train", 3}},
      {"both, the same",
       {{"vdcu.io/group", "t"},
        {"vdcu.io/group-size", "3"},
        {"kueue.x-k8s.io/pod-group-total-count", "3"}},
       {{"kueue.x-k8s.io/pod-group-name", "t"}},
       PodGroup{"t", 3}},
  };
  for (const Row& row : rows) {
    const auto said = Said(row.annotations, row.labels);
    ASSERT_TRUE(said) << row.sentence << ": " << said.error().message;
    EXPECT_EQ(*said, row.want) << row.sentence;
  }
}

struct BadRow {
  const char* sentence;
  json annotations;
  json labels;
  std::vector<std::string> want;  // parts of the error
};

TEST(PodGroup, WhatIsWrongIsNamedWithItsValueAndWhatWouldBeRight) {
  const auto sized = [](const std::string& size) {
    return json{{"vdcu.io/group", "train"}, {"vdcu.io/group-size", size}};
  };
  const std::string right = "must be a whole number from 1 to 256";
  const BadRow rows[] = {
      {"no pod", sized("0"), {}, {"annotation vdcu.io/group-size: \"0\": ", right}},
      {"with a zero before it", sized("04"), {}, {"\"04\"", right}},
      {"less", sized("-4"), {}, {"\"-4\"", right}},
      {"text", sized("four"), {}, {"\"four\"", right}},
      {"empty", sized(""), {}, {"vdcu.io/group-size: \"\": ", right}},
      {"with a fraction", sized("4.0"), {}, {"\"4.0\"", right}},
      {"with a blank", sized(" 4"), {}, {"\" 4\"", right}},
      {"too many", sized("257"), {}, {"\"257\"", right}},
      {"no number holds it", sized("99999999999999999999"), {}, {right}},
      {"no size",
       {{"vdcu.io/group", "train"}},
       {},
       {"annotation vdcu.io/group: \"train\": set annotation vdcu.io/group-size with it"}},
      {"no name",
       {{"vdcu.io/group-size", "4"}},
       {},
       {"annotation vdcu.io/group-size: \"4\": set annotation vdcu.io/group with it"}},
      {"an empty name",
       {{"vdcu.io/group", ""}, {"vdcu.io/group-size", "4"}},
       {},
       {"annotation vdcu.io/group: \"\": must be 1 to 63 characters"}},
      {"no name of anything",
       {{"vdcu.io/group", "a/b"}, {"vdcu.io/group-size", "4"}},
       {},
       {"\"a/b\": must be 1 to 63 characters"}},
      {"a long name",
       {{"vdcu.io/group", std::string(64, 'g')}, {"vdcu.io/group-size", "4"}},
       {},
       {"must be 1 to 63 characters"}},
      {"Kueue's without a count",
       {},
       {{"kueue.x-k8s.io/pod-group-name", "train"}},
       {"label kueue.x-k8s.io/pod-group-name: \"train\": set annotation "
        "kueue.x-k8s.io/pod-group-total-count with it"}},
      {"Kueue's with a bad count",
       {{"kueue.x-k8s.io/pod-group-total-count", "0"}},
       {{"kueue.x-k8s.io/pod-group-name", "train"}},
       {"annotation kueue.x-k8s.io/pod-group-total-count: \"0\": ", right}},
      {"two names",
       {{"vdcu.io/group", "a"},
        {"vdcu.io/group-size", "3"},
        {"kueue.x-k8s.io/pod-group-total-count", "3"}},
       {{"kueue.x-k8s.io/pod-group-name", "b"}},
       {"vdcu.io/group: \"a\": label kueue.x-k8s.io/pod-group-name says \"b\""}},
      {"two sizes",
       {{"vdcu.io/group", "a"},
        {"vdcu.io/group-size", "3"},
        {"kueue.x-k8s.io/pod-group-total-count", "4"}},
       {{"kueue.x-k8s.io/pod-group-name", "a"}},
       {"vdcu.io/group-size: \"3\": annotation kueue.x-k8s.io/pod-group-total-count says \"4\""}},
      {"a reserved partition",
       {{"vdcu.io/group", "a"}, {"vdcu.io/group-size", "3"}, {"vdcu.io/partition", "r"}},
       {},
       {"vdcu.io/group: \"a\": pods of a group are given slices of their own; leave out "
        "annotation vdcu.io/partition"}},
  };
  for (const BadRow& row : rows) {
    const auto said = Said(row.annotations, row.labels.is_null() ? json::object() : row.labels);
    ASSERT_FALSE(said) << row.sentence;
    EXPECT_EQ(said.error().code, base::ErrorCode::kInvalid) << row.sentence;
    for (const std::string& part : row.want) {
      EXPECT_THAT(said.error().message, HasSubstr(part)) << row.sentence;
    }
  }
}

TEST(PodGroup, NameIsReadAlsoWhereTheRestIsWrong) {
  kclient::ObjectMeta pod;
  EXPECT_EQ(GroupName(pod), "");
  pod.labels["kueue.x-k8s.io/pod-group-name"] = "k";
  EXPECT_EQ(GroupName(pod), "k");
  pod.annotations["vdcu.io/group"] = "train";
  EXPECT_EQ(GroupName(pod), "train");
}

}  // namespace
}  // namespace vdcu::crds
