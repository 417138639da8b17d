#include "kclient/core/affinity.h"

#include <algorithm>
#include <utility>

namespace vdcu::kclient {

LabelSelector ParseLabelSelector(std::optional<JsonView> selector) {
  LabelSelector parsed;
  if (!selector) return parsed;
  parsed.present = true;
  ForEachMember(*selector, "matchLabels", [&](std::string_view name, JsonView value) {
    if (const auto text = value.String()) parsed.match_labels.emplace(name, *text);
  });
  parsed.match_expressions = ParseRequirements(*selector, "matchExpressions");
  return parsed;
}

bool Matches(const LabelSelector& selector, const Labels& labels) {
  return selector.present && MatchesAll(selector.match_labels, labels) &&
         std::all_of(selector.match_expressions.begin(), selector.match_expressions.end(),
                     [&](const auto& requirement) { return Matches(requirement, labels); });
}

std::vector<PodAffinityTerm> ParseAffinityTerms(JsonView affinity, std::string_view key,
                                                const std::string& ns) {
  std::vector<PodAffinityTerm> terms;
  ForEach(affinity, key, [&](JsonView item) {
    PodAffinityTerm term{.pods = ParseLabelSelector(Get(item, "labelSelector")),
                         .namespaces = {},
                         .namespace_selector = ParseLabelSelector(Get(item, "namespaceSelector")),
                         .topology_key = GetStringOr(item, "topologyKey")};
    ForEach(item, "namespaces", [&](JsonView name) {
      if (const auto text = name.String()) term.namespaces.emplace_back(*text);
    });
    if (term.namespaces.empty() && !term.namespace_selector.present) term.namespaces = {ns};
    terms.push_back(std::move(term));
  });
  return terms;
}

bool Selects(const PodAffinityTerm& term, const std::string& ns, const Labels& ns_labels,
             const Labels& pod_labels) {
  const bool listed =
      std::find(term.namespaces.begin(), term.namespaces.end(), ns) != term.namespaces.end();
  return (listed || Matches(term.namespace_selector, ns_labels)) && Matches(term.pods, pod_labels);
}

std::vector<SpreadConstraint> ParseSpreadConstraints(JsonView spec, const Labels& pod_labels) {
  std::vector<SpreadConstraint> constraints;
  ForEach(spec, "topologySpreadConstraints", [&](JsonView item) {
    if (GetString(item, "whenUnsatisfiable") != "DoNotSchedule") return;
    SpreadConstraint constraint;
    constraint.max_skew = static_cast<int>(GetInt(item, "maxSkew").value_or(1));
    constraint.topology_key = GetStringOr(item, "topologyKey");
    constraint.pods = ParseLabelSelector(Get(item, "labelSelector"));
    constraint.min_domains = static_cast<int>(GetInt(item, "minDomains").value_or(1));
    constraint.honors_affinity = GetString(item, "nodeAffinityPolicy") != "Ignore";
    constraint.honors_taints = GetString(item, "nodeTaintsPolicy") == "Honor";
    ForEach(item, "matchLabelKeys", [&](JsonView key) {
      const auto name = key.String();
      if (!name) return;
      const auto label = pod_labels.find(*name);
      if (label == pod_labels.end()) return;
      constraint.pods.match_expressions.push_back({std::string(*name), "In", {label->second}});
    });
    constraints.push_back(std::move(constraint));
  });
  return constraints;
}

base::Result<Namespace> Namespace::FromJson(JsonView object,
                                            std::vector<std::string> annotation_prefixes) {
  Namespace parsed;
  ASSIGN_OR_RETURN(
      parsed.meta,
      ParseMeta(object, {.labels = true, .annotation_prefixes = std::move(annotation_prefixes)}));
  return parsed;
}

}  // namespace vdcu::kclient
