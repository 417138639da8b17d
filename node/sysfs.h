// Reading small files of sysfs: lines trimmed, numbers checked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace vdcu::node {

// The file's content without blanks around it; nothing where it cannot be read.
std::optional<std::string> ReadText(const base::Root& root, const std::string& path);

// A number in decimal, as the whole of `text`.
std::optional<int64_t> ParseNumber(std::string_view text);

// Lines "key value" of a KFD properties file.
class Properties {
 public:
  static base::Result<Properties> Read(const base::Root& root, const std::string& path);

  // Errors: kCorrupt where the key is missing or its value is no number >= 0.
  base::Result<int64_t> Number(const std::string& key) const;
  int64_t NumberOr(const std::string& key, int64_t fallback) const;

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace vdcu::node
