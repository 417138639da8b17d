// Reads the fields of one JSON object, for FromJson of our kinds: what is missing, of another type
// or out of range is an error that names path, value and what would be right.
//
// - A reader and those of the objects inside it share one status: the first error stays, later
//   getters go on with defaults, and the caller looks once, at the end.
// - null counts as absent.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dcu/assignment.h"
#include "dcu/units.h"
#include "kclient/core/json.h"

namespace vdcu::crds {

// The most memory that the API takes: 1 TiB.
inline constexpr dcu::MiB kMaxMemory{1024 * 1024};
inline constexpr int kMaxVdev = 65535;

// "2000Mi", "2Gi": whole MiB with a unit, 0 to kMaxMemory. Errors: kInvalid.
base::Result<dcu::MiB> ParseMemory(std::string_view text);
// "2000Mi"
std::string MemoryText(dcu::MiB memory);

// "cluster" and "namespace", as the API, annotations and flags spell them.
std::string_view ToString(dcu::Sharing share);
std::optional<dcu::Sharing> ParseSharing(std::string_view text);

class Fields {
 public:
  // `path` is the object's own ("spec.assignment"), empty for the root.
  Fields(kclient::JsonView object, std::string path, base::Status& status)
      : object_(object), path_(std::move(path)), status_(status) {}

  kclient::JsonView view() const { return object_; }

  std::string String(std::string_view key);    // "" where absent
  std::string Required(std::string_view key);  // absent or "" is an error
  std::string Uid(std::string_view key);       // kclient::IsUid, "" where absent
  std::string RequiredUid(std::string_view key);
  std::optional<int> Int(std::string_view key, int least, int most);
  int RequiredInt(std::string_view key, int least, int most);
  bool RequiredBool(std::string_view key);
  std::optional<dcu::MiB> Memory(std::string_view key);
  dcu::MiB RequiredMemory(std::string_view key);
  dcu::Sharing Sharing(std::string_view key);  // kCluster where absent
  std::vector<std::string> Strings(std::string_view key);
  std::vector<int> Ints(std::string_view key, int least, int most);

  std::optional<Fields> Object(std::string_view key);
  // Calls visit(Fields&) for each element of the list.
  template <class Visit>
  void ForEach(std::string_view key, Visit visit) {
    int index = 0;
    kclient::ForEach(object_, key, [&](kclient::JsonView element) {
      Fields fields(element, PathOf(key) + "[" + std::to_string(index++) + "]", status_);
      visit(fields);
    });
  }

  // `message` says what would be right.
  void Fail(std::string_view key, std::string_view message);

 private:
  std::string PathOf(std::string_view key) const;

  kclient::JsonView object_;
  std::string path_;
  base::Status& status_;
};

}  // namespace vdcu::crds
