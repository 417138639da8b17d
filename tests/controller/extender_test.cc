// The extender's protocol: what is read, what is answered, and when.
#include "controller/extender/extender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "controller/extender/routes.h"
#include "tests/builders/builders.h"
#include "tests/fakes/simulated_loop.h"

namespace vdcu::controller {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const kclient::ResourceList kTenth{
    {"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 1000}, {"hygon.com/dcucores", 10}};

TEST(ExtenderWire, MalformedCallsNameTheField) {
  const auto filter = [](const std::string& body) {
    const auto call = ReadFilterCall(body);
    return call ? base::Ok() : base::Status(call.error());
  };
  const auto preempt = [](const std::string& body) {
    const auto call = ReadPreemptCall(body);
    return call ? base::Ok() : base::Status(call.error());
  };
  const auto bind = [](const std::string& body) {
    const auto call = ReadBindCall(body);
    return call ? base::Ok() : base::Status(call.error());
  };
  const auto predicate = [](const std::string& body) {
    const auto call = ReadPredicateCall(body);
    return call ? base::Ok() : base::Status(call.error());
  };
  const auto task = [](const std::string& body) {
    const auto call = ReadTaskCall(body);
    return call ? base::Ok() : base::Status(call.error());
  };
  const std::string pod = R"("Pod":{"metadata":{"uid":"u","name":"p","namespace":"n"}})";
  struct Row {
    std::string name;
    base::Status got;
    std::string want;
  };
  for (const Row& row : std::vector<Row>{
           {"no JSON", filter("x"), "the body: must be JSON"},
           {"no pod", filter(R"({"NodeNames":["n"]})"), "Pod: must be"},
           {"no UID", filter(R"({"Pod":{"metadata":{}},"NodeNames":["n"]})"), "Pod.metadata.uid"},
           {"no nodes", filter("{" + pod + R"(,"Nodes":{"items":[]},"NodeNames":null})"),
            "nodeCacheCapable: true"},
           {"a node that is no text", filter("{" + pod + R"(,"NodeNames":["n",1]})"),
            "NodeNames: must be texts"},
           {"no victims", preempt("{" + pod + "}"), "NodeNameToMetaVictims"},
           {"no node to bind to", bind(R"({"PodUID":"u","PodName":"p","PodNamespace":"n"})"),
            "Node: must be set"},
           {"a UID that is no text",
            bind(R"({"PodUID":1,"PodName":"p","PodNamespace":"n","Node":"m"})"), "PodUID"},
           {"no task", predicate(R"({"node":{"Name":"n"}})"), "task: must be an object"},
           {"a task without UID", predicate(R"({"task":{},"node":{"Name":"n"}})"), "task.UID"},
           {"no node to judge", predicate(R"({"task":{"UID":"u"},"node":[]})"),
            "node: must be an object"},
           {"a node without name", predicate(R"({"task":{"UID":"u"},"node":{"Tasks":{}}})"),
            "node.Name: must be set"},
           {"a pod there without UID",
            predicate(R"({"task":{"UID":"u"},"node":{"Name":"n","Tasks":{"x":{"UID":3}}}})"),
            "node.Tasks[x].UID: must be set"},
           {"a task that is nowhere", task(R"({"task":{"UID":"u","NodeName":""}})"),
            "task.NodeName: must be set"},
       }) {
    ASSERT_FALSE(row.got.has_value()) << row.name;
    EXPECT_THAT(row.got.error().message, HasSubstr(row.want)) << row.name;
  }
}

TEST(ExtenderWire, SaysAgainWhatWasSaidOfTheVictimsThatAreLeft) {
  const auto call = ReadPreemptCall(
      R"({"Pod":{"metadata":{"uid":"u"}},"NodeNameToMetaVictims":{
          "a":{"Pods":[{"UID":"2"},{"UID":"1"}],"NumPDBViolations":3},"b":{"Pods":[]}}})");
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->victims.at("a").size(), 2u);
  EXPECT_EQ(json::parse(PreemptAnswer(*call, {"a"})), json::parse(R"({"NodeNameToMetaVictims":{
      "a":{"Pods":[{"UID":"2"},{"UID":"1"}],"NumPDBViolations":3}}})"));
}

