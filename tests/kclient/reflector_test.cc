#include "kclient/reflector.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fakes/fake_transport.h"
#include "tests/fakes/simulated_loop.h"

namespace vdcu::kclient {
namespace {

using base::Duration;
using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using State = Reflector::State;

// "begin", "a" of each listed, "end", "+a" of each event.
class RecordingSink : public ReflectorSink {
 public:
  void OnListBegin() override { told.emplace_back("begin"); }
  void OnVersionsWentBack() override { told.emplace_back("back"); }
  void OnListed(JsonView object) override { told.push_back(Name(object)); }
  void OnListEnd(const std::string& /*version*/) override { told.emplace_back("end"); }
  void OnEvent(WatchEvent::Type type, JsonView object) override {
    const char* sign = type == WatchEvent::Type::kAdded      ? "+"
                       : type == WatchEvent::Type::kModified ? "~"
                                                             : "-";
    told.push_back(sign + Name(object));
  }

  std::vector<std::string> told;

 private:
  static std::string Name(JsonView object) {
    const auto meta = Get(object, "metadata");
    return meta ? GetStringOr(*meta, "name") : "?";
  }
};

std::string Object(const std::string& name, int version) {
  return R"({"metadata":{"name":")" + name + R"(","resourceVersion":")" + std::to_string(version) +
         R"("}})";
}
std::string Page(int version, const std::string& items, const std::string& rest = "") {
  return R"({"metadata":{"resourceVersion":")" + std::to_string(version) + R"(","continue":")" +
         rest + R"("},"items":[)" + items + "]}";
}
std::string Event(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}
std::string Status(int code, const std::string& reason) {
  return R"({"kind":"Status","message":"why","reason":")" + reason + R"(","code":)" +
         std::to_string(code) + "}";
}

class ReflectorTest : public testing::Test {
 protected:
  // The path of the newest request.
  std::string Path() const { return transport_.requests().back().path; }
  bool IsList() const { return Path().find("watch=true") == std::string::npos; }
  bool Asks(std::string_view parameter) const {
    return Path().find(parameter) != std::string::npos;
  }
  void Answer(int status, const std::string& body, Duration retry_after = {}) {
    transport_.Answer(transport_.last(), status, body, retry_after);
  }
  void Data(const std::string& bytes) { transport_.Data(transport_.last(), bytes); }
  // More than a page.
  void ListAndWatch() {
    reflector_.Start();
    Answer(200, Page(10, Object("a", 5), "next"));
    Answer(200, Page(10, ""));
    sink_.told.clear();
  }
  // After a failure the server is asked for its version first.
  void AnswerCheck(int version) {
    ASSERT_EQ(reflector_.state(), State::kChecking);
    EXPECT_TRUE(IsList() && Asks("limit=1&") && !Asks("resourceVersion")) << Path();
    Answer(200, Page(version, ""));
  }
  // How long until the next request, to a second.
  Duration UntilRetry() {
    const size_t before = transport_.requests().size();
    Duration waited{0};
    while (transport_.requests().size() == before && waited < minutes(5)) {
      loop_.Advance(milliseconds(100));
      waited += milliseconds(100);
    }
    return waited;
  }

  fakes::FakeTransport transport_;
  fakes::SimulatedLoop loop_;
  Client client_{transport_};
  RecordingSink sink_;
  double random_ = 0.999;
  Reflector reflector_{
      client_, loop_, sink_, {kPods, "", "spec.nodeName=n", ""}, [this] { return random_; }};
};

using Strings = std::vector<std::string>;

// An etcd that was restored may be past our version by then.
TEST_F(ReflectorTest, WhatFitsOnAPageIsListedAnewAfterAFailure) {
  reflector_.Start();
  Answer(200, Page(10, Object("a", 5)));
  transport_.Fail(transport_.last(), {ErrorCode::kUnavailable, "refused", {}});
  sink_.told.clear();
  UntilRetry();
  EXPECT_EQ(reflector_.state(), State::kListing);
  EXPECT_TRUE(IsList() && Asks("limit=500&") && !Asks("resourceVersion")) << Path();
  Answer(200, Page(12, Object("b", 5)));
  EXPECT_EQ(sink_.told, (Strings{"begin", "back", "b", "end"}));
  EXPECT_TRUE(Asks("resourceVersion=12"));
}

