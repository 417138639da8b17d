// PersistentVolumeClaims and PersistentVolumes, trimmed to "may a pod with this claim run on that
// node".
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "kclient/core/meta.h"
#include "kclient/core/selector.h"

namespace vdcu::kclient {

struct PersistentVolumeClaim {
  ObjectMeta meta;
  std::string volume_name;
  // Phase Bound, with a volume's name and the annotation pv.kubernetes.io/bind-completed.
  bool bound = false;
  bool single_pod = false;  // ReadWriteOncePod

  static base::Result<PersistentVolumeClaim> FromJson(JsonView object);
};

struct PersistentVolume {
  ObjectMeta meta;
  NodeSelector node_affinity;  // spec.nodeAffinity.required

  static base::Result<PersistentVolume> FromJson(JsonView object);
};

}  // namespace vdcu::kclient