TEST(ExtenderRoutes, NothingThatVolcanoMayCallBinds) {
  for (const base::HttpRoute& route : VolcanoRoutes([] { return nullptr; })) {
    EXPECT_TRUE(route.path.starts_with("/volcano/")) << route.path;
    EXPECT_THAT(route.path, testing::Not(HasSubstr("bind")));
    int status = 0;
    route.handler(
        {}, base::HttpResponder([&](const base::HttpAnswer& answer) { status = answer.status; }));
    EXPECT_EQ(status, 503) << "a standby";
  }
}

TEST(ExtenderRoutes, BindNeedsLoopbackOrClientCertificates) {
  EXPECT_TRUE(MayBind("127.0.0.1:80", false));
  EXPECT_TRUE(MayBind("[::1]:80", false));
  EXPECT_FALSE(MayBind(":80", false));
  EXPECT_FALSE(MayBind("0.0.0.0:80", false));
  EXPECT_FALSE(MayBind("10.0.0.1:80", false));
  EXPECT_TRUE(MayBind(":80", true));
  int status = 0;
  const base::HttpResponder responder(
      [&](const base::HttpAnswer& answer) { status = answer.status; });
  const auto routes = ExtenderRoutes([] { return nullptr; }, /*may_bind=*/false);
  for (const base::HttpRoute& route : routes) {
    if (route.path == "/kube/bind") route.handler({}, responder);
  }
  EXPECT_EQ(status, 403);
}

class ExtenderTest : public testing::Test {
 protected:
  ExtenderTest() {
    const auto ns = std::make_shared<kclient::Namespace>();
    ns->meta.name = "team-a";
    cluster_.shown().Set(nullptr, ns, Now());
    cluster_.shown().Set(nullptr, builders::MakeNode("n").Obj(), Now());
    cluster_.shown().Set(nullptr, builders::MakeDcuNode("n").Cards(1).Obj(), Now());
  }
  base::TimePoint Now() const { return loop_.clock().Now(); }
  void Show(const builders::PodPtr& pod) {
    cluster_.shown().Set(nullptr, pod, Now());
    extender_.Look();
  }
  static std::string FilterBody(const std::string& pod) {
    return R"({"Pod":{"metadata":{"namespace":"team-a","name":")" + pod + R"(","uid":"uid-)" + pod +
           R"("}},"NodeNames":["n","m"]})";
  }
  static std::string BindBody(const std::string& pod) {
    return R"({"PodName":")" + pod + R"(","PodNamespace":"team-a","PodUID":"uid-)" + pod +
           R"(","Node":"n"})";
  }
  // Volcano's words of a pod that asks for these resources; where it has put the pod, which its
  // spec says, too, long after it has thought better of it.
  static json Task(const std::string& pod, const kclient::ResourceList& limits = kTenth,
                   const std::string& node = "", int status = 1) {
    json amounts;
    for (const auto& [resource, amount] : limits) amounts[resource] = std::to_string(amount);
    const json container{{"name", "main"}, {"resources", {{"requests", amounts}}}};
    return {{"UID", "uid-" + pod},
            {"Job", "team-a/podgroup"},
            {"Name", pod},
            {"Namespace", "team-a"},
            {"NodeName", node},
            {"Status", status},
            {"Pod",
             {{"metadata", {{"name", pod}, {"namespace", "team-a"}, {"uid", "uid-" + pod}}},
              {"spec", {{"nodeName", "elsewhere"}, {"containers", json::array({container})}}}}}};
  }
  static std::string PredicateBody(const json& task, const std::vector<std::string>& beside = {}) {
    json tasks = json::object();
    for (const std::string& pod : beside) tasks["uid-" + pod] = Task(pod, kTenth, "n", 2);
    return json{{"task", task}, {"node", {{"Name", "n"}, {"Tasks", tasks}}}}.dump();
  }
  static std::string TaskBody(const std::string& pod, const std::string& node, int status = 2) {
    return json{{"task", Task(pod, kTenth, node, status)}}.dump();
  }
  void ShowTheirs(const std::string& pod, const kclient::ResourceList& limits = kTenth) {
    Show(builders::MakePod(pod).Scheduler("volcano").Limits(limits).Obj());
  }

  // Takes the answer when it comes.
  base::HttpResponder Take() {
    return base::HttpResponder([this](base::HttpAnswer answer) { answer_ = std::move(answer); });
  }
  json Answered() const { return answer_ ? json::parse(answer_->body, nullptr, false) : json(); }

  fakes::SimulatedLoop loop_;
  reconcilers::Cluster cluster_{reconcilers::Settings()};
  Metrics metrics_;
  Extender extender_{{loop_, cluster_, metrics_, [] {}}};
  std::optional<base::HttpAnswer> answer_;
};

