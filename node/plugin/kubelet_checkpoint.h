// Which resources the kubelet has devices of, by its own checkpoint: of a kubelet that cannot be
// asked (node/kubelet/allocatable.h). It writes the file anew each time that it has taken in a
// plugin's list.
// Source: module k8s.io/kubernetes v1.20.15, pkg/kubelet/cm/devicemanager/manager.go,
// genericDeviceUpdateCallback and writeCheckpoint.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/file.h"
#include "base/file_stamp.h"
#include "base/result.h"

namespace vdcu::node {

class KubeletCheckpoint {
 public:
  explicit KubeletCheckpoint(const std::string& folder);  // the kubelet's device-plugins

  // The resource is about to be registered: what the file says now of it is of before.
  void Note(const std::string& resource);
  // Those that were noted, and of which the file names devices since. Errors: it cannot be read.
  base::Result<std::set<std::string>> Resources() const;

 private:
  const base::Root folder_;
  const std::string path_;
  std::map<std::string, base::FileStamp> noted_;  // by resource: of the file as it was then
};

}  // namespace vdcu::node
