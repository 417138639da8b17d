// JSON as an API server sends it, of the size that it has in real clusters.
#pragma once

#include <cstddef>
#include <string>

namespace vdcu::bench {

// A bound pod of about 10 KiB: managedFields, environment, probes, volumes, tolerations, status;
// one slice of a card.
std::string PodJson(size_t n);
// One like it that is bound to no node yet; kube-scheduler is to place it.
std::string WaitingPodJson(size_t n);
// Of all pods.
std::string NamespaceJson();
// The VDCUPartition of a bound pod, ready.
std::string PartitionJson(size_t n);
// A node and its DCUNode with 8 cards.
std::string NodeName(size_t n);
std::string NodeJson(size_t n);
std::string DcuNodeJson(size_t n);

}  // namespace vdcu::bench
