#include "node/plugin/tokens.h"

#include <algorithm>

#include "dcu/units.h"

namespace vdcu::node {

namespace {

size_t FreeSlots(const dcu::Device& device, const Slices& slices) {
  size_t used = 0;
  for (const auto& [uid, slice] : slices) {
    if (slice.assignment.device != device.uuid) continue;
    used += slice.assignment.whole_card() ? dcu::kMaxSlicesPerCard : 1;
  }
  return dcu::kMaxSlicesPerCard - std::min<size_t>(used, dcu::kMaxSlicesPerCard);
}

}  // namespace

std::vector<kubelet::Device> Tokens(const std::vector<dcu::Device>& devices, const Slices& slices,
                                    const std::set<std::string>& in_use) {
  size_t count = 0;
  size_t unhealthy = 0;
  for (const dcu::Device& device : devices) {
    if (device.mode != dcu::Mode::kVdcu) continue;
    count += dcu::kMaxSlicesPerCard;
    if (!device.healthy) unhealthy += FreeSlots(device, slices);
  }
  std::vector<kubelet::Device> tokens;
  for (size_t n = 0; n < count; ++n) tokens.push_back({.id = "vdcu-" + std::to_string(n)});
  for (auto token = tokens.rbegin(); token != tokens.rend() && unhealthy > 0; ++token) {
    if (in_use.contains(token->id)) continue;
    token->healthy = false;
    --unhealthy;
  }
  for (const std::string& id : in_use) {
    const auto listed = [&id](const kubelet::Device& token) { return token.id == id; };
    if (std::none_of(tokens.begin(), tokens.end(), listed)) tokens.push_back({.id = id});
  }
  return tokens;
}

}  // namespace vdcu::node
