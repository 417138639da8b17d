#include "reconcilers/reconcile.h"

#include "reconcilers/dcunode.h"
#include "reconcilers/pod.h"
#include "reconcilers/reserved.h"

namespace vdcu::reconcilers {

Plan Reconcile(const Cluster& cluster, const Key& key, const PartitionInstant& at) {
  const std::string object = key.object();
  if (key.kind == kPod) return ReconcilePod(cluster, object, at);
  if (key.kind == kLine) return ReconcileLine(cluster, object, at);
  if (key.kind == kDcuNode) return ReconcileDcuNode(cluster, object, at);
  return ReconcilePartition(cluster, object, at);
}

}  // namespace vdcu::reconcilers
