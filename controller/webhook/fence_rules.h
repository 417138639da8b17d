// Who may write what: the rules of charts/vdcu-operator/templates/policy, in the same words, for
// API servers that have no ValidatingAdmissionPolicy. A node's daemon writes only what is its own
// node's, the controller alone assigns, and nobody else writes a status.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "controller/webhook/review.h"

namespace vdcu::controller {

// Names of service accounts as users, "system:serviceaccount:NAMESPACE:NAME".
struct FenceUsers {
  std::string controller;
  std::string daemon;
};

// The node of a daemon's token. Errors: why it cannot be known.
using FindNode = std::function<base::Result<std::string>(const Requester& daemon)>;

// Where the node of a daemon cannot be known, it may write nothing that a rule holds to its node.
// Errors: kForbidden, or kInvalid for what nobody may write. Both name the field, and of a daemon's
// write which node its token's is, and why that is not known.
base::Status CheckWrite(const Review& review, const FenceUsers& users, const FindNode& find_node);

}  // namespace vdcu::controller
