// Writes and events about a VDCUPartition that more than one part makes.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "kclient/core/meta.h"
#include "kclient/event.h"
#include "kclient/write.h"

namespace vdcu::crds {

// metadata.finalizers without ours: an array.
nlohmann::json FinalizersWithoutOurs(const kclient::ObjectMeta& partition);

// A merge patch of the object as it was seen; `subresource` is empty or "status".
kclient::Write PatchPartition(const kclient::ObjectMeta& partition, std::string_view subresource,
                              nlohmann::json patch);

kclient::Event PartitionEvent(const kclient::ObjectMeta& partition, kclient::EventType type,
                              std::string reason, std::string action, std::string note);

}  // namespace vdcu::crds
