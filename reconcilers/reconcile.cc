#include "reconcilers/reconcile.h"

#include "reconcilers/dcunode.h"
#include "reconcilers/pod.h"
#include "reconcilers/pod_group.h"
#include "reconcilers/reserved.h"

namespace vdcu::reconcilers {

Plan Reconcile(const View& view, const Key& key, const PartitionInstant& at) {
  const std::string object = key.object();
  if (key.kind == kPod) return ReconcilePod(view, object, at);
  if (key.kind == kPodGroup) return ReconcilePodGroup(view, object, at);
  if (key.kind == kLine) return ReconcileLine(view, object, at);
  if (key.kind == kDcuNode) return ReconcileDcuNode(view, object, at);
  return ReconcilePartition(view, object, at);
}

}  // namespace vdcu::reconcilers
