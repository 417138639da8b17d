// What Namespaces say: their labels, by which terms of affinity may select them, and with whom
// their pods share cards.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "crds/vdcupartition.h"
#include "kclient/core/affinity.h"
#include "kclient/store.h"

namespace vdcu::reconcilers {

class Namespaces {
 public:
  kclient::Store<kclient::Namespace> shown;

  const kclient::Labels& LabelsOf(std::string_view name) const;
  // Which namespaces may have slices of the cards that this one's requests are given, as far as the
  // controller's own `settings` and the namespace say. Errors: kInvalid, where that is not known.
  base::Result<dcu::Sharing> SharingOf(std::string_view name, dcu::Sharing settings) const;
};

// Whether both say the same of sharing; null: not there.
bool ShareAlike(const kclient::Namespace* a, const kclient::Namespace* b);

}  // namespace vdcu::reconcilers
