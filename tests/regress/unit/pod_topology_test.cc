// Pods with required affinity to pods, or with a strict spread, were left alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crds/decode.h"
#include "tests/reconcilers/shown.h"

namespace vdcu::reconcilers {
namespace {

using builders::MakeNode;
using builders::MakePod;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kZone[] = "zone";
constexpr char kOurs[] = "team-a";

// As the API server stores it.
PodPtr Parsed(const std::string& name, const std::string& spec, const std::string& labels,
              const std::string& ns = kOurs, const std::string& more_meta = "") {
  kclient::JsonParser parser;
  const std::string text =
      R"({"metadata": {"name": ")" + name + R"(", "namespace": ")" + ns + R"(", "uid": "uid-)" +
      name +
      R"(", "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z",
                           "labels": {)" +
      labels + "}" + more_meta + R"(}, "spec": {"schedulerName": "vdcu-scheduler",
                           "containers": [{"name": "main", "resources": {"limits": {
                           "hygon.com/dcunum": "1", "hygon.com/dcumem": "100",
                           "hygon.com/dcucores": "5"}}}])" +
      spec + "}}";
  auto pod = crds::Decode<kclient::Pod>(parser.Parse(text).value());
  EXPECT_TRUE(pod) << text;
  return std::make_shared<const kclient::Pod>(*pod);
}

std::string Term(const std::string& app, const std::string& key, const std::string& more = "") {
  return R"({"topologyKey": ")" + key + R"(", "labelSelector": {"matchLabels": {"app": ")" + app +
         R"("}})" + more + "}";
}
std::string Affinity(const std::string& kind, const std::string& terms) {
  return R"(, "affinity": {")" + kind +
         R"(": {"requiredDuringSchedulingIgnoredDuringExecution": [)" + terms + "]}}";
}
std::string Spread(const std::string& more, const std::string& skew = "1") {
  return R"(, "topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": )" + skew +
         R"(, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}})" +
         more + "}]";
}

// a and b in the zone east, c in the zone west, d in none.
class PodTopologyTest : public testing::Test {
 protected:
  PodTopologyTest() { ShowNodes(shown_); }
  static void ShowNodes(ShownCluster& shown) {
    for (const auto& [node, zone] : std::vector<std::pair<std::string, std::string>>{
             {"a", "east"}, {"b", "east"}, {"c", "west"}, {"d", ""}}) {
      shown.ShowNode(node, 1);
      auto builder = MakeNode(node).Label("host", node);
      if (!zone.empty()) builder.Label(kZone, zone);
      shown.Show(builder.Obj());
    }
  }
  struct There {
    std::string node;
    std::string app;
    std::string ns = kOurs;
    std::string more_meta = "";
  };
  static void Show(ShownCluster& shown, const std::vector<There>& pods) {
    int number = 0;
    for (const There& there : pods) {
      shown.Show(Parsed("there-" + std::to_string(number++),
                        R"(, "nodeName": ")" + there.node + "\"", R"("app": ")" + there.app + "\"",
                        there.ns, there.more_meta));
    }
  }
  // The nodes that it may go to.
  static std::string MayGoTo(const ShownCluster& shown, const PodPtr& pod) {
    const PodTopology topology = shown.cluster.view().TopologyOf(*pod);
    std::string nodes;
    for (const char* node : {"a", "b", "c", "d"}) {
      if (!topology.WhyNot(*shown.cluster.view().ledger().Find(node))) nodes += node;
    }
    return nodes;
  }

  ShownCluster shown_;
};

TEST_F(PodTopologyTest, IsJudgedAsTheSchedulerDoes) {
  const std::string deleting = R"(, "deletionTimestamp": "2026-01-01T00:00:00Z")";
  const std::string web = R"("app": "web")";
  struct Case {
    std::string name;
    std::vector<There> there;
    std::string spec;
    std::string labels;
    std::string want;
  };
  for (const Case& c : {
           Case{"anti-affinity to nobody",
                {{"a", "db"}},
                Affinity("podAntiAffinity", Term("web", kZone)),
                web,
                "abcd"},
           Case{"anti-affinity by zone",
                {{"a", "web"}},
                Affinity("podAntiAffinity", Term("web", kZone)),
                web,
                "cd"},
           Case{"anti-affinity by host",
                {{"a", "web"}},
                Affinity("podAntiAffinity", Term("web", "host")),
                web,
                "bcd"},
           Case{"anti-affinity to another namespace",
                {{"a", "web", "other"}},
                Affinity("podAntiAffinity", Term("web", kZone)),
                web,
                "abcd"},
           Case{"anti-affinity to all namespaces",
                {{"a", "web", "other"}},
                Affinity("podAntiAffinity", Term("web", kZone, R"(, "namespaceSelector": {})")),
                web,
                "cd"},
           Case{"anti-affinity of two terms",
                {{"a", "web"}, {"c", "db"}},
                Affinity("podAntiAffinity", Term("web", "host") + "," + Term("db", kZone)),
                "",
                "bd"},
           Case{"affinity by zone",
                {{"a", "db"}},
                Affinity("podAffinity", Term("db", kZone)),
                web,
                "ab"},
           Case{"affinity to nobody",
                {{"a", "web"}},
                Affinity("podAffinity", Term("db", kZone)),
                web,
                ""},
           Case{"the first of those that go together",
                {},
                Affinity("podAffinity", Term("web", kZone)),
                web,
                "abc"},
           Case{"affinity of two terms names pods that both select",
                {{"a", "db"}, {"c", "web"}},
                Affinity("podAffinity", Term("db", kZone) + "," + Term("web", kZone)),
                web,
                ""},
           Case{"spread", {{"a", "web"}}, Spread(""), web, "c"},
           Case{"an even spread", {{"a", "web"}, {"c", "web"}}, Spread(""), web, "abc"},
           Case{"a spread of more skew", {{"a", "web"}}, Spread("", "2"), web, "abc"},
           Case{"a spread that the pod is not of", {{"a", "web"}}, Spread(""), "", "abc"},
           Case{"pods of other namespaces do not count",
                {{"a", "web", "other"}},
                Spread(""),
                web,
                "abc"},
           Case{"nor those that end", {{"a", "web", kOurs, deleting}}, Spread(""), web, "abc"},
           Case{"too few domains",
                {{"a", "web"}, {"c", "web"}},
                Spread(R"(, "minDomains": 3)"),
                web,
                ""},
           Case{"by a label of the pod",
                {{"a", "web"}},
                Spread(R"(, "matchLabelKeys": ["hash"])"),
                web + R"(, "hash": "x")",
                "abc"},
           Case{"a zone that its selector keeps it out of does not count",
                {{"a", "web"}},
                Spread("") + R"(, "nodeSelector": {"zone": "east"})",
                web,
                "abc"},
           Case{"unless they shall",
                {{"a", "web"}},
                Spread(R"(, "nodeAffinityPolicy": "Ignore")") +
                    R"(, "nodeSelector": {"zone": "east"})",
                web,
                "c"},
       }) {
    ShownCluster shown;
    ShowNodes(shown);
    Show(shown, c.there);
    EXPECT_EQ(MayGoTo(shown, Parsed("p", c.spec, c.labels)), c.want) << c.name;
  }
}

