// What an API server's refusal means: HTTP status and metav1.Status -> Error.
#pragma once

#include "base/error.h"
#include "kclient/core/json.h"
#include "kclient/transport.h"

namespace vdcu::kclient {

// `response` is not 2xx. The message is the server's own where the body is a Status.
base::Error ErrorFromResponse(const HttpResponse& response);

// `status` is the metav1.Status of a watch's ERROR event.
base::Error ErrorFromStatus(JsonView status);

}  // namespace vdcu::kclient
