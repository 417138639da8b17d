#include "kclient/core/selector.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace vdcu::kclient {

namespace {

// strconv.ParseInt(text, 10, 64).
std::optional<int64_t> ParseInteger(std::string_view text) {
  if (text.starts_with("+") && !text.starts_with("+-")) text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// content.IsDecimalInteger: neither leading zeros nor a plus sign nor "-0".
std::optional<int64_t> ParsePlainInteger(std::string_view text) {
  const auto value = ParseInteger(text);
  return value && std::to_string(*value) == text ? value : std::nullopt;
}

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsLabelValue(const std::string& text) {
  if (text.empty()) return true;
  const auto inner = [](char c) { return IsAlphanumeric(c) || c == '-' || c == '_' || c == '.'; };
  return text.size() <= 63 && IsAlphanumeric(text.front()) && IsAlphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), inner);
}

// A requirement that breaks these rules makes its whole term match nothing (labels.NewRequirement);
// a NotIn without values would otherwise match everything.
bool IsValid(const NodeSelectorRequirement& requirement) {
  const auto& [key, op, values] = requirement;
  if (!std::all_of(values.begin(), values.end(), IsLabelValue)) return false;
  if (op == "In" || op == "NotIn") return !values.empty();
  if (op == "Exists" || op == "DoesNotExist") return values.empty();
  return (op == "Gt" || op == "Lt") && values.size() == 1 && ParseInteger(values[0]).has_value();
}

bool MatchesField(const NodeSelectorRequirement& requirement, const std::string& node_name) {
  const auto& [key, op, values] = requirement;
  if (key != "metadata.name" || values.size() != 1) return false;
  if (op == "In") return values[0] == node_name;
  return op == "NotIn" && values[0] != node_name;
}

bool Matches(const NodeSelectorTerm& term, const std::string& node_name, const Labels& labels) {
  const auto& [expressions, fields] = term;
  if (expressions.empty() && fields.empty()) return false;
  return std::all_of(expressions.begin(), expressions.end(),
                     [&](const auto& item) { return kclient::Matches(item, labels); }) &&
         std::all_of(fields.begin(), fields.end(),
                     [&](const auto& item) { return MatchesField(item, node_name); });
}

}  // namespace

std::vector<NodeSelectorRequirement> ParseRequirements(JsonView object, std::string_view key) {
  std::vector<NodeSelectorRequirement> requirements;
  ForEach(object, key, [&](JsonView item) {
    NodeSelectorRequirement requirement{
        .key = GetStringOr(item, "key"), .op = GetStringOr(item, "operator"), .values = {}};
    ForEach(item, "values", [&](JsonView value) {
      if (const auto text = value.String()) requirement.values.emplace_back(*text);
    });
    requirements.push_back(std::move(requirement));
  });
  return requirements;
}

bool Matches(const NodeSelectorRequirement& requirement, const Labels& labels) {
  const auto& [key, op, values] = requirement;
  if (!IsValid(requirement)) return false;
  const auto label = labels.find(key);
  if (label == labels.end()) return op == "NotIn" || op == "DoesNotExist";
  if (op == "Exists") return true;
  if (op == "DoesNotExist") return false;
  const bool listed = std::find(values.begin(), values.end(), label->second) != values.end();
  if (op == "In") return listed;
  if (op == "NotIn") return !listed;
  const auto value = ParseInteger(label->second);
  const auto bound = ParseInteger(values[0]);
  return value && (op == "Gt" ? *value > *bound : *value < *bound);
}

NodeSelector ParseNodeSelector(JsonView selector) {
  NodeSelector parsed{.present = true, .terms = {}};
  ForEach(selector, "nodeSelectorTerms", [&](JsonView term) {
    parsed.terms.push_back({.match_expressions = ParseRequirements(term, "matchExpressions"),
                            .match_fields = ParseRequirements(term, "matchFields")});
  });
  return parsed;
}

bool Matches(const NodeSelector& selector, const std::string& node_name, const Labels& labels) {
  return !selector.present ||
         std::any_of(selector.terms.begin(), selector.terms.end(),
                     [&](const auto& term) { return Matches(term, node_name, labels); });
}

bool MatchesAll(const Labels& wanted, const Labels& labels) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
    const auto label = labels.find(pair.first);
    return label != labels.end() && label->second == pair.second;
  });
}

std::vector<Taint> ParseTaints(JsonView spec) {
  std::vector<Taint> taints;
  ForEach(spec, "taints", [&](JsonView taint) {
    taints.push_back({.key = GetStringOr(taint, "key"),
                      .value = GetStringOr(taint, "value"),
                      .effect = GetStringOr(taint, "effect")});
  });
  return taints;
}

std::vector<Toleration> ParseTolerations(JsonView spec) {
  std::vector<Toleration> tolerations;
  ForEach(spec, "tolerations", [&](JsonView toleration) {
    tolerations.push_back({.key = GetStringOr(toleration, "key"),
                           .op = GetStringOr(toleration, "operator"),
                           .value = GetStringOr(toleration, "value"),
                           .effect = GetStringOr(toleration, "effect")});
  });
  return tolerations;
}

bool HasTaint(const std::vector<Taint>& taints, std::string_view key) {
  return std::any_of(taints.begin(), taints.end(),
                     [key](const Taint& taint) { return taint.key == key; });
}

bool Tolerates(const Toleration& toleration, const Taint& taint) {
  const auto& [key, op, value, effect] = toleration;
  if (!effect.empty() && effect != taint.effect) return false;
  if (!key.empty() && key != taint.key) return false;
  if (op == "Exists") return true;
  if (op.empty() || op == "Equal") return value == taint.value;
  const auto bound = ParsePlainInteger(value);
  const auto actual = ParsePlainInteger(taint.value);
  if (!bound || !actual) return false;
  return (op == "Lt" && *actual < *bound) || (op == "Gt" && *actual > *bound);
}

const Taint* FindUntolerated(const std::vector<Taint>& taints,
                             const std::vector<Toleration>& tolerations) {
  const auto keeps_out = [&](const Taint& taint) {
    if (taint.effect != "NoSchedule" && taint.effect != "NoExecute") return false;
    return std::none_of(tolerations.begin(), tolerations.end(),
                        [&](const auto& toleration) { return Tolerates(toleration, taint); });
  };
  const auto found = std::find_if(taints.begin(), taints.end(), keeps_out);
  return found == taints.end() ? nullptr : &*found;
}

}  // namespace vdcu::kclient
