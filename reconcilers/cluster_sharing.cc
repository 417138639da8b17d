// Cluster's namespaces that share no card with others.
#include "base/text.h"
#include "crds/fields.h"
#include "crds/keys.h"
#include "reconcilers/cluster.h"

namespace vdcu::reconcilers {

base::Result<dcu::Sharing> Cluster::SharingOf(std::string_view ns) const {
  const auto found = namespaces_.find(ns);
  // The watches are not ordered: what it says may come after its pods.
  if (found == namespaces_.end()) {
    return base::Invalid("namespace " + std::string(ns) + " has not been seen yet");
  }
  const kclient::Labels& annotations = found->second->meta.annotations;
  const auto said = annotations.find(crds::kShareAnnotation);
  if (said == annotations.end()) return settings_.share;
  const auto share = crds::ParseSharing(said->second);
  if (share) return dcu::Stricter(settings_.share, *share);
  return base::Invalid("namespace " + std::string(ns) + ": annotation " +
                       std::string(crds::kShareAnnotation) + ": " + base::Quote(said->second) +
                       ": must be cluster or namespace");
}

// Once for ever, so that nobody can have all looked at again and again.
void Cluster::NoteSharing() {
  if (tells_namespaces_apart_ || !inventory_.TellsNamespacesApart()) return;
  tells_namespaces_apart_ = true;
  MarkWaitingOf("");
}

// Those who wait for cards; "": of all namespaces.
void Cluster::MarkWaitingOf(std::string_view ns) {
  const std::string prefix = ns.empty() ? "" : std::string(ns) + "/";
  pods_.ForEachOpen([&](std::string_view key, const PodEntry& entry) {
    if (entry.pod->scheduling && key.starts_with(prefix)) MarkDirtyPod(key);
  });
  const auto mark = [&](std::string_view key, bool assigned) {
    if (!assigned && key.starts_with(prefix)) MarkDirtyPartition(key);
  };
  partitions_.ForEach([&](std::string_view key,
                          const PartitionEntry& entry) { mark(key, entry.object().assigned()); },
                      [&](std::string_view key, const PartitionEntry::Packed& packed) {
                        mark(key, packed.shown.assigned());
                      });
}

}  // namespace vdcu::reconcilers
