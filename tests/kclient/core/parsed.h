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
    const auto root = parser_.Parse(text);
    EXPECT_TRUE(root) << text;
    root_ = root.value_or(JsonView());
  }
  Parsed(const Parsed&) = delete;
  Parsed& operator=(const Parsed&) = delete;

  JsonView view() const { return root_; }

 private:
  JsonParser parser_;
  JsonView root_;
};

}  // namespace vdcu::kclient
