#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "controller/webhook/pod_rules.h"
#include "controller/webhook/review.h"
#include "controller/webhook/routes.h"

namespace vdcu::controller {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

const PodRules kRules{.scheduler_name = "vdcu-scheduler",
                      .schedulers = {"volcano"},
                      .tolerated_taint = "hygon.com/dcu"};

json Pod(const json& limits, const json& spec = json::object()) {
  json pod{{"kind", "Pod"},
           {"metadata", {{"generateName", "web-"}, {"namespace", "team"}}},
           {"spec", {{"containers", {{{"name", "main"}, {"resources", {{"limits", limits}}}}}}}}};
  pod["spec"].update(spec);
  return pod;
}

json Review(const json& object) {
  return {{"apiVersion", "admission.k8s.io/v1"},
          {"kind", "AdmissionReview"},
          {"request", {{"uid", "r-1"}, {"operation", "CREATE"}, {"object", object}}}};
}

class WebhookTest : public testing::Test {
 protected:
  base::HttpAnswer Post(const std::string& path, const std::string& body) {
    base::HttpAnswer answered{.status = 0};
    for (const base::HttpRoute& route : routes_) {
      if (route.path != path) continue;
      route.handler(
          {.method = "POST", .path = path, .body = body},
          base::HttpResponder([&](const base::HttpAnswer& answer) { answered = answer; }));
    }
    return answered;
  }
  json Ask(const std::string& path, const json& pod) {
    const base::HttpAnswer answer = Post(path, Review(pod).dump());
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.content_type, "application/json");
    const json review = json::parse(answer.body);
    EXPECT_EQ(review["apiVersion"], "admission.k8s.io/v1");
    EXPECT_EQ(review["kind"], "AdmissionReview");
    EXPECT_EQ(review["response"]["uid"], "r-1");
    return review["response"];
  }
  json PatchFor(const json& pod) {
    kclient::JsonParser parser;
    const std::string text = pod.dump();
    return PatchOf(*parser.Parse(text), kRules);
  }
  // Why it is denied; empty: it is let through.
  std::string WhyNot(const json& pod) {
    const json response = Ask("/pods/validate", pod);
    if (response["allowed"] == true) return "";
    EXPECT_EQ(response["status"]["code"], 422);
    return response["status"]["message"];
  }

  Metrics metrics_;
  std::vector<base::HttpRoute> routes_ = WebhookRoutes(kRules, metrics_);
};

const json kCard{{"hygon.com/dcunum", "1"}};
const json kScheduler{{"op", "add"}, {"path", "/spec/schedulerName"}, {"value", "vdcu-scheduler"}};
const json kToleration{{"key", "hygon.com/dcu"}, {"operator", "Exists"}};

TEST_F(WebhookTest, APodThatAsksForCardsIsGivenTheSchedulerAndTheToleration) {
  const json whole{
      {"op", "add"}, {"path", "/spec/tolerations"}, {"value", json::array({kToleration})}};
  const json one_more{{"op", "add"}, {"path", "/spec/tolerations/-"}, {"value", kToleration}};
  const auto tolerates = [](const json& toleration) {
    return json{{"tolerations", json::array({toleration})}};
  };
  struct Case {
    const char* sentence;
    json pod;
    json want;
  };
  for (const Case& c : std::vector<Case>{
           {"no card", Pod({{"cpu", "1"}}), json::array()},
           {"another's card", Pod({{"nvidia.com/gpu", "1"}}), json::array()},
           {"a card", Pod(kCard), {kScheduler, whole}},
           {"by its other name", Pod({{"hygon.com/hcunum", "1"}}), {kScheduler, whole}},
           {"only a part, which is refused later",
            Pod({{"hygon.com/dcumem", "1"}}),
            {kScheduler, whole}},
           {"the default scheduler is named by the API server",
            Pod(kCard, {{"schedulerName", "default-scheduler"}}),
            {kScheduler, whole}},
           {"another scheduler stays", Pod(kCard, {{"schedulerName", "volcano"}}), {whole}},
           {"it has tolerations", Pod(kCard, tolerates({{"key", "x"}})), {kScheduler, one_more}},
           {"it has this one", Pod(kCard, tolerates(kToleration)), {kScheduler}},
           {"it tolerates all", Pod(kCard, tolerates({{"operator", "Exists"}})), {kScheduler}},
           {"of one effect only",
            Pod(kCard,
                tolerates(
                    {{"key", "hygon.com/dcu"}, {"operator", "Exists"}, {"effect", "NoSchedule"}})),
            {kScheduler, one_more}},
           {"an init container asks",
            Pod({{"cpu", "1"}},
                {{"initContainers",
                  {{{"name", "i"}, {"resources", {{"requests", {{"hygon.com/dcunum", "1"}}}}}}}}}),
            {kScheduler, whole}}}) {
    EXPECT_EQ(PatchFor(c.pod), c.want) << c.sentence;
  }
}

