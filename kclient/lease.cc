#include "kclient/lease.h"

#include "kclient/core/meta.h"

namespace vdcu::kclient {

base::Result<Lease> ParseLease(JsonView object) {
  ASSIGN_OR_RETURN(const ObjectMeta meta,
                   ParseMeta(object, MetaFilter{.labels = false, .annotation_prefixes = {}}));
  if (meta.uid.empty() || meta.resource_version.empty()) {
    return base::Corrupt("lease " + meta.key() + " has no uid or no resourceVersion");
  }
  Lease lease{.uid = meta.uid, .resource_version = meta.resource_version, .spec = {}};
  if (const auto spec = Get(object, "spec")) {
    lease.spec.holder_identity = GetStringOr(*spec, "holderIdentity");
    lease.spec.lease_duration_seconds = GetInt(*spec, "leaseDurationSeconds").value_or(0);
    lease.spec.acquire_time = GetStringOr(*spec, "acquireTime");
    lease.spec.renew_time = GetStringOr(*spec, "renewTime");
    lease.spec.lease_transitions = GetInt(*spec, "leaseTransitions").value_or(0);
  }
  return lease;
}

nlohmann::json ToJson(const LeaseSpec& spec) {
  return {{"holderIdentity", spec.holder_identity},
          {"leaseDurationSeconds", spec.lease_duration_seconds},
          {"acquireTime", spec.acquire_time},
          {"renewTime", spec.renew_time},
          {"leaseTransitions", spec.lease_transitions}};
}

}  // namespace vdcu::kclient
