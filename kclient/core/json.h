// Reading JSON without exceptions: small getters over simdjson's DOM that take what is absent, null
// or of another type as "not there".
//
// A view is valid only until the parser that made it parses again; decoders copy what they keep.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

namespace vdcu::kclient {

using JsonView = simdjson::dom::element;
using JsonArray = simdjson::dom::array;
using JsonObject = simdjson::dom::object;

std::optional<JsonView> Get(JsonView object, std::string_view key);
std::optional<std::string_view> GetString(JsonView object, std::string_view key);
std::string GetStringOr(JsonView object, std::string_view key, std::string_view fallback = "");
std::optional<int64_t> GetInt(JsonView object, std::string_view key);
std::optional<bool> GetBool(JsonView object, std::string_view key);

// Calls visit(JsonView) for each element of the array object[key], visit(std::string_view,
// JsonView) for each member of the object object[key]; nothing if it is absent.
template <class Visit>
void ForEach(JsonView object, std::string_view key, Visit visit) {
  JsonArray array;
  if (const auto found = Get(object, key); found && !found->get(array)) {
    for (JsonView element : array) visit(element);
  }
}

template <class Visit>
void ForEachMember(JsonView object, std::string_view key, Visit visit) {
  JsonObject members;
  if (const auto found = Get(object, key); found && !found->get(members)) {
    for (const auto& [name, value] : members) visit(name, value);
  }
}

}  // namespace vdcu::kclient
