#include "kclient/core/selector.h"

#include <gtest/gtest.h>

#include "tests/kclient/core/parsed.h"

namespace vdcu::kclient {
namespace {

const Labels kLabels{{"zone", "a"}, {"cards", "8"}, {"empty", ""}, {"word", "eight"}};

struct MatchCase {
  std::string name;
  std::string terms;  // nodeSelectorTerms
  bool want;
};

const std::vector<MatchCase> kMatches = {
    {"no terms match nothing", "[]", false},
    {"an empty term matches nothing", "[{}]", false},
    {"a term with empty lists matches nothing", R"([{"matchExpressions":[],"matchFields":[]}])",
     false},
    {"an empty term beside a matching one does no harm",
     R"([{}, {"matchExpressions":[{"key":"zone","operator":"Exists"}]}])", true},
    {"In with the value",
     R"([{"matchExpressions":[{"key":"zone","operator":"In","values":["b","a"]}]}])", true},
    {"In without the value",
     R"([{"matchExpressions":[{"key":"zone","operator":"In","values":["b"]}]}])", false},
    {"In of an absent key",
     R"([{"matchExpressions":[{"key":"none","operator":"In","values":["a"]}]}])", false},
    {"In of an absent key does not take the empty value",
     R"([{"matchExpressions":[{"key":"none","operator":"In","values":[""]}]}])", false},
    {"In of the empty value",
     R"([{"matchExpressions":[{"key":"empty","operator":"In","values":[""]}]}])", true},
    {"In without values is an error",
     R"([{"matchExpressions":[{"key":"zone","operator":"In","values":[]}]}])", false},
    {"NotIn with the value",
     R"([{"matchExpressions":[{"key":"zone","operator":"NotIn","values":["a"]}]}])", false},
    {"NotIn without the value",
     R"([{"matchExpressions":[{"key":"zone","operator":"NotIn","values":["b"]}]}])", true},
    {"NotIn of an absent key matches",
     R"([{"matchExpressions":[{"key":"none","operator":"NotIn","values":["a"]}]}])", true},
    {"NotIn without values is an error",
     R"([{"matchExpressions":[{"key":"zone","operator":"NotIn"}]}])", false},
    {"NotIn with what is no label value is an error",
     R"([{"matchExpressions":[{"key":"zone","operator":"NotIn","values":["not a label"]}]}])",
     false},
    {"Exists", R"([{"matchExpressions":[{"key":"empty","operator":"Exists"}]}])", true},
    {"Exists of an absent key", R"([{"matchExpressions":[{"key":"none","operator":"Exists"}]}])",
     false},
    {"Exists with values is an error",
     R"([{"matchExpressions":[{"key":"zone","operator":"Exists","values":["a"]}]}])", false},
    {"DoesNotExist", R"([{"matchExpressions":[{"key":"none","operator":"DoesNotExist"}]}])", true},
    {"DoesNotExist of a key that is there",
     R"([{"matchExpressions":[{"key":"empty","operator":"DoesNotExist"}]}])", false},
    {"Gt below", R"([{"matchExpressions":[{"key":"cards","operator":"Gt","values":["7"]}]}])",
     true},
    {"Gt compares numbers, not texts",
     R"([{"matchExpressions":[{"key":"cards","operator":"Gt","values":["10"]}]}])", false},
    {"Gt is strict", R"([{"matchExpressions":[{"key":"cards","operator":"Gt","values":["8"]}]}])",
     false},
    {"Lt above", R"([{"matchExpressions":[{"key":"cards","operator":"Lt","values":["10"]}]}])",
     true},
    {"Lt is strict", R"([{"matchExpressions":[{"key":"cards","operator":"Lt","values":["8"]}]}])",
     false},
    {"Gt of a label that is no number",
     R"([{"matchExpressions":[{"key":"word","operator":"Gt","values":["1"]}]}])", false},
    {"Gt of an absent key",
     R"([{"matchExpressions":[{"key":"none","operator":"Gt","values":["1"]}]}])", false},
    {"Gt with a value that is no number",
     R"([{"matchExpressions":[{"key":"cards","operator":"Gt","values":["7x"]}]}])", false},
    {"Gt with two values",
     R"([{"matchExpressions":[{"key":"cards","operator":"Gt","values":["1","2"]}]}])", false},
    {"Gt past int64",
     R"([{"matchExpressions":[{"key":"cards","operator":"Lt","values":["9223372036854775808"]}]}])",
     false},
    {"an unknown operator",
     R"([{"matchExpressions":[{"key":"zone","operator":"in","values":["a"]}]}])", false},
    {"requirements of a term are ANDed",
     R"([{"matchExpressions":[{"key":"zone","operator":"Exists"},
                              {"key":"zone","operator":"In","values":["b"]}]}])",
     false},
    {"terms are ORed",
     R"([{"matchExpressions":[{"key":"zone","operator":"In","values":["b"]}]},
         {"matchExpressions":[{"key":"zone","operator":"In","values":["a"]}]}])",
     true},
    {"an error in one term leaves the other",
     R"([{"matchExpressions":[{"key":"zone","operator":"??"}]},
         {"matchExpressions":[{"key":"zone","operator":"In","values":["a"]}]}])",
     true},
    {"the node's name",
     R"([{"matchFields":[{"key":"metadata.name","operator":"In","values":["node-1"]}]}])", true},
    {"another node's name",
     R"([{"matchFields":[{"key":"metadata.name","operator":"In","values":["node-2"]}]}])", false},
    {"not the node's name",
     R"([{"matchFields":[{"key":"metadata.name","operator":"NotIn","values":["node-1"]}]}])",
     false},
    {"not another node's name",
     R"([{"matchFields":[{"key":"metadata.name","operator":"NotIn","values":["node-2"]}]}])", true},
    {"a field takes one value only",
     R"([{"matchFields":[{"key":"metadata.name","operator":"In","values":["node-1","x"]}]}])",
     false},
    {"a field knows no Exists",
     R"([{"matchFields":[{"key":"metadata.name","operator":"Exists"}]}])", false},
    {"another field", R"([{"matchFields":[{"key":"spec.x","operator":"NotIn","values":["y"]}]}])",
     false},
    {"fields and labels are ANDed",
     R"([{"matchFields":[{"key":"metadata.name","operator":"In","values":["node-1"]}],
          "matchExpressions":[{"key":"zone","operator":"In","values":["b"]}]}])",
     false},
};

