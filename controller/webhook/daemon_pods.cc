#include "controller/webhook/daemon_pods.h"

#include <utility>

#include "kclient/write.h"

namespace vdcu::controller {

base::Result<DaemonPod> DaemonPod::FromJson(kclient::JsonView object) {
  DaemonPod pod;
  ASSIGN_OR_RETURN(pod.meta,
                   kclient::ParseMeta(object, {.labels = false, .annotation_prefixes = {}}));
  pod.meta.owner_references.clear();
  if (const auto spec = kclient::Get(object, "spec")) {
    pod.node = kclient::GetStringOr(*spec, "nodeName");
  }
  return pod;
}

base::Result<std::string> NodeOf(const Requester& daemon, const DaemonPod* pod) {
  if (!daemon.node.empty()) return daemon.node;
  if (daemon.pod.empty() || daemon.pod_uid.empty()) {
    return base::NotFound("it names no pod: run vdcu-node as a pod, with a projected token");
  }
  if (pod == nullptr || pod->meta.uid != daemon.pod_uid || pod->node.empty()) {
    return base::NotFound("it names pod " + daemon.pod + " of UID " + daemon.pod_uid +
                          ", of which vdcu-controller knows no node");
  }
  return pod->node;
}

DaemonPods::DaemonPods(kclient::Client& client, base::Loop& loop, std::string ns,
                       const std::string& account, base::Random random)
    : namespace_(std::move(ns)),
      pods_(client, loop,
            {.resource = kclient::kPods,
             .ns = namespace_,
             .field_selector = "spec.serviceAccountName=" + account,
             .label_selector = ""},
            std::move(random)) {}

base::Result<std::string> DaemonPods::NodeOf(const Requester& daemon) const {
  const auto pod = pods_.store().Get(namespace_ + "/" + daemon.pod);
  return controller::NodeOf(daemon, pod.get());
}

}  // namespace vdcu::controller
