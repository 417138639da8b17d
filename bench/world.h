// A real control plane with simulated nodes: etcd, kube-apiserver, and one process that plays all
// node daemons (many_nodes.cc). The controller and the scheduler are started by each benchmark.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/connection.h"
#include "kclient/core/pod.h"
#include "kclient/informer.h"
#include "tests/world/control_plane.h"

namespace vdcu::bench {

class World {
 public:
  // `nodes` with 8 cards K100_AI each, all published and ready.
  explicit World(int nodes);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  base::UvLoop& loop() { return loop_; }
  Connection& connection() { return *connection_; }
  const std::string& folder() const { return plane_.cluster.folder(); }
  pid_t daemons() const { return daemons_->pid(); }
  // Of vdcu-controller, and of vdcu-node on `node`, which is registered now, not ready.
  const std::string& controller_kubeconfig() const { return plane_.kubeconfig; }
  std::string DaemonKubeconfig(const std::string& node);
  void DeleteNode(const std::string& node);
  // Of etcd or kube-apiserver.
  pid_t PidOf(const std::string& name) const;

  // Runs until it has placed nothing yet but is about to.
  std::unique_ptr<world::Background> StartController(const std::vector<std::string>& flags = {});
  // Without an extender, or with the one of a controller that serves it on this port of loopback.
  std::unique_ptr<world::Background> StartKubeScheduler(int extender_port = 0) const;

  // Pods of the namespace "default" as the watch shows them.
  const kclient::Store<kclient::Pod>& pods() const { return pods_->store(); }
  size_t bound() const { return bound_; }
  // Deletes all pods and partitions and waits until they are gone; where there are partitions, a
  // controller must run.
  void CleanUp();

 private:
  void WatchPods();
  nlohmann::json Partitions();

  base::UvLoop loop_;
  world::ControlPlane plane_{{}};
  std::string hosts_;
  std::unique_ptr<world::Background> daemons_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<kclient::Informer<kclient::Pod>> pods_;
  size_t bound_ = 0;
  int controllers_ = 0;  // started so far
};

// A pod of one slice, 15 % and 2000 MiB, for our scheduler; on `node` only, where it is given.
nlohmann::json SlicePod(const std::string& name, const std::string& node = "");
// A pod of one whole card on `node` for our scheduler.
nlohmann::json CardPod(const std::string& name, const std::string& node);
// A pod that asks the stock scheduler for one hygon.com/dcunum.
nlohmann::json StockPod(const std::string& name);
// A pod that asks the stock scheduler for what SlicePod asks for.
nlohmann::json StockSlicePod(const std::string& name);
kclient::Write CreatePod(const nlohmann::json& pod);
kclient::Write DeletePod(const kclient::Pod& pod);

}  // namespace vdcu::bench
