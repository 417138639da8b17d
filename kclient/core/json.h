// Reading JSON without exceptions: views of a parsed text, and small getters that take what is
// absent, null or of another type as "not there".
//
// A view is valid only until its parser parses again or is destroyed; decoders copy what they keep.
// simdjson stands in json.cc alone: its header costs every source that includes it a second.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vdcu::kclient {

// A value within a parsed text: two words, to be copied.
class JsonView {
 public:
  // Of no text: only to be assigned to.
  JsonView() = default;

  bool IsObject() const;
  std::optional<std::string_view> String() const;
  std::optional<int64_t> Int() const;
  // As JSON without spaces.
  std::string Text() const;

 private:
  friend struct JsonAccess;  // json.cc

  const void* document_ = nullptr;
  size_t index_ = 0;
};

// Reuses its memory from one text to the next.
class JsonParser {
 public:
  JsonParser();
  ~JsonParser();
  JsonParser(const JsonParser&) = delete;
  JsonParser& operator=(const JsonParser&) = delete;

  // Errors: kCorrupt, with what is wrong.
  base::Result<JsonView> Parse(std::string_view text);

 private:
  struct Simdjson;
  const std::unique_ptr<Simdjson> simdjson_;
};

std::optional<JsonView> Get(JsonView object, std::string_view key);
std::optional<std::string_view> GetString(JsonView object, std::string_view key);
std::string GetStringOr(JsonView object, std::string_view key, std::string_view fallback = "");
std::optional<int64_t> GetInt(JsonView object, std::string_view key);
std::optional<bool> GetBool(JsonView object, std::string_view key);
// Whether object[key] is an array with elements.
bool HasElements(JsonView object, std::string_view key);

namespace internal {

using Visitor = void (*)(void* visit, std::string_view name, JsonView value);
void VisitElements(JsonView object, std::string_view key, void* visit, Visitor visitor);
void VisitMembers(JsonView object, std::string_view key, void* visit, Visitor visitor);

}  // namespace internal

// Calls visit(JsonView) for each element of the array object[key], visit(std::string_view,
// JsonView) for each member of the object object[key]; nothing if it is absent.
template <class Visit>
void ForEach(JsonView object, std::string_view key, Visit visit) {
  internal::VisitElements(object, key, &visit, [](void* of, std::string_view, JsonView element) {
    (*static_cast<Visit*>(of))(element);
  });
}

template <class Visit>
void ForEachMember(JsonView object, std::string_view key, Visit visit) {
  internal::VisitMembers(object, key, &visit, [](void* of, std::string_view name, JsonView value) {
    (*static_cast<Visit*>(of))(name, value);
  });
}

}  // namespace vdcu::kclient
