#include "crds/hami.h"

#include <chrono>

namespace vdcu::crds {

namespace {

constexpr std::string_view kOurUuids = "DCU-";

std::string Named(std::string_view name) { return std::string(kHamiPrefix) + std::string(name); }

std::string FamilyOf(Hami family) { return std::string(Spell(kHamis, family)); }

// "DCU" or "HCU".
std::string TypeOf(Hami family) { return family == Hami::kHcu ? "HCU" : "DCU"; }

std::string IdOf(Hami family, const dcu::Device& card) {
  if (family == Hami::kDcu) return "DCU-" + std::to_string(card.index);
  const bool has_prefix = card.uuid.starts_with(kOurUuids);
  return "HCU-" + card.uuid.substr(has_prefix ? kOurUuids.size() : 0);
}

int PercentOf(const HamiShare& share) {
  const int all = share.card.compute_units;
  return all == 0 ? 0 : (100 * share.compute_units + all - 1) / all;
}

std::string TextOf(Hami family, const HamiShare& share) {
  return IdOf(family, share.card) + "," + TypeOf(family) + "," +
         std::to_string(share.memory.value) + "," + std::to_string(PercentOf(share)) + ":";
}

}  // namespace

kclient::Labels HamiPodAnnotations(Hami family, const std::string& node, const HamiSlots& slots,
                                   base::WallTime now) {
  std::string allocated;
  for (const auto& slot : slots) {
    for (const HamiShare& share : slot) allocated += TextOf(family, share);
    allocated += ";";
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  return {{Named("vgpu-node"), node},
          {Named("vgpu-time"), std::to_string(seconds.count())},
          {Named("bind-phase"), "success"},
          {Named(FamilyOf(family) + "-devices-allocated"), allocated}};
}

}  // namespace vdcu::crds
