#include "tests/world/worker.h"

#include <utility>

#include "base/check.h"
#include "tests/world/paths.h"

namespace vdcu::world {

using nlohmann::json;

namespace {

constexpr char kNodes[] = "/api/v1/nodes";
constexpr char kDcuNodes[] = "/apis/vdcu.io/v1alpha1/dcunodes";

std::string LastLines(const std::string& path) {
  return RunProgram({"tail", "-n", "40", path}).text;
}

}  // namespace

Worker::Worker(const Cluster& cluster, const Api& api, const std::string& name,
               const hosts::HostOptions& options, std::vector<std::string> flags)
    : NodeHost(name, cluster.folder() + "/" + name, options),
      cluster_(cluster),
      api_(api),
      flags_(std::move(flags)) {
  Register();
  Start();
}

void Worker::Register() {
  const json resources{
      {"cpu", "32"}, {"memory", "256Gi"}, {"ephemeral-storage", "500Gi"}, {"pods", "110"}};
  const json ready{{"type", "Ready"}, {"status", "True"}, {"reason", "SimulatedNode"}};
  const json node{
      {"apiVersion", "v1"},
      {"kind", "Node"},
      {"metadata", {{"name", name()}, {"labels", {{"kubernetes.io/hostname", name()}}}}},
      {"status",
       {{"capacity", resources},
        {"allocatable", resources},
        {"conditions", json::array({ready})}}}};
  Api::Answer answer = api_.Call("POST", kNodes, node);
  CHECK(answer.code == 201, answer.body.dump());
  // The admission of a new node taints it, and no controller is there to lift that.
  answer =
      api_.Call("PATCH", std::string(kNodes) + "/" + name(), {{"spec", {{"taints", nullptr}}}});
  CHECK(answer.code == 200, answer.body.dump());
  kubeconfig_ = cluster_.TokenKubeconfig("vdcu-system", "vdcu-node", name());
}

void Worker::Start() {
  std::vector<std::string> command{NodeBinary(), "--kubeconfig", kubeconfig_, "--node-name",
                                   name(),       "--host-root",  folder(),    "--kubelet-dir",
                                   "",           "--advertise"};
  command.insert(command.end(), flags_.begin(), flags_.end());
  daemon_ = std::make_unique<Background>(command, folder() + ".log");
}

json Worker::DcuNode() const {
  json object = api_.Find(kDcuNodes, name());
  if (!object.contains("status")) object["status"] = json::object();
  return object;
}

bool Worker::Published() const {
  const json status = DcuNode()["status"];
  const json node = api_.Find(kNodes, name());
  const size_t cards = host().cards().size();
  return status.contains("devices") && status["devices"].size() == cards && node.is_object() &&
         node["status"]["allocatable"].value("hygon.com/dcunum", "") == std::to_string(4 * cards);
}

std::string Worker::Log() const { return LastLines(folder() + ".log"); }

}  // namespace vdcu::world
