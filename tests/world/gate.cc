#include "tests/world/gate.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "kclient/base64.h"
#include "tests/world/process.h"

namespace vdcu::world {

using nlohmann::json;

namespace {

constexpr char kConfigurations[] =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
constexpr char kName[] = "vdcu-gate";

}  // namespace

Gate::Gate(const Cluster& cluster) : cluster_(cluster) {
  const Output made = RunProgram(
      {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
       "-nodes", "-keyout", cluster.folder() + "/gate.key", "-out", certificate(), "-subj",
       "/CN=gate", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"});
  EXPECT_EQ(made.exit_code, 0) << made.text;
}

std::vector<std::string> Gate::Flags() const {
  return {"--webhook",     "127.0.0.1:" + std::to_string(port_), "--webhook-cert", certificate(),
          "--webhook-key", cluster_.folder() + "/gate.key"};
}

void Gate::Configure(const Api& api, const std::string& user) const {
  std::ifstream file(certificate());
  const std::string ca{std::istreambuf_iterator<char>(file), {}};
  const json rule{{"apiGroups", {""}},
                  {"apiVersions", {"v1"}},
                  {"operations", {"CREATE"}},
                  {"resources", {"pods/binding", "bindings"}}};
  const json webhook{
      {"name", "bindings.vdcu.io"},
      {"admissionReviewVersions", {"v1"}},
      {"sideEffects", "NoneOnDryRun"},
      {"failurePolicy", "Ignore"},
      {"timeoutSeconds", 10},
      {"clientConfig", {{"url", Url()}, {"caBundle", kclient::EncodeBase64(ca)}}},
      {"matchConditions",
       {{{"name", "schedulers"}, {"expression", "request.userInfo.username == '" + user + "'"}}}},
      {"rules", json::array({rule})}};
  const auto answer =
      api.Call("POST", kConfigurations,
               {{"metadata", {{"name", kName}}}, {"webhooks", json::array({webhook})}});
  EXPECT_EQ(answer.code, 201) << answer.body.dump();
}

void Gate::Remove(const Api& api) const {
  api.Call("DELETE", std::string(kConfigurations) + "/" + kName);
}

}  // namespace vdcu::world
