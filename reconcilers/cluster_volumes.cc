// Cluster's volumes: what claims and volumes say about the nodes of a waiting pod.
#include "reconcilers/cluster.h"

namespace vdcu::reconcilers {

void Cluster::OnClaim(const std::shared_ptr<const kclient::PersistentVolumeClaim>& old_claim,
                      const std::shared_ptr<const kclient::PersistentVolumeClaim>& new_claim) {
  const std::string key = (new_claim ? *new_claim : *old_claim).meta.key();
  if (new_claim) {
    claims_[key] = new_claim;
  } else {
    claims_.erase(key);
  }
  const auto pods = pods_of_claim_.find(key);
  if (pods == pods_of_claim_.end()) return;
  for (const std::string& pod : pods->second) MarkDirtyPod(pod);
}

void Cluster::OnVolume(const std::shared_ptr<const kclient::PersistentVolume>& old_volume,
                       const std::shared_ptr<const kclient::PersistentVolume>& new_volume) {
  const std::string& name = (new_volume ? *new_volume : *old_volume).meta.name;
  if (new_volume) {
    volumes_[name] = new_volume;
  } else {
    volumes_.erase(name);
  }
  // Volumes change rarely; all pods that wait with a claim look again.
  for (const auto& [claim, pods] : pods_of_claim_) {
    for (const std::string& pod : pods) MarkDirtyPod(pod);
  }
}

base::Result<VolumeAffinities> Cluster::VolumesOf(const kclient::Pod& pod) const {
  VolumeAffinities affinities;
  for (const std::string& name : pod.scheduling->claims) {
    const std::string text = "PersistentVolumeClaim " + name;
    const auto claim = claims_.find(pod.meta.ns + "/" + name);
    if (claim == claims_.end()) return base::Invalid(text + " does not exist");
    if (claim->second->single_pod) {
      return base::Invalid(text + " is ReadWriteOncePod, which this scheduler does not place");
    }
    if (!claim->second->bound) return base::Invalid(text + " is not bound to a volume");
    const auto volume = volumes_.find(claim->second->volume_name);
    if (volume == volumes_.end()) {
      return base::Invalid(text + " is bound to volume " + claim->second->volume_name +
                           ", which does not exist");
    }
    affinities.push_back(volume->second->node_affinity);
  }
  return affinities;
}

}  // namespace vdcu::reconcilers
