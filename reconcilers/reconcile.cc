#include "reconcilers/reconcile.h"

#include "reconcilers/dcunode.h"
#include "reconcilers/pod.h"
#include "reconcilers/reserved.h"

namespace vdcu::reconcilers {

Plan Reconcile(Cluster& cluster, const std::string& key, const PartitionInstant& at) {
  const std::string object = key.substr(key.find('/') + 1);
  if (key.starts_with("pod/")) return ReconcilePod(cluster, object, at);
  if (key.starts_with("line/")) return ReconcileLine(cluster, object, at);
  if (key.starts_with("dcunode/")) return ReconcileDcuNode(cluster, object, at);
  return ReconcilePartition(cluster, object, at);
}

}  // namespace vdcu::reconcilers
