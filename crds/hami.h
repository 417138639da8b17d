// The annotations by which tools that were made for HAMi learn which cards a node has, and which
// pod has what of them. They are written for readers only (--hami): nothing of ours reads them, and
// the pod's "…-devices-to-allocate", on which HAMi's own plugins act, is never written.
//
// Node: hami.io/node-FAMILY-register, a segment for each card, each ended by ":"
//   id,count,memory in MiB,cores (100),type,NUMA node,health,index,mode
// Pod: hami.io/FAMILY-devices-allocated, "id,type,memory in MiB,percent:" for each card of a
// container, each container ended by ";", init containers first, empty where none asks.
// FAMILY is dcu, with ids by index (DCU-0), or hcu, with ids by serial number (HCU-T6T82900…): so
// HAMi-WebUI joins cards and pods. The mode "vdcu" tells ours from another plugin's.
//
// Sources: HAMi pkg/device/devices.go (DecodeNodeDevices, EncodePodSingleDevice), pkg/device/hygon;
// HAMi-WebUI server/internal/provider/hygon/provider.go and hcu.go, docs/providers/hygon.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "crds/spelling.h"
#include "dcu/device.h"
#include "kclient/core/meta.h"

namespace vdcu::crds {

// As which family cards are told of; one only, as readers of both would count each card twice.
enum class Hami { kOff, kDcu, kHcu };
inline constexpr Spellings<Hami, 3> kHamis{
    {{"off", Hami::kOff}, {"dcu", Hami::kDcu}, {"hcu", Hami::kHcu}}};

inline constexpr std::string_view kHamiPrefix = "hami.io/";

// Of a family that is not kOff.
std::string HamiRegisterKey(Hami family);
std::string HamiHandshakeKey(Hami family);

// The register's value; empty: there is no card.
std::string HamiRegister(Hami family, const std::vector<dcu::Device>& cards);
// All of its segments have our mode.
bool IsOurHamiRegister(std::string_view text);

// A part of a card that a container has; percent of its units, rounded up.
struct HamiShare {
  const dcu::Device& card;
  dcu::MiB memory;
  int compute_units = 0;
};
using HamiSlots = std::vector<std::vector<HamiShare>>;  // by container, init containers first

// What a binding to the node writes down.
kclient::Labels HamiPodAnnotations(Hami family, const std::string& node, const HamiSlots& slots,
                                   base::WallTime now);

}  // namespace vdcu::crds
