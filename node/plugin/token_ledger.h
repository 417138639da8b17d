// Which device ids the kubelet's containers have, and which containers that hold a slice have lost
// theirs, as the kubelet's lists say.
//
// Promises: what the kubelet does not answer stays as it is known; a container that has lost its
// device is reported once, by an event on its pod.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "kclient/event.h"
#include "node/changes.h"
#include "node/plugin/lost_devices.h"
#include "node/plugin/pod_search.h"

namespace vdcu::node {

class TokenLedger {
 public:
  struct Sources {
    PodSearch::Sources pods;
    const Slices& slices;             // what is held
    Changes& changes;                 // in InUse, and pods for which IsLost is other
    std::set<std::string> resources;  // that are registered
    std::function<bool(const std::string& pod_uid)> has_processes;
    std::function<void(kclient::Event)> tell;
  };

  explicit TokenLedger(Sources sources)
      : sources_(std::move(sources)), searches_(sources_.pods, [] {}) {}

  // Asks the kubelet.
  void Refresh();
  // Again where the kubelet did not list all: it had just started.
  void RefreshRest() {
    if (unsure_) Refresh();
  }
  // What another has asked the kubelet.
  void Learn(const kubelet::Listing& listing);
  // What the kubelet is about to be answered, and will list.
  void Give(const std::string& resource, const std::vector<std::string>& ids);

  // Ids that containers have, as far as is known.
  std::set<std::string> InUse(const std::string& resource) const;
  // The kubelet has no device for a container that holds a slice: it cannot be started again.
  bool IsLost(const crds::PodRef& container) const { return lost_.contains(container); }

 private:
  PodSearch::Next FindLost(const PodSearch& search);
  void SetLost(const std::vector<Asker>& containers);
  void Tell(const Asker& container);

  const Sources sources_;
  std::map<std::string, std::set<std::string>> in_use_;  // by resource
  std::set<crds::PodRef> lost_;
  bool unsure_ = false;
  PodSearches searches_;
};

}  // namespace vdcu::node
