// What a binding of ours writes into its pod for tools that read HAMi's annotations
// (crds/hami.h), in the same request.
#pragma once

#include "base/clock.h"
#include "kclient/core/pod.h"
#include "reconcilers/view/view.h"

namespace vdcu::reconcilers {

// Of the slices that the pod has or, where `partition` is named, of that reserved one. None where
// the settings say so, or where a card is not known any more.
kclient::Labels HamiAnnotationsOf(const View& view, const kclient::Pod& pod,
                                  const std::string& partition, const base::Instant& at);

}  // namespace vdcu::reconcilers
