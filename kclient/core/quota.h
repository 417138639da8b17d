// A ResourceQuota, trimmed to its limits.
#pragma once

#include "base/result.h"
#include "kclient/core/json.h"
#include "kclient/core/meta.h"
#include "kclient/core/quantity.h"

namespace vdcu::kclient {

struct ResourceQuota {
  ObjectMeta meta;      // neither labels nor annotations
  ResourceList hard;    // of spec, whole numbers rounded down
  bool scoped = false;  // has scopes or a scopeSelector: it is about some pods only

  static base::Result<ResourceQuota> FromJson(JsonView object);
};

}  // namespace vdcu::kclient
