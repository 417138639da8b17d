#include "kclient/core/volume.h"

#include <utility>

namespace vdcu::kclient {

namespace {

bool HasAnnotation(JsonView object, std::string_view name) {
  const auto metadata = Get(object, "metadata");
  const auto annotations = metadata ? Get(*metadata, "annotations") : std::nullopt;
  return annotations && Get(*annotations, name).has_value();
}

}  // namespace

base::Result<PersistentVolumeClaim> PersistentVolumeClaim::FromJson(JsonView object) {
  PersistentVolumeClaim claim;
  ASSIGN_OR_RETURN(claim.meta, ParseMeta(object, {.labels = false, .annotation_prefixes = {}}));
  if (const auto spec = Get(object, "spec")) {
    claim.volume_name = GetStringOr(*spec, "volumeName");
    ForEach(*spec, "accessModes", [&](JsonView mode) {
      if (mode.String() == "ReadWriteOncePod") claim.single_pod = true;
    });
  }
  const auto status = Get(object, "status");
  claim.bound = status && GetString(*status, "phase") == "Bound" && !claim.volume_name.empty() &&
                HasAnnotation(object, "pv.kubernetes.io/bind-completed");
  return claim;
}

base::Result<PersistentVolume> PersistentVolume::FromJson(JsonView object) {
  PersistentVolume volume;
  ASSIGN_OR_RETURN(volume.meta, ParseMeta(object, {.labels = false, .annotation_prefixes = {}}));
  const auto spec = Get(object, "spec");
  const auto affinity = spec ? Get(*spec, "nodeAffinity") : std::nullopt;
  const auto required = affinity ? Get(*affinity, "required") : std::nullopt;
  if (required) volume.node_affinity = ParseNodeSelector(*required);
  return volume;
}

}  // namespace vdcu::kclient
