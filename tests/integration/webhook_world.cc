#include "tests/integration/webhook_world.h"

#include "kclient/base64.h"
#include "tests/world/objects.h"

namespace vdcu::integration {

using nlohmann::json;
using world::kPods;
using world::Until;

namespace {

constexpr char kAdmission[] = "/apis/admissionregistration.k8s.io/v1/";
constexpr char kRbac[] = "/apis/rbac.authorization.k8s.io/v1/";

void Require(const world::Api::Answer& answer) {
  EXPECT_EQ(answer.code, 201) << answer.body.dump();
}

std::string PluralOf(bool mutating) {
  return std::string(kAdmission) + (mutating ? "mutating" : "validating") + "webhookconfigurations";
}

}  // namespace

WebhookWorld::WebhookWorld()
    : ControlPlane({.config = "plain", .apiserver_flags = "--enable-aggregator-routing=true"}) {
  Allow();
  MakeSecret();
  Configure("Fail");
}

WebhookWorld& WebhookWorld::One() {
  static WebhookWorld one;
  return one;
}

// What the chart allows the controller where it serves the webhook.
void WebhookWorld::Allow() const {
  const json account{
      {{"kind", "ServiceAccount"}, {"name", "vdcu-controller"}, {"namespace", "vdcu-system"}}};
  const auto grant = [&](const std::string& ns, const std::string& kind, const json& rules) {
    const std::string path = kRbac + (ns.empty() ? "" : "namespaces/" + ns + "/");
    const std::string plural = ns.empty() ? "clusterrole" : "role";
    const json meta{{"name", "webhook"}};
    Require(api.Call("POST", path + plural + "s", {{"metadata", meta}, {"rules", rules}}));
    Require(api.Call(
        "POST", path + plural + "bindings",
        {{"metadata", meta},
         {"subjects", account},
         {"roleRef",
          {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", kind}, {"name", "webhook"}}}}));
  };
  const auto rule = [](const std::string& group, const json& resources, const json& verbs) {
    return json{{"apiGroups", {group}},
                {"resources", resources},
                {"resourceNames", {"vdcu-webhook", "vdcu-gate"}},
                {"verbs", verbs}};
  };
  grant("vdcu-system", "Role", json::array({rule("", {"secrets"}, {"list", "watch", "patch"})}));
  grant("", "ClusterRole",
        json::array({rule("admissionregistration.k8s.io",
                          {"mutatingwebhookconfigurations", "validatingwebhookconfigurations"},
                          {"list", "watch", "patch"})}));
}

void WebhookWorld::MakeSecret() const {
  Require(api.Call("POST", kSecrets, {{"metadata", {{"name", "vdcu-webhook"}}}}));
}

void WebhookWorld::Configure(const std::string& failure_policy, const json& client) const {
  for (const bool mutating : {true, false}) {
    const std::string path = mutating ? "/pods/mutate" : "/pods/validate";
    json config = client;
    if (config.contains("service")) {
      config["service"]["path"] = path;
    } else {
      config["url"] = config["url"].get<std::string>() + path;
    }
    const json pods{{"apiGroups", {""}},
                    {"apiVersions", {"v1"}},
                    {"operations", {"CREATE"}},
                    {"resources", {"pods"}}};
    const json webhook{{"name", "pods.vdcu.io"},
                       {"clientConfig", config},
                       {"rules", json::array({pods})},
                       {"failurePolicy", failure_policy},
                       {"sideEffects", "None"},
                       {"timeoutSeconds", 5},
                       {"admissionReviewVersions", {"v1"}}};
    api.Call("DELETE", PluralOf(mutating) + "/vdcu-webhook");
    Require(
        api.Call("POST", PluralOf(mutating),
                 {{"metadata", {{"name", "vdcu-webhook"}}}, {"webhooks", json::array({webhook})}}));
  }
}

void WebhookWorld::Trust(const std::string& pem) const {
  for (const bool mutating : {true, false}) {
    json webhooks = api.Find(PluralOf(mutating), "vdcu-webhook")["webhooks"];
    webhooks[0]["clientConfig"]["caBundle"] = kclient::EncodeBase64(pem);
    const auto patched =
        api.Call("PATCH", PluralOf(mutating) + "/vdcu-webhook", {{"webhooks", webhooks}});
    EXPECT_EQ(patched.code, 200) << patched.body.dump();
  }
}

void WebhookWorld::Start() {
  controller =
      MakeController("controller", {"--webhook", "127.0.0.1:" + std::to_string(port),
                                    "--webhook-host", "127.0.0.1", "--webhook-schedulers",
                                    "volcano", "--listen", "127.0.0.1:" + std::to_string(listen)});
}

world::Api::Answer WebhookTest::Try(json pod) {
  pod["spec"].erase("schedulerName");
  return world().api.CallOnce("POST", std::string(kPods) + "?dryRun=All", pod);
}

std::string WebhookTest::SchedulerOf(const json& pod) {
  const auto answer = Try(pod);
  return answer.code == 201 ? answer.body["spec"]["schedulerName"].get<std::string>()
                            : answer.body.dump();
}

bool WebhookTest::SoonRefused(const std::string& why) {
  return Until([&] {
    const auto answer = Try(world::Pod("x", {{"dcunum", "1"}, {"dcucores", "101"}}));
    return answer.body.value("message", "").find(why) != std::string::npos;
  });
}

bool WebhookTest::SoonHasScheduler(const std::string& scheduler) {
  return Until([&] { return SchedulerOf(world::Pod("x", {{"dcunum", "1"}})) == scheduler; });
}

std::string WebhookTest::Certificate() {
  const json secret = world().api.Find(kSecrets, "vdcu-webhook");
  return secret.contains("data") ? secret["data"].value("tls.crt", "") : "";
}

std::vector<std::string> WebhookTest::Load::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  return failures_;
}

void WebhookTest::Load::Run() {
  while (!stop_) {
    const auto answer = Try(world::Pod("load", {{"dcunum", "1"}}));
    ++asked_;
    if (answer.code != 201) failures_.push_back(answer.body.dump());
  }
}

}  // namespace vdcu::integration
