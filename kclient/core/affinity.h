// Required pod affinity terms, as kube-scheduler judges them.
// Source: apimachinery meta/v1 LabelSelectorAsSelector, kube-scheduler framework AffinityTerm.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kclient/core/json.h"
#include "kclient/core/meta.h"
#include "kclient/core/selector.h"

namespace vdcu::kclient {

// metav1.LabelSelector. One that is absent matches nothing, one that is empty everything.
struct LabelSelector {
  bool present = false;
  Labels match_labels;
  std::vector<NodeSelectorRequirement> match_expressions;

  friend auto operator<=>(const LabelSelector&, const LabelSelector&) = default;
};

LabelSelector ParseLabelSelector(std::optional<JsonView> selector);
bool Matches(const LabelSelector& selector, const Labels& labels);

// Pods that it selects, and what counts as the same place as theirs. matchLabelKeys are not here:
// the API server writes them into the selector when it stores the pod.
struct PodAffinityTerm {
  LabelSelector pods;
  // Those listed, and those whose labels match.
  std::vector<std::string> namespaces;
  LabelSelector namespace_selector;
  std::string topology_key;  // of node labels

  friend auto operator<=>(const PodAffinityTerm&, const PodAffinityTerm&) = default;
};

// `key` holds a list of terms of a pod of namespace `ns`, which is meant where a term names none.
std::vector<PodAffinityTerm> ParseAffinityTerms(JsonView affinity, std::string_view key,
                                                const std::string& ns);
// Whether it selects a pod of that namespace with these labels.
bool Selects(const PodAffinityTerm& term, const std::string& ns, const Labels& ns_labels,
             const Labels& pod_labels);

// A topologySpreadConstraint with whenUnsatisfiable: DoNotSchedule.
struct SpreadConstraint {
  int max_skew = 1;
  std::string topology_key;
  LabelSelector pods;  // of the pod's own namespace; matchLabelKeys are in it
  int min_domains = 1;
  bool honors_affinity = true;  // nodes that the pod may not go to by selector or affinity are out
  bool honors_taints = false;   // and those whose taints it does not tolerate

  friend bool operator==(const SpreadConstraint&, const SpreadConstraint&) = default;
};

// Of a pod with these labels.
std::vector<SpreadConstraint> ParseSpreadConstraints(JsonView spec, const Labels& pod_labels);

// A Namespace, trimmed to what terms select it by.
struct Namespace {
  ObjectMeta meta;

  // Of the annotations those that begin so are kept.
  static base::Result<Namespace> FromJson(JsonView object,
                                          std::vector<std::string> annotation_prefixes);
};

}  // namespace vdcu::kclient
