#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "controller/webhook/certificates.h"
#include "controller/webhook/tls_plan.h"

namespace vdcu::controller {
namespace {

using nlohmann::json;
using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr hours kDay{24};
constexpr char kHost[] = "vdcu-webhook.vdcu-system.svc";

const json kEmpty{{"metadata",
                   {{"name", "vdcu-webhook"},
                    {"namespace", "vdcu-system"},
                    {"uid", "u-2"},
                    {"resourceVersion", "0"}}}};

// The three objects as the API server has them, written to as it would.
class WebhookTls : public testing::Test {
 protected:
  WebhookTls() {
    stored_["secrets"] = kEmpty;
    Configure("mutatingwebhookconfigurations");
    Configure("validatingwebhookconfigurations");
  }

  // As helm applies it: without a CA.
  void Configure(const std::string& plural) {
    stored_[plural] = {{"metadata", {{"name", "vdcu-webhook"}, {"uid", "u-1"}}},
                       {"webhooks",
                        {{{"name", "a.vdcu.io"}, {"clientConfig", json::object()}},
                         {{"name", "b.vdcu.io"}, {"clientConfig", json::object()}}}}};
  }
  template <class T>
  std::shared_ptr<const T> Read(const std::string& plural) {
    if (!stored_.contains(plural)) return nullptr;
    kclient::JsonParser parser;
    const std::string text = stored_[plural].dump();
    return std::make_shared<const T>(*T::FromJson(*parser.Parse(text)));
  }
  TlsObjects Objects() {
    return {Read<TlsSecret>("secrets"), Read<WebhookConfiguration>("mutatingwebhookconfigurations"),
            Read<WebhookConfiguration>("validatingwebhookconfigurations"), nullptr};
  }
  void Apply(const kclient::Write& write) {
    const std::string plural(write.resource.plural);
    done_.push_back(write.Describe().substr(0, write.Describe().find(' ')) + " " + plural);
    json& object = stored_[plural];
    if (write.verb == kclient::Write::Verb::kMergePatch) {
      ASSERT_EQ(write.body["metadata"]["resourceVersion"], object["metadata"]["resourceVersion"]);
      object.merge_patch(write.body);
    } else {
      for (const json& change : write.body["webhooks"]) {
        for (json& webhook : object["webhooks"]) {
          if (webhook["name"] == change["name"]) webhook.merge_patch(change);
        }
      }
    }
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
  }
  // Until nothing is left to be written; what is served is trusted after each step but the first,
  // when nothing is served yet.
  std::vector<std::string> ComeToRest() {
    done_.clear();
    for (int i = 0; i < 10; ++i) {
      const kclient::WorkPlan plan = PlanTls(Objects(), settings_, now_);
      if (plan.writes.empty()) {
        EXPECT_TRUE(plan.requeue_after.has_value());
        next_ = plan.requeue_after.value_or(base::Duration(0));
        return done_;
      }
      EXPECT_EQ(plan.writes.size(), 1U) << "each when the one before is stored";
      Apply(plan.writes.front().write);
      if (!lost_) ExpectTrusted();
    }
    ADD_FAILURE() << "it never comes to rest";
    return done_;
  }
  // By all configurations.
  void ExpectTrusted() {
    const TlsObjects objects = Objects();
    if (!objects.secret || objects.secret->certificate.empty()) return;
    for (const auto& configuration : {objects.mutating, objects.validating}) {
      if (!configuration) continue;
      for (const auto& webhook : configuration->webhooks) {
        bool trusted = false;
        for (const std::string& ca : SplitCertificates(webhook.ca)) {
          trusted = trusted || IsSignedBy(objects.secret->certificate, ca);
        }
        EXPECT_TRUE(trusted) << webhook.name;
      }
    }
  }
  void ExpectGood() {
    const TlsObjects objects = Objects();
    ASSERT_NE(objects.secret, nullptr);
    const TlsSecret& secret = *objects.secret;
    for (const auto& host : settings_.hosts) EXPECT_TRUE(IsFor(secret.certificate, host)) << host;
    EXPECT_TRUE(IsKeyOf(secret.key, secret.certificate));
    EXPECT_GT(ValidityOf(secret.certificate)->until, now_ + kDay * 29);
    EXPECT_GT(ValidityOf(secret.ca)->until, now_ + kDay * 1000);
    ExpectTrusted();
  }

