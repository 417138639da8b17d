#include "node/keys.h"

namespace vdcu::node {

namespace {

bool Uses(const crds::VdcuPartition& partition, const std::set<std::string>& pods) {
  const auto& pod_ref = partition.spec.pod_ref;
  const auto& used_by = partition.status.used_by;
  return (pod_ref && pods.contains(pod_ref->uid)) || (used_by && pods.contains(used_by->uid));
}

}  // namespace

bool IsWaiting(const crds::VdcuPartition& partition, const Holdings& holdings) {
  return partition.assigned() && !partition.meta.deleting() &&
         holdings.Find(partition.meta.uid) == nullptr;
}

std::set<kclient::Key> KeysOf(const Noted& noted, const NodeState& state) {
  std::set<kclient::Key> keys;
  const auto add = [&keys](const std::string& partition) {
    keys.insert(kclient::MakeKey(kPartition, partition));
  };
  for (const std::string& partition : noted.partitions) add(partition);
  const bool all = noted.cards || noted.disk || noted.serving;
  for (const auto& [key, partition] : state.partitions.objects()) {
    const bool waits = !noted.released.empty() && IsWaiting(*partition, state.holdings);
    if (all || waits || Uses(*partition, noted.pods)) add(key);
  }
  for (const auto& [uid, slice] : state.holdings.slices()) {
    if (all || (slice.pod && noted.pods.contains(slice.pod->uid))) add(slice.key());
  }
  const bool published = noted.slices || !noted.released.empty() || noted.dcunode;
  if (all || published) keys.insert({kDcuNode, {}, state.node});
  if (state.nodes != nullptr && (noted.cards || noted.node)) keys.insert({kNode, {}, state.node});
  return keys;
}

}  // namespace vdcu::node
