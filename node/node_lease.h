// The Lease of a node where no kubelet tells that its daemon lives: renewed every 10 seconds, for
// the controller to see.
//
// Promises: the Lease has the node's name and is made if it does not exist; what fails is tried
// again after a second; a Lease that was deleted or made anew is taken up again.
#pragma once

#include <string>

#include "base/loop.h"
#include "kclient/api.h"

namespace vdcu::node {

class NodeLease {
 public:
  NodeLease(kclient::Client& client, base::Loop& loop, std::string ns, std::string node);

  // Destroying it ends the renewing.
  void Start() { Read(); }

 private:
  void Read();
  void OnRead(const base::Result<kclient::JsonView>& lease);
  void Renew();
  void OnWritten(const base::Result<kclient::JsonView>& lease);
  void RetryLater(const base::Error& error);

  kclient::Client& client_;
  base::Loop& loop_;
  const std::string ns_;
  const std::string node_;
  std::string uid_;  // empty: it is to be read first
  bool failed_ = false;
  const base::TimerPtr timer_;
  kclient::CallPtr call_;
};

}  // namespace vdcu::node
