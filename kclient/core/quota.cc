#include "kclient/core/quota.h"

namespace vdcu::kclient {

base::Result<ResourceQuota> ResourceQuota::FromJson(JsonView object) {
  ResourceQuota quota;
  ASSIGN_OR_RETURN(quota.meta, ParseMeta(object, {.labels = false, .annotation_prefixes = {}}));
  const auto spec = Get(object, "spec");
  if (!spec) return quota;
  ForEachMember(*spec, "hard", [&](std::string_view name, JsonView value) {
    const auto text = value.String();
    if (!text) return;
    if (const auto amount = ParseMilliQuantity(*text)) quota.hard.emplace(name, *amount / 1000);
  });
  ForEach(*spec, "scopes", [&](JsonView) { quota.scoped = true; });
  quota.scoped |= Get(*spec, "scopeSelector").has_value();
  return quota;
}

}  // namespace vdcu::kclient
