#include "kclient/core/json.h"

#include <bit>
#include <type_traits>

#include <simdjson.h>

namespace vdcu::kclient {

namespace dom = simdjson::dom;

// A view is simdjson's own element, which is two words as well.
struct JsonAccess {
  static_assert(sizeof(JsonView) == sizeof(dom::element));
  static_assert(std::is_trivially_copyable_v<JsonView>);
  static_assert(std::is_trivially_copyable_v<dom::element>);

  static dom::element Of(JsonView view) { return std::bit_cast<dom::element>(view); }
  static JsonView ViewOf(dom::element element) { return std::bit_cast<JsonView>(element); }
};

struct JsonParser::Simdjson {
  dom::parser parser;
};

namespace {

template <class T>
std::optional<T> As(JsonView view) {
  T value;
  if (JsonAccess::Of(view).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

template <class T>
std::optional<T> GetAs(JsonView object, std::string_view key) {
  const auto found = Get(object, key);
  return found ? As<T>(*found) : std::nullopt;
}

}  // namespace

bool JsonView::IsObject() const { return JsonAccess::Of(*this).is_object(); }
std::optional<std::string_view> JsonView::String() const { return As<std::string_view>(*this); }
std::optional<int64_t> JsonView::Int() const { return As<int64_t>(*this); }
std::string JsonView::Text() const { return simdjson::minify(JsonAccess::Of(*this)); }

JsonParser::JsonParser() : simdjson_(std::make_unique<Simdjson>()) {}
JsonParser::~JsonParser() = default;

base::Result<JsonView> JsonParser::Parse(std::string_view text) {
  dom::element root;
  if (const auto code = simdjson_->parser.parse(text.data(), text.size()).get(root);
      code != simdjson::SUCCESS) {
    return base::Corrupt(simdjson::error_message(code));
  }
  return JsonAccess::ViewOf(root);
}

std::optional<JsonView> Get(JsonView object, std::string_view key) {
  dom::object members;
  dom::element value;
  if (JsonAccess::Of(object).get(members) != simdjson::SUCCESS) return std::nullopt;
  if (members.at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return JsonAccess::ViewOf(value);
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

bool HasElements(JsonView object, std::string_view key) {
  const auto array = GetAs<dom::array>(object, key);
  return array && array->begin() != array->end();
}

namespace internal {

void VisitElements(JsonView object, std::string_view key, void* visit, Visitor visitor) {
  const auto array = GetAs<dom::array>(object, key);
  if (!array) return;
  for (const dom::element element : *array) visitor(visit, {}, JsonAccess::ViewOf(element));
}

void VisitMembers(JsonView object, std::string_view key, void* visit, Visitor visitor) {
  const auto members = GetAs<dom::object>(object, key);
  if (!members) return;
  for (const auto& [name, value] : *members) visitor(visit, name, JsonAccess::ViewOf(value));
}

}  // namespace internal

}  // namespace vdcu::kclient