TEST_F(ExtenderTest, AnswersNothingBeforeAllIsListed) {
  extender_.Filter(FilterBody("p"), Take());
  ASSERT_TRUE(answer_);
  EXPECT_EQ(answer_->status, 503);
}

TEST_F(ExtenderTest, AMalformedCallIs400) {
  extender_.Start();
  extender_.Bind("{}", Take());
  ASSERT_TRUE(answer_);
  EXPECT_EQ(answer_->status, 400);
  EXPECT_THAT(answer_->body, HasSubstr("PodUID"));
}

TEST_F(ExtenderTest, APodThatIsNotShownYetIsWaitedForASecond) {
  extender_.Start();
  extender_.Filter(FilterBody("p"), Take());
  loop_.Advance(base::Duration(500));
  EXPECT_FALSE(answer_);
  Show(builders::MakePod("p").Scheduler("s").Limits(kTenth).Obj());
  ASSERT_TRUE(answer_);
  EXPECT_EQ(Answered()["NodeNames"], json({"n"}));
  EXPECT_EQ(Answered()["Error"], "");
  EXPECT_EQ(cluster_.view().holds().size(), 1u);
  answer_.reset();
  extender_.Filter(FilterBody("absent"), Take());
  loop_.Advance(base::Duration(999));
  EXPECT_FALSE(answer_);
  loop_.Advance(base::Duration(1));
  EXPECT_THAT(Answered()["Error"].get<std::string>(), HasSubstr("team-a/absent"));
}

TEST_F(ExtenderTest, WhatDoesNotFitIsRefusedForGoodWithItsReason) {
  extender_.Start();
  Show(builders::MakePod("p").Scheduler("s").Limits({{"hygon.com/dcunum", 2}}).Obj());
  extender_.Filter(FilterBody("p"), Take());
  EXPECT_EQ(Answered()["NodeNames"], json::array());
  EXPECT_EQ(Answered()["FailedNodes"], json::object()) << "kube-scheduler would evict in vain";
  EXPECT_EQ(Answered()["FailedAndUnresolvableNodes"].size(), 2u);
  EXPECT_TRUE(cluster_.view().FindPod("team-a/p")->sought);
}

