// A second reading of the allocator's rules, slow and plain; it shares no code with the allocator.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dcu/allocator.h"

namespace vdcu::dcu {

struct NodeState {
  std::vector<Device> devices;
  NodeOptions options;
  NodeNeeds room = Node::kUnlimited;  // beside cards

  bool HasRoom(const NodeNeeds& needs) const {
    const bool cpu = needs.cpu == 0 || needs.cpu <= room.cpu;
    const bool memory = needs.memory.value == 0 || needs.memory.value <= room.memory.value;
    return cpu && memory;
  }
};

struct World {
  std::map<std::string, NodeState> nodes;
  std::map<std::string, Assignment> held;  // by slice id
};

// A card as the rules see it, one flag a unit.
struct SlowCard {
  std::string node;
  Device device;
  bool open = false;  // may anything be granted here?
  int64_t reserve = 0;
  std::vector<bool> used = std::vector<bool>(128);
  std::set<int> pipes = {};
  int slices = 0;
  int64_t memory_used = 0;
  bool whole = false;

  int FreeUnits() const {
    if (whole) return 0;
    const auto end = used.begin() + device.compute_units;
    return static_cast<int>(std::count(used.begin(), end, false));
  }
  int64_t FreeMemory() const {
    return whole ? 0 : std::max<int64_t>(0, device.memory.value - reserve - memory_used);
  }
  bool HasPipe() const { return !whole && slices < 4 && pipes.size() < 4; }

  void Hold(const Assignment& a) {
    ++slices;
    if (a.whole_card()) whole = true;
    for (int i = 0; i < 128; ++i) {
      if (a.units.Has(i)) used[i] = true;
    }
    if (a.pipe) pipes.insert(*a.pipe);
    memory_used += a.memory.value;
  }
};

using SlowNode = std::vector<SlowCard>;

inline std::map<std::string, SlowNode> SlowView(const World& world) {
  std::map<std::string, SlowNode> view;
  for (const auto& [name, state] : world.nodes) {
    SlowNode& cards = view[name];
    for (const Device& device : state.devices) {
      SlowCard& card = cards.emplace_back();
      card.node = name;
      card.device = device;
      card.reserve = state.options.memory_reserve.value;
      card.open = state.options.ready && device.healthy && device.mode == Mode::kVdcu &&
                  !state.options.unschedulable_devices.contains(device.uuid);
      for (const auto& [id, held] : world.held) {
        if (held.node == name && held.device == device.uuid) card.Hold(held);
      }
    }
  }
  return view;
}

inline int SlowUnits(const SliceRequest& slice, const SlowCard& card) {
  if (slice.compute_units) return *slice.compute_units;
  if (!slice.percent) return card.device.compute_units;
  int units = 0;
  while (units * 100 < card.device.compute_units * *slice.percent) ++units;
  return units;
}

inline bool SlowFits(const SliceRequest& slice, const SlowCard& card) {
  const DeviceSelector& devices = *slice.devices;
  const auto has = [](const std::vector<std::string>& list, const std::string& value) {
    return std::count(list.begin(), list.end(), value) > 0;
  };
  if (!card.open) return false;
  if (!devices.models.empty() && !has(devices.models, card.device.model)) return false;
  if (!devices.uuids.empty() && !has(devices.uuids, card.device.uuid)) return false;
  if (has(devices.exclude_models, card.device.model)) return false;
  if (has(devices.exclude_uuids, card.device.uuid)) return false;
  if (slice.whole_card()) return card.slices == 0;
  if (!card.HasPipe() || card.FreeUnits() < SlowUnits(slice, card)) return false;
  if (slice.memory) return card.FreeMemory() >= slice.memory->value;
  return card.memory_used == 0 && card.FreeMemory() > 0;
}

// Every way to put the slices from `next` on: does any work?
inline bool SlowPlace(const SlowNode& cards, const std::vector<SliceRequest>& slices, size_t next) {
  if (next == slices.size()) return true;
  for (size_t i = 0; i < cards.size(); ++i) {
    if (!SlowFits(slices[next], cards[i])) continue;
    SlowNode after = cards;
    SlowCard& card = after[i];
    ++card.slices;
    card.whole = slices[next].whole_card();
    if (!card.whole) {
      const int units = SlowUnits(slices[next], card);
      for (int unit = 0, taken = 0; taken < units; ++unit) {
        if (!card.used[unit]) card.used[unit] = ++taken > 0;
      }
      card.memory_used += slices[next].memory ? slices[next].memory->value : card.FreeMemory();
      for (int pipe = 0; pipe < 4; ++pipe) {
        if (card.pipes.insert(pipe).second) break;
      }
    }
    if (SlowPlace(after, slices, next + 1)) return true;
  }
  return false;
}

// Nodes whose cards fit, in the policy's order.
inline std::vector<std::string> SlowOrder(const std::map<std::string, SlowNode>& view,
                                          const Request& request) {
  std::vector<std::pair<int, std::string>> order;
  for (const auto& [name, cards] : view) {
    int free_units = 0;
    for (const SlowCard& card : cards) {
      if (card.open && card.HasPipe()) free_units += card.FreeUnits();
    }
    if (request.policy == Policy::kSpread) free_units = -free_units;
    if (SlowPlace(cards, request.slices, 0)) order.emplace_back(free_units, name);
  }
  std::sort(order.begin(), order.end());
  std::vector<std::string> names;
  for (const auto& [free_units, name] : order) names.push_back(name);
  return names;
}

}  // namespace vdcu::dcu
