// Pods that run were not asked whom their required podAntiAffinity keeps away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakeNode;
using builders::MakePod;
using builders::PodBuilder;
using kclient::LabelSelector;
using kclient::PodAffinityTerm;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kZone[] = "topology.kubernetes.io/zone";

PodAffinityTerm Away(const std::string& app, const std::string& topology_key) {
  return {.pods = {.present = true, .match_labels = {{"app", app}}, .match_expressions = {}},
          .namespaces = {"team-a"},
          .namespace_selector = {},
          .topology_key = topology_key};
}

class AntiAffinityThereTest : public testing::Test {
 protected:
  // Two nodes in the zone east, the one in the zone west is the fullest and so the first choice.
  AntiAffinityThereTest() {
    for (const auto& [node, zone] :
         {std::pair("a", "east"), std::pair("b", "east"), std::pair("c", "west")}) {
      shown_.ShowNode(node, 1);
      shown_.Show(MakeNode(node).Label(kZone, zone).Label("kubernetes.io/hostname", node).Obj());
    }
  }
  static PodBuilder Guard(const std::string& node, const PodAffinityTerm& term) {
    return MakePod("guard-of-" + node).Scheduler("default-scheduler").Node(node).KeepsAway(term);
  }
  void Add(const PodPtr& pod) {
    shown_.Show(pod);
    Reconcile();
  }
  // As the runner does with what has changed.
  void Reconcile() {
    for (const Key& key : shown_.cluster.TakeDirty()) {
      if (key.kind != kPod) continue;
      const Plan plan = shown_.Noted(ReconcilePod(shown_.cluster.view(), key.object(), shown_.at));
      if (plan.place) placer_.Add(key, shown_.at.now);
    }
  }
  // "p on a", or "p waits".
  std::vector<std::string> Decide() {
    std::vector<std::string> decisions;
    while (const auto decision = placer_.Next(shown_.at)) {
      shown_.Assume(decision->plan);
      const std::string name = decision->key.name;
      if (decision->placed) {
        const auto& body = decision->plan.writes[0].write.body;
        decisions.push_back(name + " on " + body["spec"]["assignment"]["node"].get<std::string>());
      } else if (!decision->plan.writes.empty()) {
        told_ = Reported(decision->plan)["message"];
        decisions.push_back(name + " waits");
      }
    }
    return decisions;
  }

  ShownCluster shown_;
  Placer placer_{shown_.cluster};
  std::string told_;
};

TEST_F(AntiAffinityThereTest, KeepsThePodOffTheNode) {
  for (const char* node : {"a", "b", "c"}) {
    shown_.Show(Guard(node, Away("web", "kubernetes.io/hostname")).Obj());
  }
  Add(MakePod("p").Limits(kTenth).Label("app", "web").Obj());
  EXPECT_THAT(Decide(), ElementsAre("p waits"));
  EXPECT_THAT(told_,
              HasSubstr("3 node shares kubernetes.io/hostname with a pod whose anti-affinity "
                        "keeps this one away"));
  shown_.Remove(Guard("b", Away("web", "kubernetes.io/hostname")).Obj());
  Reconcile();
  EXPECT_THAT(Decide(), ElementsAre("p on b")) << "the pod there is gone";
}

TEST_F(AntiAffinityThereTest, AndOffAllNodesOfItsZone) {
  shown_.Show(Guard("a", Away("web", kZone)).Obj());
  shown_.Show(Guard("c", Away("web", kZone)).Obj());
  Add(MakePod("p").Limits(kTenth).Label("app", "web").Obj());
  Add(MakePod("q").Limits(kTenth).Label("app", "other").NodeSelector({{kZone, "west"}}).Obj());
  EXPECT_THAT(Decide(), ElementsAre("p waits", "q on c")) << "it does not select q";
  shown_.Show(MakeNode("a").Obj());
  Reconcile();
  EXPECT_THAT(Decide(), ElementsAre("p on a")) << "the node of the pod is in no zone any more";
}

TEST_F(AntiAffinityThereTest, WhenItLeavesItsZoneIsFreeAgain) {
  shown_.Show(Guard("a", Away("web", kZone)).Obj());
  shown_.Show(Guard("c", Away("web", kZone)).Obj());
  shown_.Show(MakeNode("a").Label(kZone, "east").Cordoned().Obj());
  Add(MakePod("p").Limits(kTenth).Label("app", "web").Obj());
  EXPECT_THAT(Decide(), ElementsAre("p waits"));
  shown_.Show(Guard("a", Away("web", kZone)).Phase("Succeeded").Obj());
  Reconcile();
  EXPECT_THAT(Decide(), ElementsAre("p on b")) << "a terminal pod keeps nobody away";
}

