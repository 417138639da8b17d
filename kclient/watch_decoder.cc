#include "kclient/watch_decoder.h"

#include <optional>
#include <utility>

namespace vdcu::kclient {

namespace {

using base::Status;

std::optional<WatchEvent::Type> TypeOf(std::string_view name) {
  using Type = WatchEvent::Type;
  if (name == "ADDED") return Type::kAdded;
  if (name == "MODIFIED") return Type::kModified;
  if (name == "DELETED") return Type::kDeleted;
  if (name == "BOOKMARK") return Type::kBookmark;
  if (name == "ERROR") return Type::kError;
  return std::nullopt;
}

base::Error BadLine(std::string_view line, std::string_view why) {
  constexpr size_t kMostShown = 80;
  return base::Corrupt("watch event \"" + std::string(line.substr(0, kMostShown)) +
                       (line.size() > kMostShown ? "...\": " : "\": ") + std::string(why));
}

}  // namespace

Status WatchDecoder::Feed(std::string_view bytes, const Visitor& visit) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (partial_.size() + part.size() > longest_line_) {
      return base::Corrupt("a watch event is longer than " + std::to_string(longest_line_) +
                           " bytes");
    }
    if (end == std::string_view::npos) {
      partial_ += part;
      return base::Ok();
    }
    bytes.remove_prefix(end + 1);
    if (partial_.empty()) {
      RETURN_IF_ERROR(Line(part, visit));
    } else {
      partial_ += part;
      const std::string line = std::exchange(partial_, {});
      RETURN_IF_ERROR(Line(line, visit));
    }
  }
  return base::Ok();
}

Status WatchDecoder::End() const {
  if (partial_.empty()) return base::Ok();
  return BadLine(partial_, "the stream ended within it");
}

Status WatchDecoder::Line(std::string_view line, const Visitor& visit) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return base::Ok();
  const auto event = parser_.Parse(line);
  if (!event) return BadLine(line, event.error().message);
  const auto name = GetString(*event, "type");
  if (!name) return BadLine(line, "has no \"type\" that is a string");
  const auto type = TypeOf(*name);
  if (!type) {
    return BadLine(line, "\"type\" is not ADDED, MODIFIED, DELETED, BOOKMARK or ERROR");
  }
  const auto object = Get(*event, "object");
  if (!object || !object->IsObject()) return BadLine(line, "has no \"object\" that is an object");
  return visit({*type, *object});
}

}  // namespace vdcu::kclient
