#include "node/plugin/admission_events.h"

namespace vdcu::node {

namespace {
constexpr char kAction[] = "Allocating";
}  // namespace

kclient::Event EventOnPod(const Asker& asker, kclient::EventType type, const std::string& reason,
                          const std::string& note) {
  return {.regarding = {.api_version = "v1",
                        .kind = "Pod",
                        .ns = asker.ns,
                        .name = asker.pod.name,
                        .uid = asker.pod.uid},
          .type = type,
          .reason = reason,
          .action = kAction,
          .note = note};
}

kclient::Event EventOnOwner(const Asker& asker, const Refusal& refusal, const std::string& node) {
  return {.regarding = {.api_version = asker.owner->api_version,
                        .kind = asker.owner->kind,
                        .ns = asker.ns,
                        .name = asker.owner->name,
                        .uid = asker.owner->uid},
          .type = kclient::EventType::kWarning,
          .reason = refusal.reason,
          .action = kAction,
          .note = "its pods fail on node " + node + ": " + refusal.message};
}

}  // namespace vdcu::node
