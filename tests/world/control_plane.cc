#include "tests/world/control_plane.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/world/paths.h"
#include "tests/world/process.h"

namespace vdcu::world {

using nlohmann::json;

ControlPlane::ControlPlane(const Options& options)
    : cluster(options.with, options.audit ? Source("tests/world/audit.yaml") : "",
              options.apiserver_flags),
      api(cluster),
      kubeconfig((cluster.Install(options.config),
                  cluster.TokenKubeconfig("vdcu-system", "vdcu-controller"))) {}

std::unique_ptr<Background> ControlPlane::MakeController(const std::string& name,
                                                         const std::vector<std::string>& flags,
                                                         const std::string& with) const {
  // Its command line names the cluster's folder: by that a test finds what belongs to it.
  std::vector<std::string> arguments{ControllerBinary(), "--kubeconfig",
                                     with.empty() ? kubeconfig : with};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return std::make_unique<Background>(arguments, cluster.folder() + "/" + name + ".log");
}

bool ControlPlane::StartController() {
  if (controller && controller->Wait(base::Duration(0)) == -1) return false;
  controller = MakeController("controller");
  return true;
}

std::string ControlPlane::LogOf(const std::string& name) const {
  return RunProgram({"tail", "-n", "60", cluster.folder() + "/" + name + ".log"}).text;
}

std::vector<std::string> ControlPlane::RequestsAbout(const std::set<std::string>& names) const {
  const std::string kUsers = "system:serviceaccount:vdcu-system:";
  std::vector<std::string> found;
  std::ifstream log(cluster.audit_log());
  for (std::string line; std::getline(log, line);) {
    const json event = json::parse(line, nullptr, false);
    if (event.is_discarded()) break;  // it is being written
    const json& object = event["objectRef"];
    if (!names.contains(object.value("name", ""))) continue;
    const std::string part = object.value("subresource", "");
    found.push_back(event["user"]["username"].get<std::string>().substr(kUsers.size()) + " " +
                    event["verb"].get<std::string>() + " " + object["resource"].get<std::string>() +
                    (part.empty() ? "" : "/" + part));
  }
  return found;
}

}  // namespace vdcu::world
