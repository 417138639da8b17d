#include "controller/webhook/fence_rules.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "crds/keys.h"

namespace vdcu::controller {

using kclient::JsonView;
using nlohmann::json;

namespace {

constexpr char kControllerLease[] = "vdcu-controller";
constexpr char kReporter[] = "vdcu.io/node";
// Of finalizers and of owners.
constexpr size_t kMostItems = 16;

using Path = std::initializer_list<std::string_view>;

// What stands there, to be compared; null: nothing.
json At(const std::optional<JsonView>& object, Path path) {
  std::optional<JsonView> at = object;
  for (const std::string_view name : path) {
    if (at) at = kclient::Get(*at, name);
  }
  return at ? json::parse(at->Text(), nullptr, false) : json();
}

// Values are as the writer sent them: of any type.
std::string TextOf(const json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::string TextOf(const json& object, const char* key) {
  return object.is_object() && object.contains(key) ? TextOf(object[key]) : std::string();
}

std::string TextAt(const std::optional<JsonView>& object, Path path) {
  return TextOf(At(object, path));
}

// One write, and who it is.
struct Write {
  const Review& review;
  bool controller = false;
  bool daemon = false;
  bool collector = false;
  std::string node = "";     // of a daemon; empty: not known
  std::string unknown = "";  // why

  bool creates() const { return review.operation == "CREATE"; }
  json New(Path path) const { return At(review.object, path); }
  json Old(Path path) const { return At(review.old_object, path); }
  bool Keeps(Path path) const { return New(path) == Old(path); }
  std::string Name() const { return TextAt(review.object, {"metadata", "name"}); }
  bool IsOwn(const std::string& name) const { return daemon && !node.empty() && node == name; }
};

base::Error Forbidden(std::string message) {
  return {base::ErrorCode::kForbidden, std::move(message)};
}

// Of something that is held to the node of its daemon.
base::Error NotOwn(const Write& write, std::string message) {
  if (!write.unknown.empty()) message += " (" + write.unknown + ")";
  return Forbidden(std::move(message));
}

// ---- VDCUPartition ----

// What is longer already may only become shorter.
base::Status CheckLength(const Write& write, const char* list) {
  const size_t size = write.New({"metadata", list}).size();
  if (size <= kMostItems || size < write.Old({"metadata", list}).size()) return base::Ok();
  return base::Invalid("metadata." + std::string(list) + ": " + std::to_string(size) +
                       " items: at most " + std::to_string(kMostItems));
}

bool HasOurs(const json& finalizers) {
  return std::any_of(finalizers.begin(), finalizers.end(),
                     [](const json& one) { return TextOf(one) == crds::kFinalizer; });
}

json WithoutOurs(const json& finalizers) {
  json others = json::array();
  for (const json& finalizer : finalizers) {
    if (TextOf(finalizer) != crds::kFinalizer) others.push_back(finalizer);
  }
  return others;
}

// Of a list that was stored before there was a bound, that one finalizer less is left must do: so
// says the policy, whose filters cost.
bool KeepsOtherFinalizers(const json& now, const json& before) {
  if (before.size() > kMostItems) return now.size() == before.size() - 1;
  return now.size() <= kMostItems && WithoutOurs(now) == WithoutOurs(before);
}

bool KeepsAllButOurFinalizer(const Write& write) {
  return write.Keeps({"spec"}) && write.Keeps({"metadata", "ownerReferences"}) &&
         write.Keeps({"metadata", "labels"}) && write.Keeps({"metadata", "annotations"}) &&
         KeepsOtherFinalizers(write.New({"metadata", "finalizers"}),
                              write.Old({"metadata", "finalizers"}));
}

std::string AssignedNode(const Write& write) {
  return TextAt(write.review.old_object, {"spec", "assignment", "node"});
}

// What the controller alone does, or it and another.
base::Status CheckForOthers(const Write& write, bool of_own_node) {
  if (!write.Keeps({"spec", "assignment"})) {
    return Forbidden(
        "spec.assignment: only vdcu-controller sets or removes it; leave it as it is, and out of a "
        "new partition");
  }
  if (!write.Keeps({"spec", "podRef"})) {
    return Forbidden(
        "spec.podRef: only vdcu-controller sets it, on the partitions that it makes for pods; "
        "leave it out");
  }
  if (!of_own_node && HasOurs(write.New({"metadata", "finalizers"})) !=
                          HasOurs(write.Old({"metadata", "finalizers"}))) {
    return NotOwn(write,
                  "metadata.finalizers: only vdcu-controller, and vdcu-node of the assigned node, "
                  "add or remove vdcu.io/in-use; it goes when the slice is free");
  }
  if (!write.collector && !write.creates() && !write.Keeps({"metadata", "ownerReferences"})) {
    return Forbidden("metadata.ownerReferences: only vdcu-controller changes them");
  }
  return base::Ok();
}

base::Status CheckPartition(const Write& write) {
  RETURN_IF_ERROR(CheckLength(write, "finalizers"));
  RETURN_IF_ERROR(CheckLength(write, "ownerReferences"));
  if (write.controller) return base::Ok();
  const bool of_own_node = write.IsOwn(AssignedNode(write));
  RETURN_IF_ERROR(CheckForOthers(write, of_own_node));
  if (!write.daemon || (of_own_node && KeepsAllButOurFinalizer(write))) return base::Ok();
  return NotOwn(write,
                "vdcu-node may change only the finalizer vdcu.io/in-use of partitions assigned to "
                "its own node; its token's node is '" +
                    write.node + "'");
}

base::Status CheckPartitionStatus(const Write& write) {
  const std::string assigned = AssignedNode(write);
  if (write.controller || write.IsOwn(assigned)) return base::Ok();
  return NotOwn(write, "status: only vdcu-controller, and vdcu-node of the assigned node '" +
                           assigned + "', write it; the node of this request's token is '" +
                           write.node + "'");
}

// ---- DCUNode ----

json OthersOf(const json& conditions) {
  json others = json::array();
  for (const json& condition : conditions) {
    if (TextOf(condition, "type") != crds::kReady) others.push_back(condition);
  }
  return others;
}

bool DoubtsReady(const json& conditions) {
  return std::any_of(conditions.begin(), conditions.end(), [](const json& condition) {
    return TextOf(condition, "type") == crds::kReady && TextOf(condition, "status") == "Unknown";
  });
}

// The controller may say that a daemon is silent, and no more.
bool OnlyDoubtsReady(const Write& write) {
  json now = write.New({"status"});
  json before = write.Old({"status"});
  const bool same_size = now.size() == before.size() && before.is_object();
  if (!same_size || !now.contains("conditions")) return false;
  const json conditions = std::exchange(now["conditions"], json());
  const json old_conditions = std::exchange(before["conditions"], json());
  return now == before && DoubtsReady(conditions) &&
         OthersOf(conditions) == OthersOf(old_conditions);
}

base::Status CheckOwnNode(const Write& write) {
  if (!write.daemon || write.IsOwn(write.Name())) return base::Ok();
  return NotOwn(write,
                "vdcu-node may write only the DCUNode named as its node; its token's node is '" +
                    write.node + "', this is '" + write.Name() + "'");
}

base::Status CheckNode(const Write& write) {
  RETURN_IF_ERROR(CheckOwnNode(write));
  if (!write.daemon || (write.creates() && write.New({"spec"}).is_null())) return base::Ok();
  return Forbidden("spec: only administrators write it; vdcu-node creates its DCUNode without one");
}

base::Status CheckNodeStatus(const Write& write) {
  if (!write.daemon && !(write.controller && OnlyDoubtsReady(write))) {
    return Forbidden(
        "status: only vdcu-node of this node writes it; vdcu-controller may turn the condition "
        "Ready to Unknown");
  }
  return CheckOwnNode(write);
}

// ---- what else a daemon writes ----

base::Status CheckLease(const Write& write) {
  const std::string name = write.Name();
  if (!write.daemon || (write.IsOwn(name) && name != kControllerLease)) return base::Ok();
  return NotOwn(write,
                "vdcu-node may write only the Lease named as its node; its token's node is '" +
                    write.node + "', this is '" + name + "'");
}

// By the names of events.k8s.io and of the older v1.
std::string ReporterOf(const std::optional<JsonView>& event) {
  const json controller = At(event, {"reportingController"});
  const std::string name =
      controller.is_null() ? TextAt(event, {"reportingComponent"}) : TextOf(controller);
  return name + " " + TextAt(event, {"reportingInstance"});
}

base::Status CheckEvent(const Write& write) {
  if (!write.daemon) return base::Ok();
  const std::string reporter = ReporterOf(write.review.object);
  const std::string before =
      write.review.old_object ? ReporterOf(write.review.old_object) : reporter;
  const bool own = !write.node.empty() && reporter == kReporter + (" " + write.node);
  if (own && before == reporter) return base::Ok();
  return NotOwn(write,
                "vdcu-node writes events only with reportingController vdcu.io/node and its own "
                "node as reportingInstance; its token's node is '" +
                    write.node + "', this event is by '" + before + "'");
}

// ---- Pod ----

base::Status CheckBound(const Write& write) {
  const Path path = {"metadata", "annotations", crds::kBoundPartitionAnnotation};
  const bool is_there = !write.New(path).is_null() || !write.Old(path).is_null();
  if (!is_there || (write.creates() ? write.controller : write.Keeps(path))) return base::Ok();
  return Forbidden(
      "metadata.annotations: only vdcu-controller sets vdcu.io/bound-partition, with the pod's "
      "binding, and nobody changes it; leave it as it is, and make a new pod for another "
      "partition");
}

// ----

struct Rule {
  std::string_view resource;
  base::Status (*check)(const Write& write);
};

constexpr std::array kRules{
    Rule{"vdcupartitions.vdcu.io", CheckPartition},
    Rule{"vdcupartitions.vdcu.io/status", CheckPartitionStatus},
    Rule{"dcunodes.vdcu.io", CheckNode},
    Rule{"dcunodes.vdcu.io/status", CheckNodeStatus},
    Rule{"leases.coordination.k8s.io", CheckLease},
    Rule{"events.events.k8s.io", CheckEvent},
    Rule{"events", CheckEvent},
    Rule{"pods", CheckBound},
    Rule{"pods/status", CheckBound},
    Rule{"pods/binding", CheckBound},
    Rule{"bindings", CheckBound},
};

// It has a user name of its own only where kube-controller-manager runs with
// --use-service-account-credentials.
bool IsCollector(const std::string& user) {
  return user == "system:serviceaccount:kube-system:generic-garbage-collector" ||
         user == "system:kube-controller-manager";
}

}  // namespace

base::Status CheckWrite(const Review& review, const FenceUsers& users, const FindNode& find_node) {
  const auto* rule = std::find_if(kRules.begin(), kRules.end(),
                                  [&](const Rule& one) { return one.resource == review.resource; });
  if (rule == kRules.end()) {
    return base::Invalid("resource \"" + review.resource +
                         "\": the fence has no rule for it; take it out of its configuration");
  }
  Write write{.review = review,
              .controller = review.by.user == users.controller,
              .daemon = review.by.user == users.daemon,
              .collector = IsCollector(review.by.user)};
  if (write.daemon) {
    const auto node = find_node(review.by);
    (node ? write.node : write.unknown) = node ? *node : node.error().message;
  }
  return rule->check(write);
}

}  // namespace vdcu::controller