TEST_F(ReflectorTest, ListsInPagesThatAreConsistentReadsAndThenWatches) {
  reflector_.Start();
  EXPECT_EQ(reflector_.state(), State::kListing);
  EXPECT_TRUE(Asks("limit=500"));
  EXPECT_TRUE(Asks("fieldSelector=spec.nodeName%3Dn"));
  EXPECT_FALSE(Asks("resourceVersion")) << "a version would allow an old cache to answer";
  Answer(200, Page(10, Object("a", 5) + "," + Object("b", 6), "next"));
  EXPECT_TRUE(Asks("continue=next"));
  Answer(200, Page(10, Object("c", 7)));
  EXPECT_EQ(sink_.told, (Strings{"begin", "a", "b", "c", "end"}));
  EXPECT_EQ(reflector_.state(), State::kWatching);
  EXPECT_TRUE(Asks("resourceVersion=10"));
  EXPECT_TRUE(Asks("allowWatchBookmarks=true"));
  EXPECT_TRUE(Asks("fieldSelector=spec.nodeName%3Dn"));
}

TEST_F(ReflectorTest, TellsEventsAsTheyComeWhereverTheyAreCut) {
  ListAndWatch();
  for (const char byte : Event("ADDED", Object("b", 11)) + Event("MODIFIED", Object("b", 12)) +
                             Event("DELETED", Object("b", 13))) {
    Data(std::string(1, byte));
  }
  EXPECT_EQ(sink_.told, (Strings{"+b", "~b", "-b"}));
}

TEST_F(ReflectorTest, AWatchThatTimesOutIsResumedAtOnceFromTheLastBookmark) {
  ListAndWatch();
  Data(Event("ADDED", Object("b", 11)) + Event("BOOKMARK", Object("", 40)));
  loop_.Advance(seconds(400));
  Answer(200, "");
  EXPECT_EQ(reflector_.state(), State::kWatching);
  EXPECT_TRUE(Asks("resourceVersion=40"));
  EXPECT_EQ(sink_.told, Strings{"+b"});
}

TEST_F(ReflectorTest, WatchesAskForRandomTimeouts) {
  random_ = 0;
  ListAndWatch();
  EXPECT_TRUE(Asks("timeoutSeconds=300&"));
  random_ = 0.999;
  loop_.Advance(seconds(300));
  Answer(200, "");
  EXPECT_TRUE(Asks("timeoutSeconds=599&"));
}

TEST_F(ReflectorTest, AnExpiredVersionIsListedAnewAtOnceHoweverTheServerSaysIt) {
  const struct {
    const char* description;
    std::function<void()> happens;
  } kCases[] = {
      {"an ERROR event", [this] { Data(Event("ERROR", Status(410, "Expired"))); }},
      {"a 410", [this] { Answer(410, Status(410, "Gone")); }},
      {"a version that the server has not reached",
       [this] {
         Answer(504, R"({"kind":"Status","reason":"Timeout","code":504,
           "details":{"causes":[{"reason":"ResourceVersionTooLarge"}]}})");
       }},
  };
  ListAndWatch();
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.description);
    loop_.Advance(minutes(3));  // of health
    test.happens();
    EXPECT_EQ(reflector_.state(), State::kBackingOff);
    loop_.Advance(Duration(0));
    ASSERT_EQ(reflector_.state(), State::kListing);
    EXPECT_FALSE(Asks("resourceVersion"));
    Answer(200, Page(20, Object("b", 15)));
    EXPECT_TRUE(Asks("resourceVersion=20"));
    EXPECT_EQ(sink_.told, (Strings{"begin", "b", "end"}));
    sink_.told.clear();
  }
}