  std::map<std::string, json> stored_;
  TlsSettings settings_{.hosts = {kHost}};
  base::WallTime now_ = base::SystemClock().Wall();
  base::Duration next_{0};
  bool lost_ = false;  // what was served before is not trusted any more, by nobody's fault but ours
  std::vector<std::string> done_;
  int version_ = 0;
};

const char* const kSecret = "patch secrets";
const char* const kMutating = "patch mutatingwebhookconfigurations";
const char* const kValidating = "patch validatingwebhookconfigurations";

TEST_F(WebhookTls, IsMadeInThreeSteps) {
  EXPECT_THAT(ComeToRest(), ElementsAre(kSecret, kMutating, kValidating, kSecret));
  ExpectGood();
  EXPECT_GT(next_, kDay * 59);
  EXPECT_LT(next_, kDay * 61);
  EXPECT_THAT(ComeToRest(), IsEmpty());
}

TEST_F(WebhookTls, IsMadeAlsoWhereNoConfigurationIsThereYet) {
  stored_ = {{"secrets", kEmpty}};
  EXPECT_THAT(ComeToRest(), ElementsAre(kSecret, kSecret));
  Configure("mutatingwebhookconfigurations");
  Configure("validatingwebhookconfigurations");
  lost_ = true;  // of configurations that are new
  EXPECT_THAT(ComeToRest(), ElementsAre(kMutating, kValidating));
  ExpectGood();
}

TEST_F(WebhookTls, WithoutASecretThereIsNothingToDo) {
  stored_.erase("secrets");
  const kclient::WorkPlan plan = PlanTls(Objects(), settings_, now_);
  EXPECT_THAT(plan.writes, IsEmpty());
  EXPECT_FALSE(plan.requeue_after);
}

TEST_F(WebhookTls, IsRenewedInItsLastThird) {
  ComeToRest();
  const std::string before = Objects().secret->certificate;
  now_ += next_ - base::Duration(2);
  EXPECT_THAT(ComeToRest(), IsEmpty());
  now_ += base::Duration(2'000);
  EXPECT_THAT(ComeToRest(), ElementsAre(kSecret)) << "by the same CA";
  EXPECT_NE(Objects().secret->certificate, before);
  ExpectGood();
}

TEST_F(WebhookTls, ItsCaIsReplacedWhileBothAreTrusted) {
  ComeToRest();
  const std::string before = Objects().secret->ca;
  now_ += kDay * 2600;
  EXPECT_THAT(ComeToRest(), ElementsAre(kSecret, kMutating, kValidating, kSecret));
  EXPECT_THAT(SplitCertificates(Objects().secret->ca), testing::SizeIs(2));
  EXPECT_THAT(Objects().secret->ca, testing::EndsWith(before));
  ExpectGood();
  now_ += kDay * 2600;  // the first has expired
  ComeToRest();
  EXPECT_THAT(Objects().secret->ca, testing::Not(testing::HasSubstr(before)));
  ExpectGood();
}

TEST_F(WebhookTls, WhatIsLostIsMadeAgain) {
  struct Case {
    const char* sentence;
    std::function<void()> lose;
  };
  const auto set = [this](const char* key, const json& value) {
    return [this, key, value] { stored_["secrets"]["data"][key] = value; };
  };
  for (const Case& c : std::vector<Case>{
           {"the Secret, which was applied anew", [this] { stored_["secrets"] = kEmpty; }},
           {"all that is in it", [this] { stored_["secrets"].erase("data"); }},
           {"the key of the CA", set("ca.key", "")},
           {"the CA", set("ca.crt", "YQ==")},
           {"the certificate", set("tls.crt", "")},
           {"its key", set("tls.key", "bm8=")},
           {"no base64", set("tls.crt", "***")},
           {"a configuration's CA", [this] { Configure("validatingwebhookconfigurations"); }},
           {"another name", [this] { settings_.hosts.front() = "10.0.0.1"; }},
           {"one more name",
            [this] { settings_.hosts.emplace_back("vdcu-gate.vdcu-system.svc"); }}}) {
    SCOPED_TRACE(c.sentence);
    ComeToRest();
    c.lose();
    lost_ = true;
    EXPECT_THAT(ComeToRest(), testing::Not(IsEmpty()));
    ExpectGood();
    lost_ = false;
  }
}

// The replicas serve the certificate of the Secret that is gone for a moment longer.
TEST_F(WebhookTls, AfterALostSecretTheCaBeforeIsStillTrusted) {
  ComeToRest();
  const std::string served = Objects().secret->certificate;
  const std::string ca = Objects().secret->ca;
  stored_["secrets"] = kEmpty;
  ComeToRest();
  EXPECT_THAT(Objects().mutating->webhooks[0].ca, testing::EndsWith(ca));
  EXPECT_TRUE(IsSignedBy(served, ca));
}

TEST(WebhookCertificates, OfAnAddressAndOfAName) {
  const base::WallTime now = base::SystemClock().Wall();
  const CertifiedKey ca = MakeCa({now, now + kDay});
  for (const char* host : {"10.1.2.3", "fd00::1", "vdcu-webhook.x.svc"}) {
    const CertifiedKey made = MakeServerCertificate(ca, {host}, {now, now + kDay});
    EXPECT_TRUE(IsFor(made.certificate, host));
    EXPECT_FALSE(IsFor(made.certificate, "vdcu-webhook.y.svc"));
    EXPECT_TRUE(IsSignedBy(made.certificate, ca.certificate));
    EXPECT_FALSE(IsSignedBy(ca.certificate, made.certificate));
    EXPECT_FALSE(IsKeyOf(ca.key, made.certificate));
  }
}

}  // namespace
}  // namespace vdcu::controller
