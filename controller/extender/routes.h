// The paths of the extender: kube-scheduler's configuration names them as urlPrefix and verbs.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/http/route.h"
#include "controller/extender/extender.h"

namespace vdcu::controller {

// Whoever can call bind may bind pods: who cannot be told from others may only be on this host.
bool MayBind(std::string_view listen, bool asks_clients);

// `leading`: null while another process leads, which is answered by 503.
std::vector<base::HttpRoute> ExtenderRoutes(std::function<Extender*()> leading, bool may_bind);

}  // namespace vdcu::controller
