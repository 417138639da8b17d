// What an API server is answered about a binding: the calls are JSON as it sends them, the cluster
// is what the test shows.
#include "controller/gate/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/builders/builders.h"
#include "tests/fakes/simulated_loop.h"

namespace vdcu::controller {
namespace {

using builders::MakePod;
using builders::PodPtr;
using nlohmann::json;
using testing::HasSubstr;

const kclient::ResourceList kSlice{
    {"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 1000}, {"hygon.com/dcucores", 10}};

class GateTest : public testing::Test {
 protected:
  GateTest() {
    Show(builders::MakeNode("n").Obj());
    Show(builders::MakeDcuNode("n").Cards(1).Obj());
    kclient::Namespace ns;
    ns.meta.name = "team-a";
    Show(std::make_shared<const kclient::Namespace>(ns));
    gate_.Start();
  }

  template <class T>
  void Show(const std::shared_ptr<const T>& object) {
    cluster_.shown().Set(std::shared_ptr<const T>(), object, loop_.clock().Now());
  }
  static builders::PodBuilder Theirs(const std::string& name) {
    return MakePod(name).Scheduler("default-scheduler").Limits(kSlice);
  }
  static json Review(const std::string& pod, const std::string& node) {
    const json object{{"kind", "Binding"},
                      {"apiVersion", "v1"},
                      {"metadata", {{"name", pod}, {"namespace", "team-a"}, {"uid", "uid-" + pod}}},
                      {"target", {{"kind", "Node"}, {"name", node}}}};
    return {{"apiVersion", "admission.k8s.io/v1"},
            {"kind", "AdmissionReview"},
            {"request",
             {{"uid", "r-1"},
              {"namespace", "team-a"},
              {"name", pod},
              {"subResource", "binding"},
              {"operation", "CREATE"},
              {"object", object}}}};
  }
  void Post(const std::string& body) {
    answer_.reset();
    gate_.Judge(body,
                base::HttpResponder([&](const base::HttpAnswer& answer) { answer_ = answer; }));
  }
  void Ask(const std::string& pod, const std::string& node = "n") {
    Post(Review(pod, node).dump());
  }
  // "": none yet; "allowed"; else why not.
  std::string Said() {
    if (!answer_) return "";
    EXPECT_EQ(answer_->status, 200) << answer_->body;
    const json response = json::parse(answer_->body)["response"];
    EXPECT_EQ(response["uid"], "r-1");
    if (response["allowed"] == true) return "allowed";
    EXPECT_EQ(response["status"]["code"], 409);
    return response["status"]["message"];
  }

  fakes::SimulatedLoop loop_;
  reconcilers::Cluster cluster_{reconcilers::Settings()};
  Metrics metrics_;
  Gate gate_{{loop_, cluster_, metrics_, [] {}}};
  std::optional<base::HttpAnswer> answer_;
};

TEST_F(GateTest, WhoAsksForNoCardIsLetThroughAtOnce) {
  Show(MakePod("plain").Scheduler("default-scheduler").Limits({{"cpu", 1000}}).Obj());
  Show(MakePod("ours").Limits({{"cpu", 1000}}).Obj());
  Show(Theirs("bound").Node("m").Obj());
  for (const char* pod : {"plain", "ours", "bound"}) {
    Ask(pod);
    EXPECT_EQ(Said(), "allowed") << pod;
  }
}

TEST_F(GateTest, OneThatNoWatchHasShownIsLetThroughAfterASecond) {
  Ask("late");
  loop_.Advance(base::Duration(999));
  EXPECT_EQ(Said(), "");
  loop_.Advance(base::Duration(1));
  EXPECT_EQ(Said(), "allowed");
  // Another of its name is no better.
  Show(Theirs("again").Uid("uid-before").Obj());
  Ask("again");
  loop_.Advance(base::Duration(1'000));
  EXPECT_EQ(Said(), "allowed");
}

TEST_F(GateTest, TheBindingIsHeldUntilTheSlicesArePrepared) {
  const PodPtr pod = Theirs("p").Obj();
  Show(pod);
  Ask("p");
  EXPECT_EQ(Said(), "");
  ASSERT_NE(cluster_.view().FindCommit("uid-p"), nullptr);
  EXPECT_EQ(cluster_.view().FindCommit("uid-p")->node, "n");
  Show(builders::MakePartition("")
           .For(pod)
           .Assigned(builders::MakeSlice("n", 0, 0, 6, 1000, 0, 0))
           .Ready()
           .Obj());
  gate_.Look();
  EXPECT_EQ(Said(), "");
  cluster_.Take(reconcilers::CommitReady{"uid-p"}, loop_.clock().Now());
  gate_.Look();
  EXPECT_EQ(Said(), "allowed");
}

TEST_F(GateTest, WhatCannotBeIsDeniedWithTheReason) {
  Show(Theirs("p").Obj());
  Ask("p");
  cluster_.Take(reconcilers::CommitFailed{"uid-p", "node n: 1 card: 1 in use"},
                loop_.clock().Now());
  gate_.Look();
  EXPECT_EQ(Said(), "node n: 1 card: 1 in use");
  Ask("p");
  EXPECT_EQ(Said(), "") << "asked again it is tried again";
  loop_.Advance(cluster_.view().settings().gate_timeout);
  EXPECT_THAT(Said(), HasSubstr("in time"));
  Show(MakePod("ours").Limits(kSlice).Obj());
  Ask("ours");
  EXPECT_THAT(Said(), HasSubstr("is placed by vdcu-scheduler"));
}

TEST_F(GateTest, ADryRunSaysWhatWouldBeAndAsksForNothing) {
  Show(Theirs("p").Obj());
  for (const auto& [node, want] :
       {std::pair("n", "allowed"), {"absent", "node absent: node has reported no DCU cards"}}) {
    json review = Review("p", node);
    review["request"]["dryRun"] = true;
    Post(review.dump());
    EXPECT_THAT(Said(), HasSubstr(want)) << node;
    EXPECT_EQ(cluster_.view().FindCommit("uid-p"), nullptr);
  }
}

TEST_F(GateTest, WhatIsNoReviewOfABindingIsRefusedByItsField) {
  struct Case {
    std::string name;
    json::json_pointer field;
    json value;
    std::string want;
  };
  for (const Case& c : std::vector<Case>{
           {"another kind", "/request/object/kind"_json_pointer, "Pod", "must be Binding"},
           {"no node", "/request/object/target"_json_pointer, json(), "request.object.target.name"},
           {"no namespace", "/request/namespace"_json_pointer, json(), "request.namespace"},
           {"no review", "/kind"_json_pointer, "Pod", "must be admission.k8s.io/v1"},
       }) {
    json review = Review("p", "n");
    review[c.field] = c.value;
    Post(review.dump());
    ASSERT_TRUE(answer_) << c.name;
    EXPECT_EQ(answer_->status, 400) << c.name;
    EXPECT_THAT(answer_->body, HasSubstr(c.want)) << c.name;
  }
  Post("[");
  EXPECT_EQ(answer_->status, 400);
}

TEST_F(GateTest, WhoDoesNotLeadOrHasNotListedLeavesItToTheConfiguration) {
  Gate fresh{{loop_, cluster_, metrics_, [] {}}};
  Gate* leading = nullptr;
  const base::HttpRoute route = GateRoute([&] { return leading; });
  EXPECT_EQ(route.path, "/bindings");
  for (Gate* gate : {static_cast<Gate*>(nullptr), &fresh}) {
    leading = gate;
    int status = 0;
    route.handler({.method = "POST", .path = route.path, .body = Review("p", "n").dump()},
                  base::HttpResponder([&](const base::HttpAnswer& a) { status = a.status; }));
    EXPECT_EQ(status, 503);
  }
}

}  // namespace
}  // namespace vdcu::controller
