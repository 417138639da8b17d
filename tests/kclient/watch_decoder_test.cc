#include "kclient/watch_decoder.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace vdcu::kclient {
namespace {

using base::ErrorCode;
using base::Status;

constexpr std::string_view kStream =
    R"({"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"1"}}})"
    "\n"
    R"({"type":"MODIFIED","object":{"metadata":{"name":"ä\n"},"n":[1,-2.5,true,null]}})"
    "\r\n\n"
    R"({"object":{"metadata":{"resourceVersion":"7"}},"type":"BOOKMARK"})"
    "\n"
    R"({"type":"DELETED","object":{}})"
    "\n"
    R"({"type":"ERROR","object":{"kind":"Status","code":410}})"
    "\n";

struct Told {
  std::vector<std::string> events;
  Status status;
};

Told Decode(const std::vector<std::string_view>& parts, size_t longest_line = 1000) {
  Told told;
  WatchDecoder decoder(longest_line);
  for (const std::string_view part : parts) {
    told.status = decoder.Feed(part, [&told](const WatchEvent& event) {
      told.events.push_back(std::to_string(static_cast<int>(event.type)) + " " +
                            event.object.Text());
      return base::Ok();
    });
    if (!told.status) return told;
  }
  told.status = decoder.End();
  return told;
}

TEST(WatchDecoder, TellsEachEventOfAStream) {
  const Told told = Decode({kStream});
  ASSERT_TRUE(told.status) << told.status.error().message;
  ASSERT_EQ(told.events.size(), 5u);
  EXPECT_EQ(told.events[0], R"(0 {"metadata":{"name":"a","resourceVersion":"1"}})");
  EXPECT_EQ(told.events[1], R"(1 {"metadata":{"name":"ä\n"},"n":[1,-2.5,true,null]})");
  EXPECT_EQ(told.events[2], R"(3 {"metadata":{"resourceVersion":"7"}})");
  EXPECT_EQ(told.events[3], "2 {}");
  EXPECT_EQ(told.events[4], R"(4 {"kind":"Status","code":410})");
}

TEST(WatchDecoder, TellsTheSameWhereverTheStreamIsCut) {
  const Told whole = Decode({kStream});
  for (size_t cut = 0; cut <= kStream.size(); ++cut) {
    const Told told = Decode({kStream.substr(0, cut), kStream.substr(cut)});
    EXPECT_TRUE(told.status) << "cut at " << cut;
    EXPECT_EQ(told.events, whole.events) << "cut at " << cut;
  }
  std::vector<std::string_view> bytes;
  for (size_t at = 0; at < kStream.size(); ++at) bytes.push_back(kStream.substr(at, 1));
  EXPECT_EQ(Decode(bytes).events, whole.events);
}

TEST(WatchDecoder, AStreamThatEndsWithinAnEventIsCorrupt) {
  for (size_t end = 1; end < kStream.size(); ++end) {
    const bool between_events = kStream[end - 1] == '\n';
    EXPECT_EQ(Decode({kStream.substr(0, end)}).status.has_value(), between_events) << end;
  }
}

TEST(WatchDecoder, WhatIsNoEventIsCorruptAndNamed) {
  const struct {
    const char* description;
    std::string line;
    std::string want_message;
  } kCases[] = {
      {"text", "<html>502</html>", "watch event \"<html>502</html>\": "},
      {"bytes that are not UTF-8", "{\"type\":\"ADDED\",\"object\":{\"a\":\"\xff\"}}", "UTF-8"},
      {"a cut object", R"({"type":"ADDED","object":{"a")", "watch event"},
      {"no type", R"({"object":{}})", "has no \"type\" that is a string"},
      {"a type that is no string", R"({"type":1,"object":{}})", "has no \"type\""},
      {"an unknown type", R"({"type":"OTHER","object":{}})", "is not ADDED, MODIFIED"},
      {"no object", R"({"type":"ADDED"})", "has no \"object\""},
      {"an object that is none", R"({"type":"ADDED","object":[]})", "has no \"object\""},
      {"an array", R"(["ADDED"])", "has no \"type\""},
      {"two events on a line", R"({"type":"ADDED","object":{}}{})", "watch event"},
      {"a line above the bound", std::string(1001, ' '), "longer than 1000 bytes"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.description);
    const Told told = Decode({test.line + "\n"});
    ASSERT_FALSE(told.status);
    EXPECT_EQ(told.status.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(told.status.error().message.find(test.want_message), std::string::npos)
        << told.status.error().message;
    EXPECT_TRUE(told.events.empty());
  }
}

TEST(WatchDecoder, ALineThatNeverEndsIsRefusedBeforeItIsKept) {
  WatchDecoder decoder(1000);
  const auto ignore = [](const WatchEvent&) { return base::Ok(); };
  ASSERT_TRUE(decoder.Feed(std::string(600, ' '), ignore));
  const Status status = decoder.Feed(std::string(600, ' '), ignore);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
}

TEST(WatchDecoder, AnErrorOfTheVisitorEndsTheDecodingAndIsReturned) {
  WatchDecoder decoder;
  int visited = 0;
  const Status status = decoder.Feed(kStream, [&visited](const WatchEvent&) -> Status {
    ++visited;
    return base::Invalid("enough");
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "enough");
  EXPECT_EQ(visited, 1);
}

}  // namespace
}  // namespace vdcu::kclient
