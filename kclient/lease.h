// coordination.k8s.io/v1 Lease, what leader election reads and writes of it.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "kclient/core/json.h"

namespace vdcu::kclient {

struct LeaseSpec {
  std::string holder_identity;
  int64_t lease_duration_seconds = 0;
  std::string acquire_time;  // metav1.MicroTime
  std::string renew_time;
  int64_t lease_transitions = 0;

  friend bool operator==(const LeaseSpec&, const LeaseSpec&) = default;
};

struct Lease {
  std::string uid;
  std::string resource_version;
  LeaseSpec spec;
};

// Fields that are absent are empty or 0. Errors: kCorrupt without uid or resourceVersion.
base::Result<Lease> ParseLease(JsonView object);
nlohmann::json ToJson(const LeaseSpec& spec);

}  // namespace vdcu::kclient
