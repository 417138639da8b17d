// Which node a daemon's token is of: what the token says, and where it names its pod only (before
// Kubernetes 1.30), the node of that pod, from a watch of the daemons' pods.
//
// The pod must be the very one, by its UID. Of what the watch has not shown nothing is known.
#pragma once

#include <string>

#include "base/loop.h"
#include "base/random.h"
#include "base/result.h"
#include "controller/webhook/review.h"
#include "kclient/api.h"
#include "kclient/core/meta.h"
#include "kclient/informer.h"

namespace vdcu::controller {

struct DaemonPod {
  kclient::ObjectMeta meta;
  std::string node;  // empty: not on one yet

  static base::Result<DaemonPod> FromJson(kclient::JsonView object);
};

// `pod`: that of the token, or null. Errors: kNotFound, why the node is not known.
base::Result<std::string> NodeOf(const Requester& daemon, const DaemonPod* pod);

class DaemonPods {
 public:
  // Those of the service account `account` in namespace `ns`.
  DaemonPods(kclient::Client& client, base::Loop& loop, std::string ns, const std::string& account,
             base::Random random);

  void Start() { pods_.Start(); }
  base::Result<std::string> NodeOf(const Requester& daemon) const;
  std::string NotReady() const { return pods_.NotReady(); }

 private:
  const std::string namespace_;
  kclient::Informer<DaemonPod> pods_;
};

}  // namespace vdcu::controller