TEST_F(AntiAffinityThereTest, OneThatIsKeptAwayHoldsUpNoOtherThatAsksForTheSame) {
  Add(MakePod("big").Limits({{"hygon.com/dcunum", 4}}).Obj());
  Add(MakePod("a-web").Limits({{"hygon.com/dcunum", 1}}).Label("app", "web").Obj());
  for (const char* node : {"a", "b", "c"}) {
    shown_.Show(Guard(node, Away("web", "kubernetes.io/hostname")).Obj());
  }
  Add(MakePod("b-db").Limits({{"hygon.com/dcunum", 1}}).Label("app", "db").Obj());
  EXPECT_THAT(Decide(), testing::UnorderedElementsAre("a-web waits", "b-db on a", "big waits"));
}

TEST_F(AntiAffinityThereTest, OurOwnPodsKeepOthersAwayFromTheirPlacingOn) {
  Add(MakePod("first").Limits(kTenth).KeepsAway(Away("web", kZone)).Obj());
  EXPECT_THAT(Decide(), ElementsAre("first on a"));
  Add(MakePod("p").Limits(kTenth).Label("app", "web").Obj());
  EXPECT_THAT(Decide(), ElementsAre("p on c"));
}

TEST_F(AntiAffinityThereTest, NamespacesAreSelectedByTheirLabels) {
  PodAffinityTerm term = Away("web", "kubernetes.io/hostname");
  term.namespaces = {};
  term.namespace_selector = {
      .present = true, .match_labels = {{"kind", "x"}}, .match_expressions = {}};
  for (const char* node : {"a", "b", "c"}) shown_.Show(Guard(node, term).Obj());
  auto show = [&,
               old = std::shared_ptr<const kclient::Namespace>()](const std::string& kind) mutable {
    kclient::Namespace team;
    team.meta.name = "team-a";
    team.meta.labels["kind"] = kind;
    const auto now = std::make_shared<const kclient::Namespace>(team);
    shown_.cluster.shown().Set(std::exchange(old, now), now, shown_.at.now);
    Reconcile();
  };
  show("x");
  Add(MakePod("p").Limits(kTenth).Label("app", "web").Obj());
  EXPECT_THAT(Decide(), ElementsAre("p waits"));
  show("y");
  EXPECT_THAT(Decide(), ElementsAre("p on a"));
}

TEST(AntiAffinityTerms, SelectAsTheSchedulerDoes) {
  struct Case {
    std::string name;
    std::string term;
    bool want;
  };
  const kclient::Labels pod{{"app", "web"}};
  const kclient::Labels ns_labels{{"kind", "x"}};
  const std::string web = R"("labelSelector": {"matchLabels": {"app": "web"}})";
  for (const Case& c : {
           Case{"the term's pod is in another namespace", "{" + web + "}", false},
           Case{"its namespace is listed", "{" + web + R"(, "namespaces": ["other", "team"]})",
                true},
           Case{"all namespaces", "{" + web + R"(, "namespaceSelector": {}})", true},
           Case{"by its labels",
                "{" + web + R"(, "namespaceSelector": {"matchLabels": {"kind": "x"}}})", true},
           Case{"not by its labels",
                "{" + web + R"(, "namespaceSelector": {"matchLabels": {"kind": "y"}}})", false},
           Case{"no selector selects none", R"({"namespaceSelector": {}})", false},
           Case{"an empty one selects all", R"({"namespaceSelector": {}, "labelSelector": {}})",
                true},
           Case{"another label", R"({"namespaceSelector": {}, "labelSelector": {"matchLabels":
                {"app": "web", "tier": "x"}}})",
                false},
           Case{"NotIn of a label that is absent", R"({"namespaceSelector": {}, "labelSelector":
                {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["x"]}]}})",
                true},
           Case{"In another value", R"({"namespaceSelector": {}, "labelSelector":
                {"matchExpressions": [{"key": "app", "operator": "In", "values": ["db"]}]}})",
                false},
       }) {
    kclient::JsonParser parser;
    const std::string text = R"({"required": [)" + c.term + "]}";
    const auto terms =
        kclient::ParseAffinityTerms(parser.Parse(text).value(), "required", "of-the-term");
    ASSERT_EQ(terms.size(), 1u) << c.name;
    EXPECT_EQ(kclient::Selects(terms[0], "team", ns_labels, pod), c.want) << c.name;
  }
}

}  // namespace
}  // namespace vdcu::reconcilers
