// A write to the API as a value: reconcilers return them, Client::Apply carries them out. Every one
// carries a precondition: a create its name, a patch a resourceVersion or UID, a delete, a binding
// and an eviction the UID.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "kclient/core/meta.h"

namespace vdcu::kclient {

struct Resource {
  std::string_view group;  // empty: core
  std::string_view version;
  std::string_view plural;
  std::string_view kind;

  friend bool operator==(const Resource&, const Resource&) = default;
};

inline constexpr Resource kPods{"", "v1", "pods", "Pod"};
inline constexpr Resource kNodes{"", "v1", "nodes", "Node"};
inline constexpr Resource kPersistentVolumeClaims{"", "v1", "persistentvolumeclaims",
                                                  "PersistentVolumeClaim"};
inline constexpr Resource kPersistentVolumes{"", "v1", "persistentvolumes", "PersistentVolume"};
inline constexpr Resource kNamespaces{"", "v1", "namespaces", "Namespace"};
inline constexpr Resource kResourceQuotas{"", "v1", "resourcequotas", "ResourceQuota"};
inline constexpr Resource kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline constexpr Resource kEvents{"events.k8s.io", "v1", "events", "Event"};

// "/api/v1/namespaces/NS/pods/NAME/SUBRESOURCE", parts that are empty left out.
std::string ResourcePath(const Resource& resource, std::string_view ns, std::string_view name = "",
                         std::string_view subresource = "");

struct Write {
  enum class Verb {
    kCreate,
    kMergePatch,
    kStrategicMergePatch,  // for lists that others write too, as a pod's conditions; core kinds
                           // only
    kDelete,
  };

  Verb verb = Verb::kCreate;
  Resource resource;
  std::string ns;
  std::string name;
  std::string subresource;  // "status", "binding", "eviction" or empty
  nlohmann::json body;      // of a delete: DeleteOptions

  bool binds() const { return subresource == "binding"; }
  bool evicts() const { return subresource == "eviction"; }
  // "create vdcupartitions team-a/p1", for logs and error messages.
  std::string Describe() const;
};

Write MakeCreate(const Resource& resource, std::string_view ns, std::string_view name,
                 nlohmann::json object);
// A merge patch that only holds for this UID and, where it is given, this resourceVersion.
Write MakePatch(const Resource& resource, std::string_view ns, std::string_view name,
                std::string_view subresource, nlohmann::json patch, std::string_view uid,
                std::string_view resource_version);
// The same as a strategic merge patch.
Write MakeStrategicPatch(const Resource& resource, std::string_view ns, std::string_view name,
                         std::string_view subresource, nlohmann::json patch, std::string_view uid);
// Only the object with this UID and, where it is given, this resourceVersion.
Write MakeDelete(const Resource& resource, std::string_view ns, std::string_view name,
                 std::string_view uid, std::string_view resource_version);
// POST pods/NAME/binding with the pod's UID as precondition. The pod gets the annotations in the
// same write.
Write MakeBind(std::string_view ns, std::string_view pod, std::string_view uid,
               std::string_view node, const Labels& annotations = {});
// POST pods/NAME/eviction with the pod's UID as precondition: it is deleted, with its own grace
// period, unless a PodDisruptionBudget keeps it (429). Kubernetes 1.22 or later.
Write MakeEviction(std::string_view ns, std::string_view pod, std::string_view uid);

}  // namespace vdcu::kclient
