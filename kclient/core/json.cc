#include "kclient/core/json.h"

namespace vdcu::kclient {

namespace {

template <class T>
std::optional<T> GetAs(JsonView object, std::string_view key) {
  T value;
  const auto found = Get(object, key);
  if (!found || found->get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

}  // namespace

std::optional<JsonView> Get(JsonView object, std::string_view key) {
  JsonObject members;
  JsonView value;
  if (object.get(members) != simdjson::SUCCESS) return std::nullopt;
  if (members.at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return value;
}

std::optional<std::string_view> GetString(JsonView object, std::string_view key) {
  return GetAs<std::string_view>(object, key);
}

std::string GetStringOr(JsonView object, std::string_view key, std::string_view fallback) {
  return std::string(GetString(object, key).value_or(fallback));
}

std::optional<int64_t> GetInt(JsonView object, std::string_view key) {
  return GetAs<int64_t>(object, key);
}

std::optional<bool> GetBool(JsonView object, std::string_view key) {
  return GetAs<bool>(object, key);
}

}  // namespace vdcu::kclient
