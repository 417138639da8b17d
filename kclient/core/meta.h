// metav1.ObjectMeta, trimmed: managedFields and what nobody reads are not kept.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "kclient/core/json.h"

namespace vdcu::kclient {

using Labels = std::map<std::string, std::string, std::less<>>;

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  bool controller = false;

  friend auto operator<=>(const OwnerReference&, const OwnerReference&) = default;
};

struct ObjectMeta {
  std::string name;
  std::string ns;  // empty for cluster-scoped objects
  std::string uid;
  std::string resource_version;
  int64_t generation = 0;
  std::string creation_timestamp;  // RFC 3339
  std::string deletion_timestamp;  // empty: not being deleted
  Labels labels;
  Labels annotations;
  std::vector<std::string> finalizers;
  std::vector<OwnerReference> owner_references;

  bool deleting() const { return !deletion_timestamp.empty(); }
  bool HasFinalizer(std::string_view finalizer) const;
  std::string key() const { return ns.empty() ? name : ns + "/" + name; }
  friend auto operator<=>(const ObjectMeta&, const ObjectMeta&) = default;
};

// Whether resourceVersion `a` is `b` or older, both of one kind. False as well where either is no
// positive integer. Source: k8s.io/apimachinery, pkg/util/resourceversion.
bool IsSameOrOlder(std::string_view a, std::string_view b);

// Which of labels and annotations to keep; names outside are dropped when reading.
struct MetaFilter {
  bool labels = true;
  std::vector<std::string> annotation_prefixes;  // empty: no annotations
};

// Reads object.metadata. Errors: kCorrupt where there is no name, or a uid that is none (IsUid).
base::Result<ObjectMeta> ParseMeta(JsonView object, const MetaFilter& filter);

// metadata for a create: name, namespace, labels, annotations, finalizers, ownerReferences, those
// that are set.
nlohmann::json ToJson(const ObjectMeta& meta);

// metav1.Condition.
struct Condition {
  std::string type;
  std::string status;  // "True", "False" or "Unknown"
  std::string reason;
  std::string message;
  std::string last_transition_time;
  int64_t observed_generation = 0;

  friend auto operator<=>(const Condition&, const Condition&) = default;
};

std::vector<Condition> ParseConditions(JsonView status);
nlohmann::json ToJson(const std::vector<Condition>& conditions);
const Condition* FindCondition(const std::vector<Condition>& conditions, std::string_view type);

// Sets `wanted` in `conditions`, keeping the old transition time where the status stays the same.
// Returns whether anything but times changed. A long message is cut.
bool SetCondition(std::vector<Condition>& conditions, Condition wanted);

}  // namespace vdcu::kclient