TEST_F(ExtenderTest, BindAnswersWhenThePodIsBoundAndTwiceTheSame) {
  extender_.Start();
  Show(builders::MakePod("p").Scheduler("s").Limits(kTenth).Obj());
  std::vector<std::string> answers;
  const auto take = [&] {
    return base::HttpResponder(
        [&answers](const base::HttpAnswer& answer) { answers.push_back(answer.body); });
  };
  extender_.Bind(BindBody("p"), take());
  extender_.Bind(BindBody("p"), take());
  loop_.Advance(base::Duration(1'000));
  EXPECT_TRUE(answers.empty());
  Show(builders::MakePod("p").Scheduler("s").Limits(kTenth).Node("n").Obj());
  EXPECT_EQ(answers, (std::vector<std::string>{R"({"Error":""})", R"({"Error":""})"}));
}

TEST_F(ExtenderTest, BindSaysWhyItWillNotBe) {
  extender_.Start();
  Show(builders::MakePod("p").Scheduler("s").Limits(kTenth).Obj());
  extender_.Bind(BindBody("p"), Take());
  EXPECT_FALSE(answer_);
  cluster_.Take(reconcilers::CommitFailed{"uid-p", "no room"}, Now());
  extender_.Look();
  EXPECT_EQ(Answered()["Error"], "no room");
  answer_.reset();
  extender_.Bind(BindBody("p"), Take());
  EXPECT_FALSE(answer_) << "asked anew, tried anew";
  loop_.Advance(cluster_.view().settings().commit_timeout);
  EXPECT_THAT(Answered()["Error"].get<std::string>(), HasSubstr("in time"));
}

TEST_F(ExtenderTest, VolcanoIsToldWhetherAPodFitsAndWhetherEvictionsCouldHelp) {
  extender_.Start();
  const kclient::ResourceList whole{{"hygon.com/dcunum", 1}};
  ShowTheirs("first");
  ShowTheirs("second", whole);
  ShowTheirs("two", {{"hygon.com/dcunum", 2}});
  extender_.Predicate(PredicateBody(Task("first")), Take());
  ASSERT_TRUE(answer_);
  EXPECT_EQ(answer_->body, "{}");
  EXPECT_EQ(cluster_.view().holds().size(), 0u) << "nothing is kept";
  extender_.Predicate(PredicateBody(Task("second", whole), {"first"}), Take());
  EXPECT_THAT(Answered()["status"].get<std::string>(), HasSubstr("1 card: "));
  EXPECT_EQ(Answered()["code"], 2);
  extender_.Predicate(PredicateBody(Task("second", whole), {"second"}), Take());
  EXPECT_EQ(answer_->body, "{}") << "the pod itself is not beside itself";
  extender_.Predicate(PredicateBody(Task("two", {{"hygon.com/dcunum", 2}})), Take());
  EXPECT_EQ(Answered()["code"], 3);
}

TEST_F(ExtenderTest, WhatVolcanoAllocatesIsHeldTenSecondsOrUntilItDeallocates) {
  extender_.Start();
  ShowTheirs("p");
  extender_.Allocate(TaskBody("p", "n"), Take());
  ASSERT_TRUE(answer_);
  EXPECT_EQ(answer_->body, "{}");
  ASSERT_EQ(cluster_.view().holds().size(), 1u);
  extender_.Deallocate(TaskBody("p", "m"), Take());
  EXPECT_EQ(cluster_.view().holds().size(), 1u) << "late: it has come to n since";
  extender_.Deallocate(TaskBody("p", "n"), Take());
  EXPECT_EQ(answer_->body, "{}");
  EXPECT_EQ(cluster_.view().holds().size(), 0u);
  extender_.Deallocate(TaskBody("p", "n"), Take());
  EXPECT_EQ(answer_->body, "{}") << "twice is once";
  extender_.Allocate(TaskBody("p", "n"), Take());
  loop_.Advance(base::Duration(9'999));
  cluster_.Expire(Now());
  EXPECT_EQ(cluster_.view().holds().size(), 1u);
  loop_.Advance(base::Duration(1));
  cluster_.Expire(Now());
  EXPECT_EQ(cluster_.view().holds().size(), 0u);
}

TEST_F(ExtenderTest, WhatVolcanoCannotAllocateItIsTold) {
  extender_.Start();
  const kclient::ResourceList whole{{"hygon.com/dcunum", 1}};
  ShowTheirs("first", whole);
  ShowTheirs("second", whole);
  extender_.Allocate(TaskBody("first", "n"), Take());
  extender_.Allocate(TaskBody("second", "n"), Take());
  EXPECT_THAT(Answered()["errorMessage"].get<std::string>(), HasSubstr("node n: "));
  constexpr int kPipelined = 4;
  extender_.Allocate(TaskBody("second", "n", kPipelined), Take());
  EXPECT_EQ(answer_->body, "{}") << "it comes when others have gone";
  EXPECT_EQ(cluster_.view().holds().size(), 1u);
}

TEST_F(ExtenderTest, PodsThatAskForNoCardsPassVolcanosExtender) {
  extender_.Start();
  extender_.Predicate(PredicateBody(Task("plain", {{"cpu", 1}})), Take());
  ASSERT_TRUE(answer_) << "at once: it is never shown";
  EXPECT_EQ(answer_->body, "{}");
  answer_.reset();
  extender_.Predicate(PredicateBody(Task("unknown")), Take());
  EXPECT_FALSE(answer_);
  loop_.Advance(base::Duration(1'000));
  EXPECT_THAT(Answered()["status"].get<std::string>(), HasSubstr("team-a/unknown"));
  EXPECT_EQ(Answered()["code"], 1);
  answer_.reset();
  extender_.Allocate(TaskBody("unknown", "n"), Take());
  loop_.Advance(base::Duration(1'000));
  EXPECT_THAT(Answered()["errorMessage"].get<std::string>(), HasSubstr("team-a/unknown"));
}

}  // namespace
}  // namespace vdcu::controller
