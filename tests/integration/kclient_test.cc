// The client on a real API server: verbs and their preconditions, informers over restarts and
// silence, credentials.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/uv_loop.h"
#include "kclient/api.h"
#include "kclient/config.h"
#include "kclient/core/pod.h"
#include "kclient/curl_transport.h"
#include "kclient/informer.h"
#include "tests/integration/kclient_session.h"

namespace vdcu::integration {
namespace {

using base::ErrorCode;
using base::Result;
using kclient::CallPtr;
using kclient::Config;
using kclient::Informer;
using kclient::JsonView;
using kclient::Pod;
using nlohmann::json;
using std::chrono::seconds;

constexpr kclient::Resource kConfigMaps{"", "v1", "configmaps", "ConfigMap"};

ErrorCode CodeOf(const Result<json>& result) {
  EXPECT_FALSE(result) << result->dump();
  return result ? ErrorCode::kCancelled : result.error().code;
}

json MakePodJson() {
  return {{"spec",
           {{"containers", {{{"name", "main"}, {"image", "localhost/none"}}}},
            {"terminationGracePeriodSeconds", 0}}}};
}

std::string UidOf(const json& object) { return object["metadata"]["uid"]; }
std::string VersionOf(const json& object) { return object["metadata"]["resourceVersion"]; }

TEST(Verbs, EachPreconditionHoldsAndEachRefusalHasItsCode) {
  Session session(AdminConfig());
  const auto create =
      kclient::MakeCreate(kConfigMaps, "default", "verbs", {{"data", {{"a", "1"}}}});
  const auto made = session.Apply(create);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(CodeOf(session.Apply(create)), ErrorCode::kAlreadyExists);

  const auto patch = [&](const std::string& uid, const std::string& version) {
    return session.Apply(kclient::MakePatch(kConfigMaps, "default", "verbs", "",
                                            {{"data", {{"a", "2"}}}}, uid, version));
  };
  const auto patched = patch(UidOf(*made), VersionOf(*made));
  ASSERT_TRUE(patched) << patched.error().message;
  EXPECT_EQ((*patched)["data"]["a"], "2");
  EXPECT_EQ(CodeOf(patch(UidOf(*made), VersionOf(*made))), ErrorCode::kConflict);
  EXPECT_EQ(CodeOf(patch("00000000-0000-0000-0000-000000000000", "")), ErrorCode::kConflict);

  const auto remove = [&](const std::string& uid) {
    return session.Apply(kclient::MakeDelete(kConfigMaps, "default", "verbs", uid, ""));
  };
  EXPECT_EQ(CodeOf(remove("00000000-0000-0000-0000-000000000000")), ErrorCode::kConflict);
  EXPECT_TRUE(remove(UidOf(*made)));
  EXPECT_EQ(CodeOf(remove(UidOf(*made))), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(session.Get(kConfigMaps, "default", "verbs")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(session.Apply(kclient::MakeCreate(kConfigMaps, "default", "UPPER", {}))),
            ErrorCode::kInvalid);
}

TEST(Verbs, ABindingHoldsForThePodsUidAndOnce) {
  Session session(AdminConfig());
  const auto pod =
      session.Apply(kclient::MakeCreate(kclient::kPods, "default", "b1", MakePodJson()));
  ASSERT_TRUE(pod) << pod.error().message;
  const auto bind = [&](const std::string& uid) {
    return session.Apply(kclient::MakeBind("default", "b1", uid, "node-1"));
  };
  EXPECT_EQ(CodeOf(bind("00000000-0000-0000-0000-000000000000")), ErrorCode::kConflict);
  const auto bound = bind(UidOf(*pod));
  ASSERT_TRUE(bound) << bound.error().message;
  const auto after = session.Get(kclient::kPods, "default", "b1");
  ASSERT_TRUE(after);
  EXPECT_EQ((*after)["spec"]["nodeName"], "node-1");
  EXPECT_EQ(CodeOf(bind(UidOf(*pod))), ErrorCode::kConflict);
}

// More than a connection has streams for; each answer starts another call, in the callback.
TEST(Verbs, ManyAtOnceAreAllAnswered) {
  Session session(AdminConfig());
  constexpr int kAtOnce = 150;
  constexpr int kCalls = 1000;
  int started = 0;
  int answered = 0;
  std::map<int, CallPtr> calls;
  std::function<void()> start = [&] {
    const int i = started++;
    const auto write = kclient::MakeCreate(kConfigMaps, "default", "many-" + std::to_string(i),
                                           {{"data", {{"i", std::to_string(i)}}}});
    calls[i] = session.client().Apply(write, [&, i](const Result<JsonView>& view) {
      EXPECT_TRUE(view) << view.error().message;
      ++answered;
      calls.erase(i);
      if (started < kCalls) start();
    });
  };
  for (int i = 0; i < kAtOnce; ++i) start();
  EXPECT_TRUE(session.Until([&] { return answered == kCalls; }, seconds(180)));
  EXPECT_TRUE(calls.empty());
}

struct Seen {
  std::vector<std::string> log;  // "+b1", "~b1", "-b1"
};

std::unique_ptr<Informer<Pod>> WatchPods(Session& session, Seen& seen) {
  kclient::ReflectorOptions options;
  options.resource = kclient::kPods;
  options.ns = "default";
  auto informer = std::make_unique<Informer<Pod>>(
      session.client(), session.loop(), options, base::SystemRandom(),
      [](JsonView object) { return Pod::FromJson(object, {}); });
  informer->AddHandler([&seen](const auto& old_pod, const auto& new_pod) {
    const std::string sign = old_pod == nullptr ? "+" : new_pod == nullptr ? "-" : "~";
    seen.log.push_back(sign + (new_pod ? new_pod : old_pod)->meta.name);
  });
  informer->Start();
  return informer;
}

bool Contains(const Seen& seen, const std::string& entry) {
  return std::find(seen.log.begin(), seen.log.end(), entry) != seen.log.end();
}

Result<json> MakePod(Session& session, const std::string& name) {
  return session.Apply(kclient::MakeCreate(kclient::kPods, "default", name, MakePodJson()));
}

TEST(Informers, SeeWhatOthersDoAndGoOnAfterARestart) {
  Session session(AdminConfig());
  Seen seen;
  const auto informer = WatchPods(session, seen);
  ASSERT_TRUE(session.Until([&] { return informer->synced(); }));
  const auto pod = MakePod(session, "i1");
  ASSERT_TRUE(pod) << pod.error().message;
  ASSERT_TRUE(session.Until([&] { return Contains(seen, "+i1"); }));
  ASSERT_TRUE(session.Apply(kclient::MakePatch(kclient::kPods, "default", "i1", "",
                                               {{"metadata", {{"labels", {{"a", "b"}}}}}},
                                               UidOf(*pod), "")));
  ASSERT_TRUE(session.Until([&] { return Contains(seen, "~i1"); }));

  cluster().StopApiServer();
  cluster().StartApiServer();
  ASSERT_EQ(cluster().Kubectl({"delete", "pod", "i1", "--wait=false"}).exit_code, 0);
  EXPECT_TRUE(session.Until([&] { return Contains(seen, "-i1"); }, seconds(60)));
  EXPECT_EQ(informer->store().Get("default/i1"), nullptr);
  EXPECT_EQ(std::count(seen.log.begin(), seen.log.end(), "+i1"), 1) << "told again after resuming";
}

TEST(Informers, AServerThatFallsSilentIsFoundWithin30Seconds) {
  Session session(AdminConfig());
  std::optional<Result<kclient::HttpResponse>> ended;
  std::string bytes;
  kclient::HttpRequest request;
  request.path = "/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=300";
  request.timeout = seconds(300);
  const CallPtr watch = session.transport().Stream(
      request, [&](std::string_view part) { bytes += part; },
      [&](Result<kclient::HttpResponse> response) { ended = std::move(response); });
  ASSERT_TRUE(session.Until([&] { return !bytes.empty(); }));
  // Longer than the silence that is looked into: a server that has nothing to say is not dead.
  EXPECT_FALSE(session.Until([&] { return ended.has_value(); }, seconds(12)));

  cluster().PauseApiServer();
  EXPECT_TRUE(session.Until([&] { return ended.has_value(); }, seconds(30)));
  cluster().ResumeApiServer();
  ASSERT_TRUE(ended);
  ASSERT_FALSE(*ended);
  EXPECT_EQ(ended->error().code, ErrorCode::kUnavailable);
  const auto after = session.Get(kConfigMaps, "default", "none");
  EXPECT_EQ(CodeOf(after), ErrorCode::kNotFound) << after.error().message;
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new") << text;
  std::filesystem::rename(path + ".new", path);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Credentials, ATokenFileThatRotatesIsReadAgain) {
  const std::string path = cluster().TokenKubeconfig("rotation", "robot");
  const std::string good = ReadFile(path + ".token");
  auto config = kclient::LoadKubeconfig({path});
  ASSERT_TRUE(config) << config.error().message;
  config->token = "wrong";
  WriteFile(path + ".token", "wrong");
  Session session(*config);
  // 403 says who asks; 401 would say nobody.
  const auto refused = session.Get(kConfigMaps, "default", "none");
  EXPECT_EQ(CodeOf(refused), ErrorCode::kForbidden);
  EXPECT_NE(refused.error().message.find("401"), std::string::npos) << refused.error().message;

  WriteFile(path + ".token", good);
  const auto known = session.Get(kConfigMaps, "default", "none");
  EXPECT_EQ(CodeOf(known), ErrorCode::kForbidden);
  EXPECT_NE(known.error().message.find("system:serviceaccount:rotation:robot"), std::string::npos)
      << known.error().message;
}

TEST(Credentials, AClientCertificateThatRotatesIsUsedAndHalfOfItIsNot) {
  // Both in files, as a kubelet keeps them.
  const auto user = [](const std::string& name) {
    return *kclient::LoadKubeconfig({cluster().UserKubeconfig(name, {"nobodies"})});
  };
  const Config first = user("first");
  const Config second = user("second");
  const std::string path = cluster().UserKubeconfig("file", {});
  std::string text = ReadFile(path);
  text.erase(text.find("    client-certificate-data:"));
  WriteFile(path, text + "    client-certificate: file.crt\n    client-key: file.key\n");
  const std::string files = cluster().folder() + "/file";
  WriteFile(files + ".crt", first.cert_data);
  WriteFile(files + ".key", first.key_data);
  const auto config = kclient::LoadKubeconfig({path});
  ASSERT_TRUE(config) << config.error().message;
  Session session(*config);
  // 403 says who asks.
  const auto who = [&] { return session.Get(kConfigMaps, "default", "none").error().message; };
  EXPECT_NE(who().find("User \"first\""), std::string::npos) << who();

  WriteFile(files + ".crt", second.cert_data);
  EXPECT_FALSE(
      session.Until([&] { return who().find("\"first\"") == std::string::npos; }, seconds(5)))
      << "its key is not there yet";
  WriteFile(files + ".key", second.key_data);
  EXPECT_TRUE(session.Until([&] { return who().find("User \"second\"") != std::string::npos; }))
      << who();
}

TEST(Credentials, AnotherCaIsRefusedAndAnotherNameIsVerified) {
  const std::string other = cluster().folder() + "/other";
  ASSERT_EQ(RunProgram({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other", "-keyout",
                        other + ".key", "-out", other + ".crt"})
                .exit_code,
            0);
  Config other_ca = AdminConfig();
  other_ca.ca_data = ReadFile(other + ".crt");
  Session distrusting(other_ca);
  const auto refused = distrusting.Get(kConfigMaps, "default", "none");
  EXPECT_EQ(CodeOf(refused), ErrorCode::kUnavailable);
  EXPECT_NE(refused.error().message.find("certificate"), std::string::npos)
      << refused.error().message;

  Config named = AdminConfig();
  named.tls_server_name = "kubernetes.default.svc";
  EXPECT_EQ(CodeOf(Session(named).Get(kConfigMaps, "default", "none")), ErrorCode::kNotFound);
  named.tls_server_name = "example.com";
  EXPECT_EQ(CodeOf(Session(named).Get(kConfigMaps, "default", "none")), ErrorCode::kUnavailable);
}

TEST(Credentials, ACertificateOfNoRightsIsForbidden) {
  const auto config = kclient::LoadKubeconfig({cluster().UserKubeconfig("jane", {"nobodies"})});
  ASSERT_TRUE(config) << config.error().message;
  const auto refused = Session(*config).Get(kConfigMaps, "default", "none");
  EXPECT_EQ(CodeOf(refused), ErrorCode::kForbidden);
  EXPECT_NE(refused.error().message.find("jane"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace vdcu::integration
