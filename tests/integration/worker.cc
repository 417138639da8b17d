#include "tests/integration/worker.h"

#include <filesystem>
#include <sstream>
#include <system_error>

#include "base/check.h"

namespace vdcu::integration {

using hosts::SimulatedHost;
using nlohmann::json;

namespace {

constexpr char kNodes[] = "/api/v1/nodes";
constexpr char kDcuNodes[] = "/apis/vdcu.io/v1alpha1/dcunodes";

std::string LastLines(const std::string& path) {
  return RunProgram({"tail", "-n", "40", path}).text;
}

}  // namespace

Worker::Worker(const Cluster& cluster, const Api& api, const std::string& name,
               const hosts::HostOptions& options)
    : cluster_(cluster),
      api_(api),
      name_(name),
      host_(SimulatedHost::Create(cluster.folder() + "/" + name, options).value()) {
  Register();
  Start();
}

void Worker::Register() {
  const json resources{
      {"cpu", "32"}, {"memory", "256Gi"}, {"ephemeral-storage", "500Gi"}, {"pods", "110"}};
  const json ready{{"type", "Ready"}, {"status", "True"}, {"reason", "SimulatedNode"}};
  const json node{{"apiVersion", "v1"},
                  {"kind", "Node"},
                  {"metadata", {{"name", name_}, {"labels", {{"kubernetes.io/hostname", name_}}}}},
                  {"status",
                   {{"capacity", resources},
                    {"allocatable", resources},
                    {"conditions", json::array({ready})}}}};
  Api::Answer answer = api_.Call("POST", kNodes, node);
  CHECK(answer.code == 201, answer.body.dump());
  // The admission of a new node taints it, and no controller is there to lift that.
  answer = api_.Call("PATCH", std::string(kNodes) + "/" + name_, {{"spec", {{"taints", nullptr}}}});
  CHECK(answer.code == 200, answer.body.dump());
  kubeconfig_ = cluster_.TokenKubeconfig("vdcu-system", "vdcu-node", name_);
}

void Worker::Start() {
  daemon_ = std::make_unique<Background>(
      std::vector<std::string>{VDCU_NODE_BINARY, "--kubeconfig", kubeconfig_, "--node-name", name_,
                               "--host-root", folder(), "--kubelet-dir", "", "--advertise"},
      folder() + ".log");
}

json Worker::DcuNode() const {
  json object = api_.Find(kDcuNodes, name_);
  if (!object.contains("status")) object["status"] = json::object();
  return object;
}

bool Worker::Published() const {
  const json status = DcuNode()["status"];
  const json node = api_.Find(kNodes, name_);
  const size_t cards = host_.cards().size();
  return status.contains("devices") && status["devices"].size() == cards && node.is_object() &&
         node["status"]["allocatable"].value("hygon.com/dcunum", "") == std::to_string(4 * cards);
}

std::map<std::string, std::string> Worker::Files() const {
  std::map<std::string, std::string> files;
  for (const char* top : {"/etc/vdev", "/var/lib/vdcu"}) {
    // The daemon may take away what is being looked at.
    std::error_code error;
    std::filesystem::recursive_directory_iterator at(folder() + top, error);
    for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
      std::error_code gone;
      if (!at->is_regular_file(gone) || gone) continue;
      const std::string path = at->path().string().substr(folder().size());
      if (const auto bytes = host_.root().Read(path)) files[path] = *bytes;
    }
  }
  return files;
}

std::string Worker::Log() const { return LastLines(folder() + ".log"); }

std::string Worker::VdevFile(const json& assignment) const {
  const hosts::Card* card = nullptr;
  for (const hosts::Card& other : host_.cards()) {
    if (host_.Uuid(other.index) == assignment["device"]) card = &other;
  }
  CHECK(card != nullptr, assignment.dump());
  std::string mebibytes = assignment["memory"];
  CHECK(mebibytes.ends_with("Mi"), mebibytes);
  mebibytes.resize(mebibytes.size() - 2);
  std::ostringstream file;
  file << "PciBusId: " << card->pci_bus_id
       << "\ncu_mask: " << assignment["cuMasks"][0].get<std::string>()
       << "\ncu_mask: " << assignment["cuMasks"][1].get<std::string>()
       << "\ncu_count: " << assignment["computeUnits"] << "\nmem: " << mebibytes
       << " MiB\ndevice_id: 0\nvdev_id: " << assignment["vdev"]
       << "\npipe_id: " << assignment["pipe"] << "\nenable: 1\n";
  return file.str();
}

}  // namespace vdcu::integration