TEST_F(WebhookTest, WhatCouldNeverBePlacedIsRefusedInTheControllersWords) {
  const json ours{{"schedulerName", "vdcu-scheduler"}};
  struct Case {
    const char* sentence;
    json pod;
    const char* want;
  };
  for (const Case& c : std::vector<Case>{
           {"no card", Pod({{"cpu", "1"}}), ""},
           {"a card", Pod(kCard, ours), ""},
           {"by volcano", Pod(kCard, {{"schedulerName", "volcano"}}), ""},
           {"none, by any scheduler", Pod({{"hygon.com/dcunum", "0"}}), ""},
           {"none, on a node", Pod({{"hygon.com/dcunum", "0"}}, {{"nodeName", "n1"}}), ""},
           {"a part alone", Pod({{"hygon.com/dcumem", "5"}}, ours),
            "container main: hygon.com/dcumem: set hygon.com/dcunum: 1 with it"},
           {"memory in bytes", Pod({{"hygon.com/dcunum", "1"}, {"hygon.com/dcumem", "2Gi"}}, ours),
            "hygon.com/dcumem 2147483648: counts MiB (--memory-unit): must be a plain number from "
            "64 to 1048576"},
           {"a scheduler that knows no cards", Pod(kCard),
            "spec.schedulerName: \"default-scheduler\": pods that ask for cards fail on their "
            "node unless they are placed by vdcu-scheduler or volcano"},
           {"on a node", Pod(kCard, {{"nodeName", "n1"}}), ""},
           {"a part alone, on a node", Pod({{"hygon.com/dcumem", "5"}}, {{"nodeName", "n1"}}),
            "hygon.com/dcumem: set hygon.com/dcunum: 1 with it"},
           {"on a node, with a reserved partition",
            [&] {
              json pod = Pod(kCard, {{"nodeName", "n1"}});
              pod["metadata"]["annotations"]["vdcu.io/partition"] = "kept";
              return pod;
            }(),
            "spec.nodeName: \"n1\": a pod that names a reserved partition"},
           {"a group of none",
            [&] {
              json pod = Pod(kCard, ours);
              pod["metadata"]["annotations"] = {{"vdcu.io/group", "g"},
                                                {"vdcu.io/group-size", "0"}};
              return pod;
            }(),
            "annotation vdcu.io/group-size: \"0\": must be a whole number from 1 to 256"},
           {"the same of another scheduler, which has groups of its own",
            [&] {
              json pod = Pod(kCard, {{"schedulerName", "volcano"}});
              pod["metadata"]["annotations"] = {{"vdcu.io/group-size", "0"}};
              return pod;
            }(),
            ""},
           {"a wrong annotation",
            [&] {
              json pod = Pod(kCard, ours);
              pod["metadata"]["annotations"]["vdcu.io/policy"] = "binpack";
              return pod;
            }(),
            "annotation vdcu.io/policy: \"binpack\": must be BinPack"}}) {
    const std::string why = WhyNot(c.pod);
    if (*c.want == 0) {
      EXPECT_EQ(why, "") << c.sentence;
    } else {
      EXPECT_THAT(why, HasSubstr(c.want)) << c.sentence;
    }
  }
}

TEST_F(WebhookTest, EachReviewIsCounted) {
  Ask("/pods/mutate", Pod(kCard));
  Ask("/pods/mutate", Pod({{"cpu", "1"}}));
  Ask("/pods/validate", Pod(kCard));
  Post("/pods/validate", "{");
  const std::string text = prometheus::TextSerializer().Serialize(metrics_.registry()->Collect());
  for (const char* want :
       {R"(result="changed",webhook="mutate"} 1)", R"(result="allowed",webhook="mutate"} 1)",
        R"(result="denied",webhook="validate"} 1)",
        R"(result="malformed",webhook="validate"} 1)"}) {
    EXPECT_THAT(text, HasSubstr(std::string("vdcu_admission_reviews_total{") + want));
  }
}

TEST_F(WebhookTest, APatchIsCarriedAsTheApiWantsIt) {
  const json changed = Ask("/pods/mutate", Pod(kCard));
  EXPECT_EQ(changed["allowed"], true);
  EXPECT_EQ(changed["patchType"], "JSONPatch");
  EXPECT_THAT(changed["patch"].get<std::string>(), testing::StartsWith("W3sib3Ai"));
  const json same = Ask("/pods/mutate", Pod({{"cpu", "1"}}));
  EXPECT_EQ(same["allowed"], true);
  EXPECT_FALSE(same.contains("patch") || same.contains("patchType"));
}

TEST_F(WebhookTest, WhatIsNoReviewIsAnsweredWithWhatIsWrong) {
  json old = Review(Pod(kCard));
  old["apiVersion"] = "admission.k8s.io/v1beta1";
  json nameless = Review(Pod(kCard));
  nameless["request"].erase("uid");
  json empty = Review(nullptr);
  struct Case {
    std::string body;
    const char* want;
  };
  for (const Case& c :
       std::vector<Case>{{"", ""},
                         {"{", ""},
                         {"[]", "must be admission.k8s.io/v1/AdmissionReview"},
                         {"{}", "must be admission.k8s.io/v1/AdmissionReview"},
                         {old.dump(), "kind admission.k8s.io/v1beta1/AdmissionReview: must be"},
                         {nameless.dump(), "request.uid: must be set"},
                         {empty.dump(), "request.object: must be an object"}}) {
    const base::HttpAnswer answer = Post("/pods/validate", c.body);
    EXPECT_EQ(answer.status, 400) << c.body;
    EXPECT_THAT(answer.body, HasSubstr(c.want)) << c.body;
  }
}

}  // namespace
}  // namespace vdcu::controller
