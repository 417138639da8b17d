// What claims and volumes say about the nodes of a waiting pod.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kclient/core/pod.h"
#include "kclient/core/volume.h"
#include "kclient/store.h"

namespace vdcu::reconcilers {

// A pod's volumes, looked up: the node affinity of each.
using VolumeAffinities = std::vector<kclient::NodeSelector>;

class Volumes {
 public:
  kclient::Store<kclient::PersistentVolumeClaim> claims;
  kclient::Store<kclient::PersistentVolume> volumes;

  // Where the pod's volumes can be reached. Errors: kInvalid, saying what about a claim keeps the
  // pod from being placed.
  base::Result<VolumeAffinities> Of(const kclient::Pod& pod) const;
};

}  // namespace vdcu::reconcilers