TEST_F(ReflectorTest, AVersionThatExpiredInAnOutageIsListedAnewAtOnce) {
  ListAndWatch();
  Answer(503, Status(503, "ServiceUnavailable"));
  UntilRetry();
  Answer(503, Status(503, "ServiceUnavailable"));
  UntilRetry();
  AnswerCheck(20);
  Answer(410, Status(410, "Expired"));
  loop_.Advance(Duration(0));
  EXPECT_EQ(reflector_.state(), State::kListing);
}

TEST_F(ReflectorTest, VersionsThatExpireAgainAndAgainAreAFailure) {
  ListAndWatch();
  Answer(410, Status(410, "Expired"));
  loop_.Advance(Duration(0));
  Answer(200, Page(20, ""));
  Answer(410, Status(410, "Expired"));
  EXPECT_GT(UntilRetry(), seconds(1));
}

TEST_F(ReflectorTest, APageThatExpiresBeginsTheListAnew) {
  reflector_.Start();
  Answer(200, Page(10, Object("a", 5), "next"));
  Answer(410, Status(410, "Expired"));
  loop_.Advance(Duration(0));
  EXPECT_FALSE(Asks("continue"));
  Answer(200, Page(20, Object("b", 15)));
  EXPECT_EQ(sink_.told, (Strings{"begin", "a", "begin", "b", "end"}));
}

TEST_F(ReflectorTest, APageThatIsTooLongIsAskedForAgainWithHalfAsMany) {
  const Error too_long{ErrorCode::kNoCapacity, "the answer is longer than 33554432 bytes", {}};
  reflector_.Start();
  Answer(200, Page(10, Object("a", 5), "next"));
  transport_.Fail(transport_.last(), too_long);
  EXPECT_TRUE(Asks("limit=250&continue=next")) << Path();
  transport_.Fail(transport_.last(), too_long);
  EXPECT_TRUE(Asks("limit=125&continue=next")) << Path();
  for (const char* name : {"b", "c", "d"}) {
    Answer(200, Page(10, Object(name, 6), "more"));
    EXPECT_TRUE(Asks("limit=125&continue=more")) << Path();
  }
  Answer(200, Page(10, Object("e", 7), "more"));
  EXPECT_TRUE(Asks("limit=250&continue=more")) << "they grow again: " << Path();
  Answer(200, Page(10, Object("f", 8)));
  EXPECT_EQ(sink_.told, (Strings{"begin", "a", "b", "c", "d", "e", "f", "end"}));
}

TEST_F(ReflectorTest, AnObjectThatIsTooLongAloneIsNamedAndTriedAgainLater) {
  testing::internal::CaptureStdout();
  const auto refuse = [this] {
    int answers = 0;
    while (reflector_.state() == State::kListing) {
      transport_.Fail(transport_.last(), {ErrorCode::kNoCapacity, "longer than 9 bytes", {}});
      ++answers;
    }
    return answers;
  };
  reflector_.Start();
  EXPECT_EQ(refuse(), 9) << "500, 250 ... 1";
  EXPECT_TRUE(Asks("limit=1&"));
  EXPECT_GE(UntilRetry(), milliseconds(400));
  EXPECT_TRUE(Asks("limit=1&"));
  Answer(200, Page(10, R"({"metadata":{"name":"p1","namespace":"team"}})", "next"));
  EXPECT_EQ(refuse(), 1);
  EXPECT_GE(UntilRetry(), milliseconds(400));
  const std::string log = testing::internal::GetCapturedStdout();
  EXPECT_NE(log.find("longer than 9 bytes: a single object, the first"), std::string::npos) << log;
  EXPECT_NE(log.find("a single object, the one after team/p1"), std::string::npos) << log;
}

