#include "tests/world/cluster.h"

#include <cstdlib>
#include <filesystem>

#include "base/check.h"
#include "tests/world/test_folder.h"

namespace vdcu::world {

namespace {

std::string MakeFolder() {
  static int count = 0;
  std::string path = TestFolder() + "/" + std::to_string(++count);
  std::filesystem::create_directory(path);
  return path;
}

}  // namespace

Cluster::Cluster(const std::vector<std::string>& with, const std::string& audit_policy,
                 const std::string& apiserver_flags)
    : folder_(MakeFolder()) {
  std::vector<std::string> arguments{"up"};
  std::string names;
  for (const std::string& name : with) (names += names.empty() ? "" : ",") += name;
  if (!names.empty()) arguments.insert(arguments.end(), {"--with", names});
  if (!audit_policy.empty()) arguments.insert(arguments.end(), {"--audit", audit_policy});
  if (!apiserver_flags.empty()) {
    arguments.insert(arguments.end(), {"--apiserver-flags", apiserver_flags});
  }
  Script(std::move(arguments));
}

Cluster::~Cluster() {
  Script({"down"});
  std::filesystem::remove_all(folder_);
}

// The command's first argument is the cluster's folder.
void Cluster::Script(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin() + 1, folder_ + "/c");
  arguments.insert(arguments.begin(), VDCU_SOURCE_DIR "/tests/cluster/cluster");
  const Output output = RunProgram(arguments);
  CHECK(output.exit_code == 0, "tests/cluster/cluster " + arguments[1] + ": " + output.text);
}

void Cluster::Install(const std::string& which) const {
  // tools/compat makes what older Kubernetes takes.
  const char* older = std::getenv("VDCU_WORLD_CONFIG");
  const std::string folder = older != nullptr ? older : VDCU_SOURCE_DIR "/tests/world/config";
  const std::vector<std::vector<std::string>> commands = {
      {"apply", "-k", folder + "/" + which},
      {"wait", "--for=condition=Established", "crd", "--all", "--timeout=180s"}};
  for (const auto& command : commands) {
    const Output output = Kubectl(command);
    CHECK(output.exit_code == 0, output.text);
  }
}

Output Cluster::Kubectl(std::vector<std::string> arguments, std::string_view input) const {
  arguments.insert(arguments.begin(), folder_ + "/c/kubectl");
  return RunProgram(arguments, input);
}

std::string Cluster::UserKubeconfig(const std::string& user,
                                    const std::vector<std::string>& groups) const {
  const std::string path = folder_ + "/user-" + user;
  std::vector<std::string> arguments{"user-kubeconfig", path, user};
  arguments.insert(arguments.end(), groups.begin(), groups.end());
  Script(std::move(arguments));
  return path;
}

std::string Cluster::TokenKubeconfig(const std::string& ns, const std::string& account,
                                     const std::string& node) const {
  const std::string path =
      folder_ + "/token-" + ns + "-" + account + (node.empty() ? "" : "-" + node);
  std::vector<std::string> arguments{"token-kubeconfig", path, ns, account};
  if (!node.empty()) arguments.push_back(node);
  Script(std::move(arguments));
  return path;
}

}  // namespace vdcu::world
