#include "reconcilers/view/namespaces.h"

#include <optional>
#include <string>

#include "base/text.h"
#include "crds/fields.h"
#include "crds/keys.h"

namespace vdcu::reconcilers {

namespace {

std::optional<std::string> ShareText(const kclient::Namespace* ns) {
  if (ns == nullptr) return {};
  const auto found = ns->meta.annotations.find(crds::kShareAnnotation);
  return found == ns->meta.annotations.end() ? "" : found->second;
}

}  // namespace

bool ShareAlike(const kclient::Namespace* a, const kclient::Namespace* b) {
  return ShareText(a) == ShareText(b);
}

const kclient::Labels& Namespaces::LabelsOf(std::string_view name) const {
  static const kclient::Labels kNone;
  const auto found = shown.objects().find(name);
  return found == shown.objects().end() ? kNone : found->second->meta.labels;
}

base::Result<dcu::Sharing> Namespaces::SharingOf(std::string_view name,
                                                 dcu::Sharing settings) const {
  const auto found = shown.Get(name);
  // The watches are not ordered: what it says may come after its pods.
  if (!found) return base::Invalid("namespace " + std::string(name) + " has not been seen yet");
  const auto said = ShareText(found.get());
  if (!found->meta.annotations.contains(std::string(crds::kShareAnnotation))) return settings;
  const auto share = crds::ParseSharing(*said);
  if (share) return dcu::Stricter(settings, *share);
  return base::Invalid("namespace " + std::string(name) + ": annotation " +
                       std::string(crds::kShareAnnotation) + ": " + base::Quote(*said) +
                       ": must be cluster or namespace");
}

}  // namespace vdcu::reconcilers