TEST_F(ReflectorTest, AWatchCutWithinAnEventIsResumedFromBeforeIt) {
  ListAndWatch();
  const std::string cut = R"({"type":"ADDED","object":{"meta)";
  Data(Event("ADDED", Object("b", 11)) + cut);
  Answer(200, "");
  EXPECT_EQ(reflector_.state(), State::kBackingOff);
  UntilRetry();
  AnswerCheck(20);
  EXPECT_TRUE(Asks("resourceVersion=11"));
  Data(Event("ADDED", Object("c", 12)) + cut);
  transport_.Fail(transport_.last(), {ErrorCode::kUnavailable, "reset", {}});
  EXPECT_EQ(reflector_.state(), State::kBackingOff);
  UntilRetry();
  AnswerCheck(20);
  EXPECT_TRUE(Asks("resourceVersion=12"));
  Data(Event("ADDED", Object("d", 13)));
  EXPECT_EQ(sink_.told, (Strings{"+b", "+c", "+d"}));
}

// An object of that node; "": of none.
std::string Of(const std::string& node, const std::string& name, int version) {
  const std::string object = Object(name, version);
  return node.empty() ? object
                      : object.substr(0, object.size() - 1) + R"(,"node":")" + node + R"("})";
}

TEST(Reflector, GoesByLabelForGoodWhereTheFieldIsNotKnown) {
  fakes::FakeTransport transport;
  fakes::SimulatedLoop loop;
  Client client(transport);
  RecordingSink sink;
  Reflector reflector(client, loop, sink,
                      {.resource = kPods,
                       .ns = "",
                       .field_selector = "spec.node=n",
                       .label_selector = "",
                       .label_instead = "node=n",
                       .only = [](JsonView object) { return GetStringOr(object, "node") == "n"; }},
                      [] { return 0.5; });
  const auto path = [&] { return transport.requests().back().path; };
  const auto answer = [&](int status, const std::string& body) {
    transport.Answer(transport.last(), status, body);
  };
  testing::internal::CaptureStdout();
  reflector.Start();
  EXPECT_NE(path().find("fieldSelector=spec.node%3Dn"), std::string::npos) << path();
  answer(400, Status(400, "BadRequest"));
  EXPECT_EQ(path().find("fieldSelector"), std::string::npos) << "at once: " << path();
  EXPECT_NE(path().find("labelSelector=node%3Dn"), std::string::npos) << path();
  answer(200, Page(10, Of("n", "a", 5) + "," + Of("m", "b", 6) + "," + Of("", "c", 7)));
  EXPECT_NE(path().find("labelSelector=node%3Dn"), std::string::npos) << path();
  EXPECT_NE(path().find("watch=true"), std::string::npos) << path();
  for (const auto& [type, object] :
       {std::pair("ADDED", Of("n", "d", 11)), std::pair("MODIFIED", Of("m", "d", 12)),
        std::pair("MODIFIED", Of("n", "d", 13))}) {
    transport.Data(transport.last(), Event(type, object));
  }
  EXPECT_EQ(sink.told, (std::vector<std::string>{"begin", "begin", "a", "end", "+d", "-d", "~d"}))
      << "what is another's counts as not there";
  // Another refusal is an ordinary failure.
  transport.Fail(transport.last(), {ErrorCode::kUnavailable, "reset", {}});
  loop.Advance(seconds(5));
  answer(400, Status(400, "BadRequest"));
  EXPECT_EQ(reflector.state(), State::kBackingOff);
  loop.Advance(seconds(20));
  EXPECT_NE(path().find("labelSelector=node%3Dn"), std::string::npos) << path();
  const std::string log = testing::internal::GetCapturedStdout();
  const std::string line = "the API server does not select by this field: asking by label";
  EXPECT_NE(log.find(line), std::string::npos) << log;
  EXPECT_EQ(log.find(line), log.rfind(line)) << "once: " << log;
}

