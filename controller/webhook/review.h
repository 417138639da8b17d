// The AdmissionReview of a webhook call, and the answers to it.
// Source: k8s.io/api/admission/v1/types.go; a patch is a JSON Patch (RFC 6902).
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "kclient/core/json.h"

namespace vdcu::controller {

struct Review {
  std::string uid;
  kclient::JsonView object;  // what is about to be stored
};

// Errors: kInvalid, naming what is missing or of another kind.
base::Result<Review> ReadReview(kclient::JsonView text);

// As JSON. `patch`: operations; without any the object is let through as it is.
std::string Allow(const std::string& uid, const nlohmann::json& patch = nlohmann::json::array());
// kubectl shows the message.
std::string Deny(const std::string& uid, const std::string& message);

}  // namespace vdcu::controller
