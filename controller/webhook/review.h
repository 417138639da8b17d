// The AdmissionReview of a webhook call, and the answers to it.
// Source: k8s.io/api/admission/v1/types.go; a patch is a JSON Patch (RFC 6902).
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "kclient/core/json.h"

namespace vdcu::controller {

// Who writes. What a token is bound to its user's `extra` says; empty: it does not.
struct Requester {
  std::string user;
  std::string node;
  std::string pod;
  std::string pod_uid;
};

struct Review {
  std::string uid;
  std::string operation;                        // "CREATE" or "UPDATE"
  std::string resource;                         // "pods", "pods/status", "dcunodes.vdcu.io/status"
  kclient::JsonView object;                     // what is about to be stored
  std::optional<kclient::JsonView> old_object;  // what is stored, of an update
  Requester by;
};

// Errors: kInvalid, naming what is missing or of another kind.
base::Result<Review> ReadReview(kclient::JsonView text);

// As JSON. `patch`: operations; without any the object is let through as it is.
std::string Allow(const std::string& uid, const nlohmann::json& patch = nlohmann::json::array());
// kubectl shows the message. The answer's HTTP code is that of the error's code.
std::string Deny(const std::string& uid, const base::Error& error);

}  // namespace vdcu::controller
