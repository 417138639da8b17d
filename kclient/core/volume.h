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
  bool bound =
      false;  // phase Bound and the pv.kubernetes.io/bind-completed annotation's volume named
  bool single_pod = false;  // ReadWriteOncePod

  static base::Result<PersistentVolumeClaim> FromJson(JsonView object);
};

struct PersistentVolume {
  ObjectMeta meta;
  NodeSelector node_affinity;  // spec.nodeAffinity.required

  static base::Result<PersistentVolume> FromJson(JsonView object);
};

}  // namespace vdcu::kclient
