// Bytes of a watch, cut anywhere -> events. Pure.
//
// Errors: kCorrupt for what is not a watch event in JSON (and UTF-8), for a line above the bound,
// and at the end for a line that was cut off. After an error the decoder is not fed any more.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kclient/core/json.h"

namespace vdcu::kclient {

struct WatchEvent {
  enum class Type { kAdded, kModified, kDeleted, kBookmark, kError };

  Type type;
  JsonView object;  // of kError: a metav1.Status
};

class WatchDecoder {
 public:
  using Visitor = std::function<base::Status(const WatchEvent&)>;

  explicit WatchDecoder(size_t longest_line = size_t{16} << 20) : longest_line_(longest_line) {}

  // Calls `visit` for each event that is complete now; its views are valid until it returns. An
  // error that it returns ends the decoding and is returned. `visit` may not destroy the decoder.
  base::Status Feed(std::string_view bytes, const Visitor& visit);
  // Forgets what was fed, for a new stream. Not within a visit.
  void Reset() { partial_.clear(); }
  // The stream has ended.
  base::Status End() const;

 private:
  base::Status Line(std::string_view line, const Visitor& visit);

  const size_t longest_line_;
  std::string partial_;  // a line without its end; never longer than longest_line_
  JsonParser parser_;
};

}  // namespace vdcu::kclient