TEST(NodeSelector, MatchesAsTheSchedulerDoes) {
  for (const auto& [name, terms, want] : kMatches) {
    const Parsed json(R"({"nodeSelectorTerms": )" + terms + "}");
    EXPECT_EQ(Matches(ParseNodeSelector(json.view()), "node-1", kLabels), want) << name;
  }
}

TEST(NodeSelector, NoSelectorMatchesAll) { EXPECT_TRUE(Matches({}, "node-1", {})); }

TEST(NodeSelector, LabelValuesAreCheckedAsTheApiDoes) {
  const auto matches = [](const std::string& value) {
    const NodeSelector selector{true, {{{{"none", "NotIn", {value}}}, {}}}};
    return Matches(selector, "node-1", {});
  };
  for (const char* good : {"", "a", "A-b_c.9", "0"}) EXPECT_TRUE(matches(good)) << good;
  for (const char* bad : {"-a", "a-", ".", "a b", "a/b", "\xc3\xa9"}) {
    EXPECT_FALSE(matches(bad)) << bad;
  }
  EXPECT_TRUE(matches(std::string(63, 'a')));
  EXPECT_FALSE(matches(std::string(64, 'a')));
}

TEST(MatchesAll, WantsEveryPair) {
  EXPECT_TRUE(MatchesAll({}, kLabels));
  EXPECT_TRUE(MatchesAll({{"zone", "a"}, {"empty", ""}}, kLabels));
  EXPECT_FALSE(MatchesAll({{"zone", "a"}, {"cards", "9"}}, kLabels));
  EXPECT_FALSE(MatchesAll({{"none", ""}}, kLabels));
}

struct TolerateCase {
  std::string name;
  Toleration toleration;
  bool want;
};

TEST(Tolerates, FollowsTheApisRules) {
  const Taint taint{"dedicated", "5", "NoSchedule"};
  const std::vector<TolerateCase> cases = {
      {"Exists without a key tolerates all", {"", "Exists", "", ""}, true},
      {"Exists of the key", {"dedicated", "Exists", "", ""}, true},
      {"Exists of another key", {"other", "Exists", "", ""}, false},
      {"Exists ignores the value", {"dedicated", "Exists", "9", ""}, true},
      {"Equal", {"dedicated", "Equal", "5", ""}, true},
      {"Equal of another value", {"dedicated", "Equal", "6", ""}, false},
      {"an empty operator is Equal", {"dedicated", "", "5", ""}, true},
      {"an empty operator with another value", {"dedicated", "", "6", ""}, false},
      {"the same effect", {"dedicated", "Equal", "5", "NoSchedule"}, true},
      {"another effect", {"dedicated", "Equal", "5", "NoExecute"}, false},
      {"another effect without a key", {"", "Exists", "", "NoExecute"}, false},
      {"Gt: the taint's value is greater", {"dedicated", "Gt", "4", ""}, true},
      {"Gt is strict", {"dedicated", "Gt", "5", ""}, false},
      {"Lt: the taint's value is less", {"dedicated", "Lt", "10", ""}, true},
      {"Lt is strict", {"dedicated", "Lt", "5", ""}, false},
      {"Lt wants a plain integer", {"dedicated", "Lt", "010", ""}, false},
      {"Lt of a text", {"dedicated", "Lt", "x", ""}, false},
      {"an unknown operator", {"dedicated", "exists", "5", ""}, false},
  };
  for (const auto& [name, toleration, want] : cases) {
    EXPECT_EQ(Tolerates(toleration, taint), want) << name;
  }
  EXPECT_FALSE(Tolerates({"dedicated", "Lt", "9", ""}, {"dedicated", "word", "NoSchedule"}));
}

TEST(FindUntolerated, GivesTheFirstThatKeepsPodsOut) {
  const Parsed node(R"({"taints": [
      {"key": "soft", "effect": "PreferNoSchedule"},
      {"key": "dcu", "value": "true", "effect": "NoSchedule"},
      {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]})");
  const auto taints = ParseTaints(node.view());
  ASSERT_EQ(taints.size(), 3U);
  EXPECT_EQ(taints[1], (Taint{"dcu", "true", "NoSchedule"}));

  const Parsed pod(R"({"tolerations": [
      {"key": "dcu", "operator": "Equal", "value": "true", "effect": "NoSchedule"},
      {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute",
       "tolerationSeconds": 300}]})");
  const auto tolerations = ParseTolerations(pod.view());
  ASSERT_EQ(tolerations.size(), 2U);

  EXPECT_EQ(FindUntolerated(taints, {}), &taints[1]);
  EXPECT_EQ(FindUntolerated(taints, {tolerations[0]}), &taints[2]);
  EXPECT_EQ(FindUntolerated(taints, tolerations), nullptr) << "PreferNoSchedule is a preference";
  EXPECT_EQ(FindUntolerated({}, {}), nullptr);
}

}  // namespace
}  // namespace vdcu::kclient
