#include "tests/world/refusals.h"

#include <sstream>
#include <utility>

#include "base/check.h"

namespace vdcu::world {

using nlohmann::json;

namespace {

const std::string kPolicies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const std::string kBindings = kPolicies.substr(0, kPolicies.size() - 3) + "ybindings";
constexpr char kCounted[] = "count/vdcupartitions.vdcu.io";

void Require(const Api::Answer& answer) { CHECK(answer.code < 300, answer.body.dump()); }

json Object(const std::string& api_version, const std::string& kind, const std::string& name,
            const json& spec) {
  return {
      {"apiVersion", api_version}, {"kind", kind}, {"metadata", {{"name", name}}}, {"spec", spec}};
}

}  // namespace

Policy::Policy(const Api& api, std::string name, const Rule& rule,
               const std::function<bool()>& refuses)
    : api_(api), name_(std::move(name)) {
  const json matches = {{"apiGroups", {rule.group}},
                        {"apiVersions", {"*"}},
                        {"operations", {rule.operation}},
                        {"resources", {rule.resource}}};
  const json validation = {{"expression", rule.expression}, {"message", "refused by " + name_}};
  const std::string version = "admissionregistration.k8s.io/v1";
  Require(api_.Call("POST", kPolicies,
                    Object(version, "ValidatingAdmissionPolicy", name_,
                           {{"failurePolicy", "Fail"},
                            {"matchConstraints", {{"resourceRules", json::array({matches})}}},
                            {"validations", json::array({validation})}})));
  Require(api_.Call("POST", kBindings,
                    Object(version, "ValidatingAdmissionPolicyBinding", name_,
                           {{"policyName", name_}, {"validationActions", {"Deny"}}})));
  CHECK(Until(refuses), "policy " + name_ + " does not refuse");
}

Policy::~Policy() {
  api_.Call("DELETE", kBindings + "/" + name_);
  api_.Call("DELETE", kPolicies + "/" + name_);
}

Namespace::Namespace(const Api& api, std::string name) : api_(api), name_(std::move(name)) {
  api_.Call("POST", "/api/v1/namespaces", Object("v1", "Namespace", name_, json::object()));
}

Namespace::~Namespace() {
  RemoveQuota();
  api_.Call("DELETE", Pods() + "?gracePeriodSeconds=0");
  api_.Call("DELETE", Partitions());
  CHECK(Until([&] { return api_.List(Partitions()).empty(); }), "partitions stay in " + name_);
}

std::string Namespace::Path(const std::string& group_version, const std::string& plural) const {
  return group_version + "/namespaces/" + name_ + "/" + plural;
}

void Namespace::SetQuota(int most) const {
  const json hard = {{kCounted, std::to_string(most)}};
  const std::string path = Path("/api/v1", "resourcequotas");
  Require(api_.Call("POST", path, Object("v1", "ResourceQuota", "quota", {{"hard", hard}})));
  Require(api_.Call("PATCH", path + "/quota/status",
                    {{"status", {{"hard", hard}, {"used", {{kCounted, "0"}}}}}}));
}

void Namespace::RemoveQuota() const {
  api_.Call("DELETE", Path("/api/v1", "resourcequotas") + "/quota");
}

int64_t CountAnswers(const Api& api, const std::string& verb, const std::string& what, int code) {
  const size_t slash = what.find('/');
  const std::string labels[] = {
      "verb=\"" + verb + "\"", "code=\"" + std::to_string(code) + "\"",
      ",resource=\"" + what.substr(0, slash) + "\"",
      "subresource=\"" + (slash == std::string::npos ? "" : what.substr(slash + 1)) + "\""};
  int64_t sum = 0;
  std::istringstream lines(api.Metrics());
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("apiserver_request_total{")) continue;
    bool all = true;
    for (const std::string& label : labels) all = all && line.find(label) != std::string::npos;
    if (all) sum += std::stoll(line.substr(line.rfind(' ')));
  }
  return sum;
}

}  // namespace vdcu::world
