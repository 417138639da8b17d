#include "crds/writes.h"

#include <utility>

#include "crds/keys.h"
#include "crds/resources.h"

namespace vdcu::crds {

nlohmann::json FinalizersWithoutOurs(const kclient::ObjectMeta& partition) {
  nlohmann::json finalizers = nlohmann::json::array();
  for (const std::string& finalizer : partition.finalizers) {
    if (finalizer != kFinalizer) finalizers.push_back(finalizer);
  }
  return finalizers;
}

kclient::Write PatchPartition(const kclient::ObjectMeta& partition, std::string_view subresource,
                              nlohmann::json patch) {
  return kclient::MakePatch(kVdcuPartitions, partition.ns, partition.name, subresource,
                            std::move(patch), partition.uid, partition.resource_version);
}

kclient::Event PartitionEvent(const kclient::ObjectMeta& partition, kclient::EventType type,
                              std::string reason, std::string action, std::string note) {
  return {{std::string(kApiVersion), std::string(kVdcuPartitions.kind), partition.ns,
           partition.name, partition.uid},
          type,
          std::move(reason),
          std::move(action),
          std::move(note)};
}

}  // namespace vdcu::crds
