#include "kclient/core/meta.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "kclient/core/uid.h"

namespace vdcu::kclient {

namespace {

void ReadLabels(JsonView metadata, const MetaFilter& filter, Labels& labels) {
  if (!filter.labels) return;
  ForEachMember(metadata, "labels", [&](std::string_view name, JsonView value) {
    if (const auto text = value.String()) labels.emplace(name, *text);
  });
}

void ReadAnnotations(JsonView metadata, const MetaFilter& filter, Labels& annotations) {
  const auto& prefixes = filter.annotation_prefixes;
  if (prefixes.empty()) return;
  ForEachMember(metadata, "annotations", [&](std::string_view name, JsonView value) {
    const bool wanted = std::any_of(prefixes.begin(), prefixes.end(),
                                    [&](const auto& prefix) { return name.starts_with(prefix); });
    const auto text = value.String();
    if (wanted && text) annotations.emplace(name, *text);
  });
}

bool IsPositiveInteger(std::string_view text) {
  return !text.empty() && text.front() != '0' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

OwnerReference ParseOwner(JsonView owner) {
  return {.api_version = GetStringOr(owner, "apiVersion"),
          .kind = GetStringOr(owner, "kind"),
          .name = GetStringOr(owner, "name"),
          .uid = GetStringOr(owner, "uid"),
          .controller = GetBool(owner, "controller").value_or(false)};
}

nlohmann::json ToJson(const OwnerReference& owner) {
  nlohmann::json json{{"apiVersion", owner.api_version},
                      {"kind", owner.kind},
                      {"name", owner.name},
                      {"uid", owner.uid}};
  if (owner.controller) json["controller"] = true;
  return json;
}

}  // namespace

bool IsSameOrOlder(std::string_view a, std::string_view b) {
  if (!IsPositiveInteger(a) || !IsPositiveInteger(b)) return false;
  return a.size() != b.size() ? a.size() < b.size() : a <= b;
}

bool ObjectMeta::HasFinalizer(std::string_view finalizer) const {
  return std::find(finalizers.begin(), finalizers.end(), finalizer) != finalizers.end();
}

base::Result<ObjectMeta> ParseMeta(JsonView object, const MetaFilter& filter) {
  const auto metadata = Get(object, "metadata");
  ObjectMeta meta;
  if (metadata) meta.name = GetStringOr(*metadata, "name");
  // One that is about to be created, as a webhook sees it, may have no more than that.
  if (metadata && meta.name.empty()) meta.name = GetStringOr(*metadata, "generateName");
  if (meta.name.empty()) {
    return base::Corrupt(GetStringOr(object, "kind", "object") + " has no metadata.name");
  }
  meta.ns = GetStringOr(*metadata, "namespace");
  meta.uid = GetStringOr(*metadata, "uid");
  if (!meta.uid.empty() && !IsUid(meta.uid)) {
    return base::Corrupt(GetStringOr(object, "kind", "object") + " " + meta.name +
                         ": metadata.uid: " + Get(*metadata, "uid")->Text() +
                         ": must be 1 to 64 letters, digits and \"-\"");
  }
  meta.resource_version = GetStringOr(*metadata, "resourceVersion");
  meta.generation = GetInt(*metadata, "generation").value_or(0);
  meta.creation_timestamp = GetStringOr(*metadata, "creationTimestamp");
  meta.deletion_timestamp = GetStringOr(*metadata, "deletionTimestamp");
  ReadLabels(*metadata, filter, meta.labels);
  ReadAnnotations(*metadata, filter, meta.annotations);
  ForEach(*metadata, "finalizers", [&](JsonView finalizer) {
    if (const auto text = finalizer.String()) meta.finalizers.emplace_back(*text);
  });
  ForEach(*metadata, "ownerReferences",
          [&](JsonView owner) { meta.owner_references.push_back(ParseOwner(owner)); });
  return meta;
}

nlohmann::json ToJson(const ObjectMeta& meta) {
  nlohmann::json json{{"name", meta.name}};
  if (!meta.ns.empty()) json["namespace"] = meta.ns;
  if (!meta.labels.empty()) json["labels"] = meta.labels;
  if (!meta.annotations.empty()) json["annotations"] = meta.annotations;
  if (!meta.finalizers.empty()) json["finalizers"] = meta.finalizers;
  for (const OwnerReference& owner : meta.owner_references) {
    json["ownerReferences"].push_back(ToJson(owner));
  }
  return json;
}

std::vector<Condition> ParseConditions(JsonView status) {
  std::vector<Condition> conditions;
  ForEach(status, "conditions", [&](JsonView condition) {
    conditions.push_back(
        {.type = GetStringOr(condition, "type"),
         .status = GetStringOr(condition, "status"),
         .reason = GetStringOr(condition, "reason"),
         .message = GetStringOr(condition, "message"),
         .last_transition_time = GetStringOr(condition, "lastTransitionTime"),
         .observed_generation = GetInt(condition, "observedGeneration").value_or(0)});
  });
  return conditions;
}

nlohmann::json ToJson(const std::vector<Condition>& conditions) {
  nlohmann::json json = nlohmann::json::array();
  for (const Condition& condition : conditions) {
    nlohmann::json& item = json.emplace_back(nlohmann::json{{"type", condition.type},
                                                            {"status", condition.status},
                                                            {"reason", condition.reason},
                                                            {"message", condition.message}});
    if (!condition.last_transition_time.empty()) {
      item["lastTransitionTime"] = condition.last_transition_time;
    }
    if (condition.observed_generation != 0) {
      item["observedGeneration"] = condition.observed_generation;
    }
  }
  return json;
}

const Condition* FindCondition(const std::vector<Condition>& conditions, std::string_view type) {
  const auto found = std::find_if(conditions.begin(), conditions.end(),
                                  [&](const Condition& item) { return item.type == type; });
  return found == conditions.end() ? nullptr : &*found;
}

bool SetCondition(std::vector<Condition>& conditions, Condition wanted) {
  wanted.message = base::Cut(std::move(wanted.message));
  const auto found = std::find_if(conditions.begin(), conditions.end(),
                                  [&](const Condition& item) { return item.type == wanted.type; });
  if (found == conditions.end()) {
    conditions.push_back(std::move(wanted));
    return true;
  }
  if (found->status == wanted.status) wanted.last_transition_time = found->last_transition_time;
  const bool changed = *found != wanted;
  *found = std::move(wanted);
  return changed;
}

}  // namespace vdcu::kclient
