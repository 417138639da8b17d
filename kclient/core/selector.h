// Node selectors, taints and tolerations as kube-scheduler and the kubelet judge them.
// Source: component-helpers scheduling/corev1 (nodeaffinity, helpers.go).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kclient/core/json.h"
#include "kclient/core/meta.h"

namespace vdcu::kclient {

struct NodeSelectorRequirement {
  std::string key;
  std::string op;  // In, NotIn, Exists, DoesNotExist, Gt, Lt
  std::vector<std::string> values;

  friend auto operator<=>(const NodeSelectorRequirement&, const NodeSelectorRequirement&) = default;
};

std::vector<NodeSelectorRequirement> ParseRequirements(JsonView object, std::string_view key);
bool Matches(const NodeSelectorRequirement& requirement, const Labels& labels);

struct NodeSelectorTerm {
  std::vector<NodeSelectorRequirement> match_expressions;
  std::vector<NodeSelectorRequirement> match_fields;  // only metadata.name exists

  friend bool operator==(const NodeSelectorTerm&, const NodeSelectorTerm&) = default;
};

// Terms are ORed; a term without any requirement matches nothing. `present` tells "no selector"
// (matches all) from "no terms" (matches nothing).
struct NodeSelector {
  bool present = false;
  std::vector<NodeSelectorTerm> terms;

  friend bool operator==(const NodeSelector&, const NodeSelector&) = default;
};

NodeSelector ParseNodeSelector(JsonView selector);
bool Matches(const NodeSelector& selector, const std::string& node_name, const Labels& labels);
// spec.nodeSelector: every pair must be among the labels.
bool MatchesAll(const Labels& wanted, const Labels& labels);

struct Taint {
  std::string key;
  std::string value;
  std::string effect;  // NoSchedule, PreferNoSchedule, NoExecute

  friend auto operator<=>(const Taint&, const Taint&) = default;
};

struct Toleration {
  std::string key;
  std::string op;  // Equal (or empty), Exists, Lt, Gt
  std::string value;
  std::string effect;  // empty: all

  friend bool operator==(const Toleration&, const Toleration&) = default;
};

std::vector<Taint> ParseTaints(JsonView spec);
std::vector<Toleration> ParseTolerations(JsonView spec);
// An administrator says that the machine is off: what ran there has ended.
inline constexpr std::string_view kOutOfService = "node.kubernetes.io/out-of-service";
bool HasTaint(const std::vector<Taint>& taints, std::string_view key);
bool Tolerates(const Toleration& toleration, const Taint& taint);
// The first NoSchedule or NoExecute taint that no toleration covers; nullptr if there is none.
const Taint* FindUntolerated(const std::vector<Taint>& taints,
                             const std::vector<Toleration>& tolerations);

}  // namespace vdcu::kclient
