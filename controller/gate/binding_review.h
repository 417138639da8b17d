// What an API server asks about a binding before it stores it: an AdmissionReview of a Binding.
// Source: k8s.io/api core/v1 Binding; its UID is the pod's, where the scheduler gives it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace vdcu::controller {

struct BindingReview {
  std::string uid;      // of the review
  std::string pod;      // key: "namespace/name"
  std::string pod_uid;  // empty: not said
  std::string node;
  bool dry_run = false;
};

// Errors: kInvalid and kCorrupt, naming the field and what is right.
base::Result<BindingReview> ReadBindingReview(std::string_view body);

}  // namespace vdcu::controller
