// An event about an object, as a value: what kubectl describe shows below it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace vdcu::kclient {

struct ObjectReference {
  std::string api_version;
  std::string kind;
  std::string ns;  // empty for cluster-scoped objects
  std::string name;
  std::string uid;

  friend auto operator<=>(const ObjectReference&, const ObjectReference&) = default;
};

enum class EventType { kNormal, kWarning };

struct Event {
  ObjectReference regarding;
  EventType type = EventType::kNormal;
  std::string reason;  // why, in CamelCase, for machines: "Unschedulable"
  std::string action;  // what was done or tried, in CamelCase: "Assigning"
  std::string note;    // for people; cut to 1 KiB when it is sent

  friend auto operator<=>(const Event&, const Event&) = default;
};

}  // namespace vdcu::kclient