TEST_F(ReflectorTest, GarbageEndsTheWatchAndItIsTriedAgain) {
  ListAndWatch();
  const size_t watch = transport_.last();
  Data("<html>\n");
  EXPECT_FALSE(transport_.open(watch));
  EXPECT_EQ(reflector_.state(), State::kBackingOff);
  loop_.Advance(seconds(1));
  AnswerCheck(10);
  EXPECT_TRUE(Asks("resourceVersion=10"));
}

TEST_F(ReflectorTest, FailuresAreRetriedAfterDoubledDelaysUpTo10Seconds) {
  reflector_.Start();
  std::vector<Duration> delays;
  for (int i = 0; i < 6; ++i) {
    Answer(500, "broken");
    delays.push_back(UntilRetry());
  }
  const std::vector<Duration> want{milliseconds(800),  milliseconds(1600), milliseconds(3200),
                                   milliseconds(6400), seconds(10),        seconds(10)};
  EXPECT_EQ(delays, want);
  random_ = 0;
  Answer(500, "broken");
  EXPECT_EQ(UntilRetry(), seconds(5)) << "jitter takes up to a half";
}

TEST_F(ReflectorTest, TwoMinutesWithoutAFailureStartAgain) {
  reflector_.Start();
  for (int i = 0; i < 6; ++i) {
    Answer(500, "broken");
    UntilRetry();
  }
  Answer(200, Page(10, ""));
  loop_.Advance(minutes(2) + seconds(1));
  transport_.Fail(transport_.last(), {ErrorCode::kUnavailable, "reset", {}});
  EXPECT_LE(UntilRetry(), milliseconds(800));
}

TEST_F(ReflectorTest, AWatchThatBroughtEventsForTenSecondsStartsAgain) {
  reflector_.Start();
  const auto fail_after = [this](Duration time) {
    loop_.Advance(time);
    transport_.Fail(transport_.last(), {ErrorCode::kUnavailable, "reset", {}});
    const Duration waited = UntilRetry();
    AnswerCheck(20);
    return waited;
  };
  for (int i = 0; i < 6; ++i) {
    Answer(500, "broken");
    UntilRetry();
  }
  Answer(200, Page(10, Object("a", 5), "next"));
  Answer(200, Page(10, ""));
  EXPECT_GE(fail_after(seconds(11)), seconds(9)) << "without an event, maybe nobody was there";
  Data(Event("ADDED", Object("a", 11)));
  EXPECT_GE(fail_after(seconds(9)), seconds(9));
  Data(Event("ADDED", Object("a", 12)));
  EXPECT_LE(fail_after(seconds(11)), milliseconds(800));
}

TEST_F(ReflectorTest, RetryAfterIsObeyed) {
  reflector_.Start();
  Answer(429, "slow down", seconds(7));
  EXPECT_EQ(UntilRetry(), seconds(7));
  Answer(429, "slow down", seconds(3600));
  EXPECT_EQ(UntilRetry(), seconds(60)) << "within reason";
}

TEST_F(ReflectorTest, AVersionBelowOursAfterAFailureIsListedAnew) {
  ListAndWatch();
  Data(Event("ADDED", Object("b", 30)));
  transport_.Fail(transport_.last(), {ErrorCode::kUnavailable, "reset", {}});
  UntilRetry();
  sink_.told.clear();
  AnswerCheck(20);
  EXPECT_EQ(reflector_.state(), State::kListing);
  Answer(200, Page(20, Object("a", 5)));
  EXPECT_EQ(sink_.told, (Strings{"begin", "back", "a", "end"}));
  EXPECT_TRUE(Asks("resourceVersion=20"));
}

TEST_F(ReflectorTest, AnEventBelowOurVersionIsListedAnew) {
  ListAndWatch();
  for (const char* type : {"MODIFIED", "BOOKMARK"}) {
    loop_.Advance(minutes(3));  // of health
    Data(Event("ADDED", Object("b", 30)));
    sink_.told.clear();
    Data(Event(type, Object("b", 29)));
    loop_.Advance(Duration(0));
    ASSERT_EQ(reflector_.state(), State::kListing) << type;
    Answer(200, Page(30, Object("b", 29)));
    EXPECT_EQ(sink_.told, (Strings{"begin", "b", "end"})) << type;
  }
}

