#include "reconcilers/view/volumes.h"

namespace vdcu::reconcilers {

base::Result<VolumeAffinities> Volumes::Of(const kclient::Pod& pod) const {
  VolumeAffinities affinities;
  for (const std::string& name : pod.scheduling->claims) {
    const std::string text = "PersistentVolumeClaim " + name;
    const auto claim = claims.Get(pod.meta.ns + "/" + name);
    if (!claim) return base::Invalid(text + " does not exist");
    if (claim->single_pod) {
      return base::Invalid(text + " is ReadWriteOncePod, which this scheduler does not place");
    }
    if (!claim->bound) return base::Invalid(text + " is not bound to a volume");
    const auto volume = volumes.Get(claim->volume_name);
    if (!volume) {
      return base::Invalid(text + " is bound to volume " + claim->volume_name +
                           ", which does not exist");
    }
    affinities.push_back(volume->node_affinity);
  }
  return affinities;
}

}  // namespace vdcu::reconcilers
