// A simulated machine (tests/machine) with cards, a node of a test's cluster; and the real
// vdcu-node on it, confined as its pod is: UID 0 without any capability, in a PID namespace of its
// own.
//
// Errors: none are returned; a machine that does not do what it is told aborts the test.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/world/api.h"
#include "tests/world/background.h"
#include "tests/world/cluster.h"
#include "tests/world/node_host.h"
#include "tests/world/process.h"

namespace vdcu::e2e {

class Machine : public world::NodeHost {
 public:
  struct Options {
    std::string name;
    hosts::HostOptions host;
  };

  // Boots it below the cluster's folder; the daemon does not run yet. What is put in the host's
  // /opt is in the machine's.
  Machine(const world::Cluster& cluster, const world::Api& api, const Options& options);
  ~Machine();

  // tests/machine/machine COMMAND DIR ARGUMENTS...
  void Do(const std::string& command, const std::vector<std::string>& arguments = {}) const;
  void RestartKubelet(const std::string& how = "kill") const;
  world::Output Exec(const std::vector<std::string>& command) const;
  pid_t Pid(const std::string& process) const;  // kubelet, containerd or init
  const std::string& dir() const { return dir_; }
  const std::string& cgroup() const { return cgroup_; }

  // Fields of KubeletConfiguration, as YAML, beside its own; the kubelet is started again.
  void ConfigureKubelet(const std::string& yaml) const;

  struct Start {
    std::vector<std::string> environment = {};  // NAME=VALUE
    std::string kubeconfig = "";                // empty: kubeconfig()
    std::vector<std::string> flags = {};        // beside those that it needs
  };
  void StartDaemon(const Start& start = {{}, "", {}});
  // A second one, while the first runs; what it said until it ended.
  world::Output RunSecondDaemon() const;
  void KillDaemon();                 // SIGKILL
  int StopDaemon();                  // SIGTERM; the exit code
  int WaitForDaemon();               // the exit code where it ends by itself
  void ReplaceDaemonBinary() const;  // by another file, as an upgrade does
  bool DaemonRuns();
  pid_t DaemonPid() const;  // of vdcu-node itself, as it is outside
  const std::string& kubeconfig() const { return kubeconfig_; }  // the daemon's
  bool Ready() const;                                            // says /readyz of the daemon
  std::string Metrics() const;                                   // empty without an answer
  std::string DaemonLog(size_t lines = 60) const;
  std::string DaemonLogFile() const { return dir_ + ".daemon.log"; }

  // When it registered with the kubelet, in seconds since 1970.
  std::vector<double> Registrations() const;

  nlohmann::json DcuNode() const;

 private:
  std::vector<std::string> DaemonCommand(const Start& start, const std::string& listen) const;
  std::string Get(const std::string& path) const;

  const world::Api& api_;
  const std::string dir_;
  std::string cgroup_;
  std::string kubeconfig_;
  std::string listen_;
  std::unique_ptr<world::Background> daemon_;
};

}  // namespace vdcu::e2e
