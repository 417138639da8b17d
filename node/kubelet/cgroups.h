// Whether any process is left in a pod's cgroup, and when the last has gone.
//
// Sources: the kubelet's cgroup names (cgroupfs: kubepods/burstable/pod<uid>; systemd:
// kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid, - as _>.slice, each name
// with its parents' before it); kernel documentation of cgroup v1 (pids.current) and v2
// (cgroup.events). In v1 the pids controller is asked: it counts all processes below, where
// cgroup.procs hides those of other PID namespaces, and a daemon without hostPID would see none.
//
// Promises: a pod whose cgroup is there and cannot be read counts as running; one without a cgroup
// as ended. Notifications come from inotify, which does not tell of a process that ends while its
// cgroup stays (v1): so while somebody waits, the waiting ones are looked at every second, too.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/loop.h"
#include "base/result.h"

namespace vdcu::kubelet {

class Cgroups {
 public:
  // `root` is the kubelet's cgroupRoot ("/"); `on_empty` is given the UID of a pod that was waited
  // for, when no process is left in it.
  Cgroups(base::Loop& loop, const base::Root& host, std::string root,
          std::function<void(const std::string& pod_uid)> on_empty);

  // Errors: kNotFound: there is no cgroup of any pod, nor the folder for them, below the root, so
  // that nothing that HasProcesses says could be believed.
  base::Status Check() const;
  bool HasProcesses(const std::string& pod_uid) const;
  // HasProcesses, and if so, on_empty once there are none.
  bool WaitForEnd(const std::string& pod_uid);

 private:
  std::vector<std::string> Folders(const std::string& pod_uid) const;
  void Look();
  void WatchAgain();

  base::Loop& loop_;
  const base::Root& host_;
  const std::string root_;
  const std::function<void(const std::string&)> on_empty_;
  std::set<std::string> waiting_;
  std::map<std::string, std::unique_ptr<base::Subscription>> watches_;  // by path
  base::TimerPtr timer_;
};

}  // namespace vdcu::kubelet
