// Events about a container's admission, on its pod or on who makes such pods.
#pragma once

#include <string>

#include "kclient/event.h"
#include "node/plugin/identity.h"

namespace vdcu::node {

kclient::Event EventOnPod(const Asker& asker, kclient::EventType type, const std::string& reason,
                          const std::string& note);

// Who makes pods anew makes them without end, each with the message in its status: the event is
// one, as it is the same each time. The asker has an owner.
kclient::Event EventOnOwner(const Asker& asker, const Refusal& refusal, const std::string& node);

}  // namespace vdcu::node
