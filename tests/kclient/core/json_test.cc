#include "kclient/core/json.h"

#include <gtest/gtest.h>

#include "tests/kclient/core/parsed.h"

namespace vdcu::kclient {
namespace {

constexpr std::string_view kText =
    R"({"s":"text","i":-7,"big":18446744073709551615,"d":1.0,"t":true,"n":null,)"
    R"("a":[1,2,3],"o":{"x":"1","y":"2"}})";

TEST(Json, GettersGiveTheValueOfTheRightType) {
  const Parsed json(kText);
  EXPECT_EQ(GetString(json.view(), "s"), "text");
  EXPECT_EQ(GetInt(json.view(), "i"), -7);
  EXPECT_EQ(GetBool(json.view(), "t"), true);
  EXPECT_TRUE(Get(json.view(), "o").has_value());
}

TEST(Json, AbsentNullAndOtherTypesAreNotThere) {
  const Parsed json(kText);
  EXPECT_FALSE(Get(json.view(), "absent"));
  EXPECT_FALSE(Get(json.view(), "n"));
  EXPECT_FALSE(Get(*Get(json.view(), "a"), "s")) << "an array has no members";
  EXPECT_FALSE(GetString(json.view(), "i"));
  EXPECT_FALSE(GetInt(json.view(), "s"));
  EXPECT_FALSE(GetInt(json.view(), "big")) << "past int64";
  EXPECT_FALSE(GetInt(json.view(), "d"));
  EXPECT_FALSE(GetBool(json.view(), "i"));
  EXPECT_EQ(GetStringOr(json.view(), "absent", "instead"), "instead");
  EXPECT_EQ(GetStringOr(json.view(), "s", "instead"), "text");
}

TEST(Json, AViewTellsWhatItIs) {
  const Parsed json(kText);
  const auto text = *Get(json.view(), "s");
  EXPECT_EQ(text.String(), "text");
  EXPECT_FALSE(text.Int());
  EXPECT_FALSE(text.IsObject());
  EXPECT_EQ(Get(json.view(), "i")->Int(), -7);
  EXPECT_TRUE(Get(json.view(), "o")->IsObject());
  EXPECT_EQ(Get(json.view(), "o")->Text(), R"({"x":"1","y":"2"})");
}

TEST(Json, OnlyAnArrayThatIsNotEmptyHasElements) {
  const Parsed json(R"({"full":[0],"empty":[],"object":{"a":1}})");
  EXPECT_TRUE(HasElements(json.view(), "full"));
  EXPECT_FALSE(HasElements(json.view(), "empty"));
  EXPECT_FALSE(HasElements(json.view(), "object"));
  EXPECT_FALSE(HasElements(json.view(), "absent"));
}

TEST(JsonParser, SaysWhatIsWrongAndReadsTheNextText) {
  JsonParser parser;
  const auto cut = parser.Parse(R"({"a": [1, 2)");
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, base::ErrorCode::kCorrupt);
  EXPECT_NE(cut.error().message, "");
  const auto next = parser.Parse(R"({"a": 1})");
  ASSERT_TRUE(next);
  EXPECT_EQ(GetInt(*next, "a"), 1);
}

TEST(Json, ForEachVisitsInOrderAndSkipsWhatIsNoArray) {
  const Parsed json(kText);
  std::string seen;
  ForEach(json.view(), "a", [&](JsonView item) { seen += item.Text(); });
  ForEach(json.view(), "o", [&](JsonView) { seen += "object"; });
  ForEach(json.view(), "absent", [&](JsonView) { seen += "absent"; });
  EXPECT_EQ(seen, "123");
}

TEST(Json, ForEachMemberVisitsInOrderAndSkipsWhatIsNoObject) {
  const Parsed json(kText);
  std::string seen;
  const auto visit = [&](std::string_view name, JsonView value) {
    seen.append(name).append(value.Text());
  };
  ForEachMember(json.view(), "o", visit);
  ForEachMember(json.view(), "a", visit);
  EXPECT_EQ(seen, R"(x"1"y"2")");
}

}  // namespace
}  // namespace vdcu::kclient