TEST_F(ReflectorTest, AfterThirtySecondsOfSilenceAllIsListedAnew) {
  ListAndWatch();
  Data("");
  loop_.Advance(seconds(31));
  transport_.Fail(transport_.last(), {ErrorCode::kUnavailable, "reset", {}});
  UntilRetry();
  EXPECT_EQ(reflector_.state(), State::kListing);
}

TEST_F(ReflectorTest, FailsFromTheFirstFailureUntilAWatchIsOpen) {
  ListAndWatch();
  Data("");
  EXPECT_EQ(reflector_.FailingFor(), Duration(0));
  loop_.Advance(minutes(10));
  EXPECT_EQ(reflector_.FailingFor(), Duration(0)) << "a watch with nothing to tell";
  Answer(503, "down");
  for (int i = 0; i < 3; ++i) {
    UntilRetry();
    Answer(503, "down");
  }
  EXPECT_GT(reflector_.FailingFor(), seconds(4));
  EXPECT_EQ(reflector_.Failure(), "") << "it may be over soon";
  loop_.Advance(seconds(30));
  EXPECT_NE(reflector_.Failure().find("pods: list and watch have failed for 3"), std::string::npos)
      << reflector_.Failure();
  EXPECT_NE(reflector_.Failure().find("HTTP 503: down"), std::string::npos);
  Answer(200, Page(20, ""));
  EXPECT_NE(reflector_.Failure(), "") << "lists alone do not do";
  Data("");
  EXPECT_EQ(reflector_.FailingFor(), Duration(0));
}

TEST_F(ReflectorTest, FailsWithoutAnAnswerForThirtySeconds) {
  reflector_.Start();
  Answer(200, Page(10, "", "next"));
  loop_.Advance(seconds(29));
  EXPECT_EQ(reflector_.FailingFor(), Duration(0)) << "lists may be long";
  loop_.Advance(seconds(2));
  EXPECT_NE(reflector_.Failure().find("no answer"), std::string::npos) << reflector_.Failure();
}

TEST_F(ReflectorTest, AKindThatIsNotInstalledIsAwaited) {
  reflector_.Start();
  for (int i = 0; i < 10; ++i) {
    Answer(404, "404 page not found");
    EXPECT_LE(UntilRetry(), seconds(5));
  }
  Answer(200, Page(10, Object("a", 5)));
  EXPECT_EQ(reflector_.state(), State::kWatching);
}

TEST_F(ReflectorTest, AWatchOfAKindThatIsRemovedListsAnew) {
  ListAndWatch();
  Answer(404, "404 page not found");
  UntilRetry();
  EXPECT_TRUE(IsList());
}

TEST_F(ReflectorTest, AWatchThatEndsAtOnceWithoutAnEventIsAFailure) {
  ListAndWatch();
  Answer(200, "");
  EXPECT_EQ(reflector_.state(), State::kBackingOff);
  UntilRetry();
  AnswerCheck(10);
  Data(Event("BOOKMARK", Object("", 11)));
  Answer(200, "");
  EXPECT_EQ(reflector_.state(), State::kWatching) << "this one had an event";
}

TEST_F(ReflectorTest, AnswersWithoutAVersionAreNotBelieved) {
  reflector_.Start();
  Answer(200, R"({"items":[]})");
  EXPECT_EQ(reflector_.state(), State::kBackingOff);
  EXPECT_EQ(sink_.told, Strings{"begin"});
  UntilRetry();
  Answer(200, Page(10, ""));
  sink_.told.clear();
  Data(Event("ADDED", R"({"metadata":{"name":"b"}})"));
  EXPECT_EQ(reflector_.state(), State::kBackingOff);
  EXPECT_TRUE(sink_.told.empty());
}

}  // namespace
}  // namespace vdcu::kclient
