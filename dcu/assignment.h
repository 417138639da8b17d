// What was granted: one slice of one card (or one whole card) of one node, and what was asked for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/interned.h"
#include "dcu/cu_mask.h"
#include "dcu/units.h"

namespace vdcu::dcu {

// Which namespaces may have slices of one card.
enum class Sharing { kCluster, kNamespace };

// The one that lets fewer share.
inline Sharing Stricter(Sharing a, Sharing b) { return a == Sharing::kNamespace ? a : b; }

struct Assignment {
  std::string node;
  std::string device;      // the card's uuid
  std::string pci_bus_id;  // as seen then
  int compute_units = 0;   // == units.Count()
  CuMask units;
  MiB memory;
  // Both set for a slice, neither for a whole card, which needs no vdev file.
  std::optional<int> pipe;  // 0..3, unique on the card
  std::optional<int> vdev;  // the lowest number free on the node
  // kNamespace: its card has, and gets, no slice of another namespace. Of a whole card kCluster.
  Sharing share = Sharing::kCluster;

  bool whole_card() const { return !vdev.has_value(); }
  friend auto operator<=>(const Assignment&, const Assignment&) = default;
};

// Which cards may serve a request; an empty list selects all.
struct DeviceSelector {
  std::vector<std::string> models = {};          // any of these, exact names
  std::vector<std::string> exclude_models = {};  // none of these
  std::vector<std::string> uuids = {};
  std::vector<std::string> exclude_uuids = {};
  // Pod annotations (hygon.com/use-dcutype): a part of the model's name, any case.
  std::vector<std::string> model_parts = {};
  std::vector<std::string> exclude_model_parts = {};

  friend auto operator<=>(const DeviceSelector&, const DeviceSelector&) = default;
};

// One slice, or with neither units, percent nor memory one whole card, alone.
struct SliceRequest {
  std::optional<int> compute_units;        // at most one of compute_units and percent
  std::optional<int> percent;              // of the card's units, rounded up
  std::optional<MiB> memory;               // none: all of the card's memory
  base::Interned<DeviceSelector> devices;  // shared: a pod's slices all have the same

  bool whole_card() const { return !compute_units && !percent && !memory; }
  friend auto operator<=>(const SliceRequest&, const SliceRequest&) = default;
};

enum class Policy {
  kBinPack,             // the fullest node and card that fit
  kSpread,              // the emptiest
  kFragmentationAware,  // where what is left is worth most to the requests that there are (worth.h)
};

}  // namespace vdcu::dcu
