// A JSON text with the parser that its view needs, for tests.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "kclient/core/json.h"

namespace vdcu::kclient {

class Parsed {
 public:
  explicit Parsed(std::string_view text) {
    const auto error = parser_.parse(std::string(text)).get(root_);
    EXPECT_EQ(error, simdjson::SUCCESS) << text;
  }
  Parsed(const Parsed&) = delete;
  Parsed& operator=(const Parsed&) = delete;

  JsonView view() const { return root_; }

 private:
  simdjson::dom::parser parser_;
  JsonView root_;
};

}  // namespace vdcu::kclient
