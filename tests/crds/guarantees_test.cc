#include "crds/guarantees.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kclient/core/parsed.h"

namespace vdcu::crds {
namespace {

using kclient::Parsed;
using kclient::ServerFacts;

TEST(Guarantees, AreLackingByWhatTheServerHas) {
  const struct {
    const char* sentence;
    ServerFacts facts;
    std::string want;  // the names, each with a blank before it
  } rows[] = {
      {"the newest", {1, 36, true, true, true}, ""},
      {"1.31", {1, 31, true, true, true}, ""},
      {"1.30", {1, 30, true, true, true}, " node_tokens"},
      {"1.30 without policies", {1, 30, false, true, true}, " policies node_tokens"},
      {"1.28", {1, 28, false, true, true}, " policies node_tokens"},
      {"1.28 with the fence", {1, 28, false, true, true, true}, " node_tokens"},
      {"1.25", {1, 25, false, true, false}, " policies node_tokens seats"},
      {"1.24", {1, 24, false, true, false}, " policies node_tokens rules seats"},
      {"1.22", {1, 22, false, true, false}, " policies node_tokens rules bind_precondition seats"},
      {"1.20", {1, 20, false, false, false}, " policies node_tokens rules bind_precondition seats"},
  };
  for (const auto& row : rows) {
    std::string lacks;
    std::map<std::string, bool> missing;
    testing::internal::CaptureStdout();
    const base::Status judged = JudgeServer(
        row.facts, [&](std::string_view name, bool is) { missing[std::string(name)] = is; });
    const std::string log = testing::internal::GetCapturedStdout();
    EXPECT_TRUE(judged) << row.sentence;
    for (const Lack& lack : LacksOf(row.facts)) {
      (lacks += " ") += lack.guarantee;
      EXPECT_TRUE(missing[std::string(lack.guarantee)]) << row.sentence;
      for (const std::string& text : {lack.what, lack.price, lack.cure}) {
        EXPECT_NE(log.find(text), std::string::npos) << row.sentence << log;
      }
    }
    EXPECT_EQ(lacks, row.want) << row.sentence;
    EXPECT_EQ(missing.size(), Guarantees().size()) << "of each it is said, " << row.sentence;
    EXPECT_EQ(log.empty(), row.want.empty()) << row.sentence;
  }
}

TEST(Guarantees, BelowTheFloorIsAnErrorAlone) {
  for (const ServerFacts& facts : {ServerFacts{1, 19}, ServerFacts{0, 36}}) {
    testing::internal::CaptureStdout();
    const base::Status judged = JudgeServer(facts, [](std::string_view, bool) { FAIL(); });
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    ASSERT_FALSE(judged);
    EXPECT_EQ(judged.error().message, "Kubernetes " + facts.version() + ": want 1.20 or later");
  }
}

TEST(ServerFacts, AreReadFromTheAnswers) {
  const struct {
    const char* answer;
    int want_major;
    int want_minor;
  } versions[] = {
      {R"({"major": "1", "minor": "36", "gitVersion": "v1.36.3"})", 1, 36},
      {R"({"major": "1", "minor": "20+", "gitVersion": "v1.20.4-tke.7"})", 1, 20},
      {R"({"major": "2", "minor": "0"})", 2, 0},
  };
  for (const auto& row : versions) {
    ServerFacts facts;
    ASSERT_TRUE(ReadVersion(Parsed(row.answer).view(), facts)) << row.answer;
    EXPECT_EQ(facts.major, row.want_major) << row.answer;
    EXPECT_EQ(facts.minor, row.want_minor) << row.answer;
  }
  for (const char* wrong : {"{}", R"({"major": "", "minor": ""})", R"({"major": "1"})",
                            R"({"major": "one", "minor": "-3"})", "[]"}) {
    ServerFacts facts;
    EXPECT_FALSE(ReadVersion(Parsed(wrong).view(), facts)) << wrong;
  }
  ServerFacts facts;
  ReadAdmission(Parsed(R"({"resources": [{"name": "validatingwebhookconfigurations"}]})").view(),
                facts);
  ReadFlowControl(Parsed(R"({"versions": [{"version": "v1beta1"}]})").view(), facts);
  EXPECT_EQ(facts, (ServerFacts{0, 0, false, true, false}));
  ReadAdmission(Parsed(R"({"resources": [{"name": "validatingadmissionpolicies"}]})").view(),
                facts);
  ReadFlowControl(
      Parsed(R"({"versions": [{"version": "v1beta3"}, {"version": "v1beta2"}]})").view(), facts);
  EXPECT_EQ(facts, (ServerFacts{0, 0, true, true, true}));
}

TEST(ServerFacts, AWebhookCountsWhereNothingGetsPastIt) {
  const struct {
    const char* webhooks;
    bool want;
  } rows[] = {
      {R"([{"name": "objects.fence.vdcu.io", "failurePolicy": "Fail"}])", true},
      {R"([{"name": "x"}, {"name": "objects.fence.vdcu.io", "failurePolicy": "Fail"}, {}])", true},
      {R"([{"name": "objects.fence.vdcu.io", "failurePolicy": "Ignore"}])", false},
      {R"([{"name": "pods.vdcu.io", "failurePolicy": "Fail"}])", false},
      {"[]", false},
      {"{}", false},
  };
  for (const auto& row : rows) {
    ServerFacts facts;
    ReadWebhooks(Parsed(R"({"webhooks": )" + std::string(row.webhooks) + "}").view(), kFenceWebhook,
                 facts);
    EXPECT_EQ(facts.webhook, row.want) << row.webhooks;
  }
}

}  // namespace
}  // namespace vdcu::crds
