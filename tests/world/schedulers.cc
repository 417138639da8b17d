#include "tests/world/schedulers.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/world/http.h"
#include "tests/world/paths.h"
#include "tests/world/process.h"

namespace vdcu::world {

using nlohmann::json;

namespace {

std::string BuildVolcano() {
  const Output output = RunProgram({Source("tests/volcano/build")});
  EXPECT_EQ(output.exit_code, 0) << output.text;
  const std::string text = output.text.substr(0, output.text.find_last_not_of('\n') + 1);
  return text.substr(text.rfind('\n') + 1);
}

// Units and memory of cards are ours to count.
json ManagedResources() {
  json resources = json::array();
  for (const char* name : {"dcunum", "hcunum", "dcumem", "dcucores", "hcumem", "hcucores"}) {
    resources.push_back({{"name", std::string("hygon.com/") + name},
                         {"ignoredByScheduler", !std::string(name).ends_with("num")}});
  }
  return resources;
}

}  // namespace

void AllowAddress(const Api& api, const std::string& service) {
  const std::string path = "/apis/rbac.authorization.k8s.io/v1/namespaces/vdcu-system/";
  const json meta{{"name", service}};
  const json create{{"apiGroups", {"discovery.k8s.io"}},
                    {"resources", {"endpointslices"}},
                    {"verbs", {"create"}}};
  json patch = create;
  patch["resourceNames"] = {service};
  patch["verbs"] = {"get", "patch"};
  const json subject{
      {"kind", "ServiceAccount"}, {"name", "vdcu-controller"}, {"namespace", "vdcu-system"}};
  const json role{{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", service}};
  api.Call("POST", path + "roles", {{"metadata", meta}, {"rules", json::array({create, patch})}});
  api.Call("POST", path + "rolebindings",
           {{"metadata", meta}, {"subjects", json::array({subject})}, {"roleRef", role}});
}

std::unique_ptr<Background> StartKubeScheduler(const Cluster& cluster, const json& parts) {
  json config{{"apiVersion", "kubescheduler.config.k8s.io/v1"},
              {"kind", "KubeSchedulerConfiguration"},
              {"leaderElection", {{"leaderElect", false}}},
              {"clientConnection", {{"kubeconfig", cluster.admin_kubeconfig()}}}};
  config.update(parts);
  const std::string path = cluster.folder() + "/kube-scheduler.yaml";
  std::ofstream(path) << config.dump();
  return std::make_unique<Background>(
      std::vector<std::string>{cluster.folder() + "/c/bin/kube-scheduler", "--config", path,
                               "--secure-port=0"},
      cluster.folder() + "/kube-scheduler.log");
}

KubeExtender::KubeExtender(const Cluster& cluster) : cluster_(cluster) {
  const std::string make = R"(
    openssl req -x509 -newkey rsa:3072 -nodes -days 3650 -subj /CN=vdcu-extender-ca \
      -keyout ca.key -out ca.crt
    for name in server client; do
      openssl req -newkey rsa:3072 -nodes -subj /CN=vdcu-extender-$name \
        -keyout $name.key -out $name.csr
      openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 \
        -out $name.crt -extfile <(echo "subjectAltName=IP:127.0.0.1
    extendedKeyUsage=${name}Auth")
    done)";
  const Output output = RunProgram({"bash", "-ec", "cd '" + cluster.folder() + "'" + make});
  EXPECT_EQ(output.exit_code, 0) << output.text;
}

std::vector<std::string> KubeExtender::Flags() const {
  return {
      "--extender",         ":" + std::to_string(port_), "--extender-tls-cert",  Pem("server.crt"),
      "--extender-tls-key", Pem("server.key"),           "--extender-client-ca", Pem("ca.crt")};
}

std::unique_ptr<Background> KubeExtender::StartScheduler() const {
  const json tls{
      {"caFile", Pem("ca.crt")}, {"certFile", Pem("client.crt")}, {"keyFile", Pem("client.key")}};
  const json extender{{"urlPrefix", "https://127.0.0.1:" + std::to_string(port_) + "/kube"},
                      {"filterVerb", "filter"},
                      {"preemptVerb", "preempt"},
                      {"bindVerb", "bind"},
                      {"nodeCacheCapable", true},
                      {"httpTimeout", "30s"},
                      {"tlsConfig", tls},
                      {"managedResources", ManagedResources()}};
  return StartKubeScheduler(
      cluster_, {{"profiles", {{{"schedulerName", "vdcu-kube"}}}}, {"extenders", {extender}}});
}

Volcano::Volcano(const Cluster& cluster) : cluster_(cluster), binaries_(BuildVolcano()) {
  const Output installed =
      cluster.Kubectl({"apply", "--server-side", "-f", binaries_ + "/../crds"});
  EXPECT_EQ(installed.exit_code, 0) << installed.text;
  const Output served =
      cluster.Kubectl({"wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"});
  EXPECT_EQ(served.exit_code, 0) << served.text;
}

// A call that is none is answered so by who leads, and by nobody else.
bool Volcano::Leads() const {
  constexpr int kMalformed = 400;
  const HttpAnswer answer =
      Fetch({.method = "POST",
             .url = "http://127.0.0.1:" + std::to_string(port_) + "/volcano/predicate",
             .body = "none"});
  return answer.code == kMalformed;
}

void Volcano::StartControllers() {
  controllers_ = Start("controller-manager", {"--scheduler-name", "volcano"});
}

void Volcano::StartScheduler(const std::string& arguments) {
  scheduler_.reset();
  const std::string plugin = R"(
  - name: extender
    arguments:
      extender.urlPrefix: http://127.0.0.1:)" +
                             std::to_string(port_) + R"(/volcano
      extender.httpTimeout: 5s)" +
                             arguments + "\n";
  const std::string path = cluster_.folder() + "/volcano-scheduler.conf";
  std::ofstream(path) << R"(
actions: "enqueue, allocate, backfill"
tiers:
- plugins:
  - name: priority
  - name: gang
  - name: conformance
- plugins:
  - name: drf
  - name: deviceshare
    arguments:
      deviceshare.VDCUEnable: true
  - name: predicates
  - name: proportion
  - name: nodeorder
  - name: binpack
)" << (arguments.empty() ? "" : plugin);
  scheduler_ = Start("scheduler", {"--scheduler-conf", path, "--cache-dumper=false", "-v", "1"});
}

std::unique_ptr<Background> Volcano::Start(const std::string& name,
                                           const std::vector<std::string>& flags) const {
  std::vector<std::string> command{
      binaries_ + "/" + name,      "--kubeconfig",
      cluster_.admin_kubeconfig(), "--leader-elect=false",
      "--listen-address",          "127.0.0.1:" + std::to_string(FreePort()),
      "--healthz-address",         "127.0.0.1:" + std::to_string(FreePort())};
  command.insert(command.end(), flags.begin(), flags.end());
  return std::make_unique<Background>(command, cluster_.folder() + "/" + name + ".log");
}

}  // namespace vdcu::world
