#include "crds/hami.h"

#include <algorithm>
#include <chrono>

namespace vdcu::crds {

namespace {

constexpr std::string_view kOurMode = "vdcu";
constexpr size_t kFields = 9;
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

std::string SegmentOf(Hami family, const dcu::Device& card) {
  std::string segment = IdOf(family, card);
  for (const std::string& field :
       {std::to_string(dcu::kMaxSlicesPerCard), std::to_string(card.memory.value),
        std::string("100"), TypeOf(family) + "-" + card.model, std::to_string(card.numa_node),
        std::string(card.healthy ? "true" : "false"), std::to_string(card.index),
        std::string(kOurMode)}) {
    segment += "," + field;
  }
  return segment + ":";
}

// The last field of a segment that has all of them; else empty.
std::string_view ModeOf(std::string_view segment) {
  const auto commas = std::count(segment.begin(), segment.end(), ',');
  if (static_cast<size_t>(commas) + 1 != kFields) return {};
  return segment.substr(segment.rfind(',') + 1);
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

std::string HamiRegisterKey(Hami family) { return Named("node-" + FamilyOf(family) + "-register"); }

std::string HamiHandshakeKey(Hami family) { return Named("node-handshake-" + FamilyOf(family)); }

std::string HamiRegister(Hami family, const std::vector<dcu::Device>& cards) {
  std::vector<const dcu::Device*> by_index;
  for (const dcu::Device& card : cards) by_index.push_back(&card);
  std::sort(by_index.begin(), by_index.end(), [](const auto* a, const auto* b) {
    return std::pair(a->index, a->uuid) < std::pair(b->index, b->uuid);
  });
  std::string text;
  for (const dcu::Device* card : by_index) text += SegmentOf(family, *card);
  return text;
}

bool IsOurHamiRegister(std::string_view text) {
  if (text.empty()) return false;
  while (!text.empty()) {
    const size_t end = text.find(':');
    if (end == std::string_view::npos || ModeOf(text.substr(0, end)) != kOurMode) return false;
    text.remove_prefix(end + 1);
  }
  return true;
}

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
