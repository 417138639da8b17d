// The paths of the extender: configurations of kube-scheduler and Volcano name them as urlPrefix
// and verbs.
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
// None of them binds: whoever connects may call them.
std::vector<base::HttpRoute> VolcanoRoutes(const std::function<Extender*()>& leading);

}  // namespace vdcu::controller