TEST_F(PodTopologyTest, TaintedNodesCountWhereTheConstraintSaysSo) {
  Show(shown_, {{"a", "web"}, {"b", "web"}});
  shown_.Show(MakeNode("c").Label(kZone, "west").Taint("x", "", "NoSchedule").Obj());
  const std::string web = R"("app": "web")";
  EXPECT_EQ(MayGoTo(shown_, Parsed("p", Spread(""), web)), "c");
  EXPECT_EQ(MayGoTo(shown_, Parsed("p", Spread(R"(, "nodeTaintsPolicy": "Honor")"), web)), "abc")
      << "the zone west is none for it; its taint is another filter's";
}

// As the runner does.
class PodTopologyPlacingTest : public PodTopologyTest {
 protected:
  std::vector<std::string> Placed() {
    for (const Key& key : shown_.cluster.TakeDirty()) {
      if (key.kind != kPod) continue;
      const Plan plan = shown_.Noted(ReconcilePod(shown_.cluster.view(), key.object(), shown_.at));
      if (plan.place) placer_.Add(key, shown_.at.now);
    }
    std::vector<std::string> placed;
    while (const auto decision = placer_.Next(shown_.at)) {
      shown_.Assume(decision->plan);
      const std::string name = decision->key.name;
      if (!decision->placed) {
        if (!decision->plan.writes.empty()) told_ = Reported(decision->plan)["message"];
        continue;
      }
      const auto& body = decision->plan.writes[0].write.body;
      placed.push_back(name + " on " + body["spec"]["assignment"]["node"].get<std::string>());
    }
    return placed;
  }

  Placer placer_{shown_.cluster};
  std::string told_;
};

TEST_F(PodTopologyPlacingTest, ReplicasKeepApartAndTheNextWaitsForANode) {
  const std::string apart = Affinity("podAntiAffinity", Term("web", "host"));
  for (const char* name : {"p1", "p2", "p3", "p4", "p5"}) {
    shown_.Show(Parsed(name, apart, R"("app": "web")"));
  }
  EXPECT_THAT(Placed(), ElementsAre("p1 on a", "p2 on b", "p3 on c", "p4 on d"));
  EXPECT_THAT(told_, HasSubstr("4 node shares host with a pod"));
  shown_.ShowNode("e", 1);
  EXPECT_THAT(Placed(), ElementsAre("p5 on e"));
}

TEST_F(PodTopologyPlacingTest, WhoWaitsForAPodIsTriedWhenItComesAnywhere) {
  shown_.Show(Parsed("p", Affinity("podAffinity", Term("db", kZone)), R"("app": "web")"));
  EXPECT_THAT(Placed(), testing::IsEmpty());
  EXPECT_THAT(told_, HasSubstr("node shares zone with no pod that the affinity of this one names"));
  Show(shown_, {{"c", "other"}});
  EXPECT_THAT(Placed(), testing::IsEmpty());
  Show(shown_, {{"c", "db"}});
  EXPECT_THAT(Placed(), ElementsAre("p on c"));
}

TEST_F(PodTopologyPlacingTest, AStrictSpreadWaitsForThePodThatEvensIt) {
  Show(shown_, {{"a", "web"}});
  shown_.Show(MakeNode("c").Label(kZone, "west").Cordoned().Obj());
  shown_.Show(Parsed("p", Spread(R"(, "nodeTaintsPolicy": "Ignore")"), R"("app": "web")"));
  EXPECT_THAT(Placed(), testing::IsEmpty());
  Show(shown_, {{"a", "web"}, {"c", "web"}});
  EXPECT_THAT(Placed(), ElementsAre("p on a"));
}

}  // namespace
}  // namespace vdcu::reconcilers
