// Whether another plugin owns this node's cards, by its traces on the host and on the Node
// (other_owner.h).
//
// Promises: nothing on the host changes before it is known; with take_over the dead traces are
// removed once it is known that there are no others.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/loop.h"
#include "kclient/api.h"
#include "node/kubelet/cgroups.h"
#include "node/other_owner.h"

namespace vdcu::node {

class OwnerCheck {
 public:
  struct Sources {
    base::Loop& loop;
    kclient::Client& client;
    const base::Root& host;
    const kubelet::Cgroups& cgroups;
    const Slices& slices;  // ours
  };
  struct Options {
    std::string node;                         // its name
    std::string plugin_folder;                // the kubelet's, as this process sees it
    std::vector<std::string> resource_names;  // that this process registers
    bool take_over = false;
  };

  OwnerCheck(const Sources& sources, Options options);

  // Tries until the Node can be read. `done` runs once, in a later turn, and may destroy this
  // object. Errors: kForbidden, where another owns the cards; what keeps a trace from being
  // removed.
  void Run(std::function<void(const base::Status&)> done);

 private:
  void Read();
  void OnNode(const base::Result<kclient::JsonView>& node);
  base::Status Judge(const base::Result<kclient::JsonView>& node) const;
  std::vector<Trace> FindOnHost() const;
  std::vector<Trace> FindOnNode(kclient::JsonView node) const;

  const Sources sources_;
  const Options options_;
  std::function<void(const base::Status&)> done_;
  kclient::CallPtr call_;
  base::TimerPtr retry_timer_;
};

}  // namespace vdcu::node
