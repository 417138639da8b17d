// What a node holds, and whether one more slice may stand beside it: the fence against two leaders,
// stale caches and hand-written assignments.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crds/vdcupartition.h"
#include "dcu/assignment.h"
#include "dcu/device.h"

namespace vdcu::node {

// An admitted slice (or whole card), as it is kept on disk until its pod is gone.
struct Slice {
  std::string uid;  // the VDCUPartition's
  std::string ns;
  std::string name;
  dcu::Assignment assignment;
  std::optional<crds::PodRef> pod;  // who uses it: podRef, or of a reserved one usedBy
  std::string lost_since;           // RFC 3339: since when no object names it; empty: one does

  std::string key() const { return ns + "/" + name; }
  friend bool operator==(const Slice&, const Slice&) = default;
};

using Slices = std::map<std::string, Slice, std::less<>>;  // by uid

struct Refusal {
  std::string reason;   // CamelCase: of the condition and the event
  std::string message;  // names what is wrong, and with whom

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

// Reasons that several parts know.
inline constexpr char kVanished[] = "Vanished";        // the card is not on the host any more
inline constexpr char kWriteFailed[] = "WriteFailed";  // the disk keeps nothing

// Nothing: it may be admitted. Else UnknownDevice, MigMode, MaskCountMismatch, UnitsOutOfRange,
// MemoryExceedsCard, CardInUse, OtherNamespace, UnitsOverlap, TooManySlices, PipeTaken or
// VdevTaken. A slice of the same uid in `held` is not compared.
std::optional<Refusal> Admit(const Slices& held, const std::string& uid, const std::string& ns,
                             const dcu::Assignment& assignment,
                             const std::vector<dcu::Device>& devices);

const dcu::Device* FindDevice(const std::vector<dcu::Device>& devices, std::string_view uuid);

}  // namespace vdcu::node
