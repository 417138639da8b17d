#include "kclient/server_look.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/fakes/fake_transport.h"
#include "tests/fakes/simulated_loop.h"

namespace vdcu::kclient {
namespace {

class ServerLookTest : public testing::Test {
 protected:
  std::string Path() const { return transport_.requests().back().path; }
  void Answer(int status, const std::string& body) {
    transport_.Answer(transport_.last(), status, body);
  }

  fakes::FakeTransport transport_;
  fakes::SimulatedLoop loop_;
  Client client_{transport_};
  std::optional<ServerFacts> seen_;
  ServerLook look_{loop_,
                   client_,
                   [] { return 0.5; },
                   [this](const ServerFacts& facts) { seen_ = facts; },
                   {"ours", "a.b.c"}};
};

TEST_F(ServerLookTest, AsksOnceWhatTheServerIs) {
  look_.Start();
  EXPECT_EQ(Path(), "/version");
  Answer(200, R"({"major": "1", "minor": "36"})");
  EXPECT_EQ(Path(), "/apis/admissionregistration.k8s.io/v1");
  Answer(200, R"({"resources": [{"name": "validatingadmissionpolicies"}]})");
  EXPECT_EQ(Path(), "/apis/flowcontrol.apiserver.k8s.io");
  EXPECT_FALSE(seen_);
  Answer(200, R"({"versions": [{"version": "v1"}]})");
  EXPECT_EQ(seen_, (ServerFacts{1, 36, true, true, true}));
  loop_.Advance(std::chrono::hours(1));
  EXPECT_EQ(transport_.requests().size(), 3u) << "no more";
}

TEST_F(ServerLookTest, WhatIsNotThereItHasNot) {
  look_.Start();
  Answer(200, R"({"major": "1", "minor": "19"})");
  Answer(404, "");
  Answer(404, "");
  EXPECT_EQ(Path(), "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/ours");
  EXPECT_FALSE(seen_);
  Answer(403, "");
  EXPECT_EQ(seen_, (ServerFacts{1, 19, false, false, false}));
}

// An installation makes it last.
TEST_F(ServerLookTest, AWebhookInPlaceOfPoliciesIsWaitedForAWhile) {
  for (const bool comes : {true, false}) {
    seen_.reset();
    ServerLook look(
        loop_, client_, [] { return 0.5; }, [this](const ServerFacts& facts) { seen_ = facts; },
        {"ours", "a.b.c"});
    look.Start();
    Answer(200, R"({"major": "1", "minor": "28"})");
    Answer(200, R"({"resources": []})");
    Answer(404, "");
    const base::TimePoint began = loop_.clock().Now();
    for (int tries = 0; tries < 5; ++tries) {
      Answer(404, "");
      EXPECT_FALSE(seen_);
      loop_.Advance(std::chrono::seconds(30));
    }
    comes ? Answer(200, R"({"webhooks": [{"name": "a.b.c", "failurePolicy": "Fail"}]})")
          : Answer(404, "");
    ASSERT_TRUE(seen_) << "after " << (loop_.clock().Now() - began).count() << " ms";
    EXPECT_EQ(*seen_, (ServerFacts{1, 28, false, false, false, comes}));
  }
}

TEST_F(ServerLookTest, TriesAgainWhatFailedAndSaysItOnce) {
  testing::internal::CaptureStdout();
  look_.Start();
  for (const auto& [status, body] :
       {std::pair(503, ""), std::pair(404, ""), std::pair(200, "{}")}) {
    Answer(status, body);
    loop_.Advance(std::chrono::seconds(30));
    EXPECT_EQ(Path(), "/version");
  }
  const std::string log = testing::internal::GetCapturedStdout();
  const std::string line = "cannot see what the API server is, will try again";
  EXPECT_NE(log.find(line), std::string::npos);
  EXPECT_EQ(log.find(line), log.rfind(line)) << log;
  Answer(200, R"({"major": "1", "minor": "28"})");
  Answer(500, "");
  loop_.Advance(std::chrono::seconds(30));
  EXPECT_EQ(Path(), "/apis/admissionregistration.k8s.io/v1") << "goes on where it was";
}

}  // namespace
}  // namespace vdcu::kclient
