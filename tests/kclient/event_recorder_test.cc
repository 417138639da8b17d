#include "kclient/event_recorder.h"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/simulated_loop.h"
#include "tests/kclient/oldest_call.h"

namespace vdcu::kclient {
namespace {

using base::Duration;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::StartsWith;

constexpr const char* kPost = "POST /apis/events.k8s.io/v1/namespaces/team-a/events";
constexpr const char* kPatch = "PATCH /apis/events.k8s.io/v1/namespaces/team-a/events/train-0.";

Event MakeEvent(const std::string& note = "no card fits") {
  return {.regarding = {"v1", "Pod", "team-a", "train-0", "pod-uid"},
          .type = EventType::kWarning,
          .reason = "Unschedulable",
          .action = "Assigning",
          .note = note};
}

class EventRecorderTest : public ::testing::Test {
 protected:
  // Answers the oldest request as the API would, and lets the loop turn.
  void Accept() {
    nlohmann::json stored = transport_.Body();
    stored["metadata"]["name"] = "stored";
    stored["metadata"]["uid"] = "event-uid";
    transport_.Answer(201, stored);
    Turn();
  }
  void Turn() { loop_.Advance(Duration(0)); }
  // Records and has the API take what comes of it at once.
  void RecordAndAccept(const Event& event) {
    recorder_->Record(event);
    Turn();
    while (transport_.open() > 0) Accept();
  }
  void Restart(size_t most_waiting) {
    recorder_ =
        std::make_unique<EventRecorder>(loop_, client_,
                                        EventRecorderConfig{"vdcu.io/controller", "controller-0",
                                                            [this] { return idle_; }, most_waiting},
                                        [] { return 1.0; });
  }
  std::vector<std::string> AcceptAllNotes() {
    std::vector<std::string> notes;
    for (Turn(); transport_.open() > 0; Accept()) notes.push_back(transport_.Body()["note"]);
    return notes;
  }

  fakes::SimulatedLoop loop_;
  fakes::FakeTransport fake_;
  OldestCall transport_{fake_};
  Client client_{fake_};
  bool idle_ = true;
  std::unique_ptr<EventRecorder> recorder_;

  EventRecorderTest() { Restart(1000); }
};

TEST_F(EventRecorderTest, AnEventIsCreatedWithAllItsFieldsInItsObjectsNamespace) {
  recorder_->Record(MakeEvent());
  EXPECT_EQ(transport_.open(), 0U) << "never inside the call";
  Turn();
  ASSERT_EQ(transport_.Line(), kPost);
  nlohmann::json body = transport_.Body();
  EXPECT_THAT(body["metadata"]["name"].get<std::string>(), StartsWith("train-0."));
  body["metadata"].erase("name");
  const nlohmann::json want = {{"apiVersion", "events.k8s.io/v1"},
                               {"kind", "Event"},
                               {"metadata", {{"namespace", "team-a"}}},
                               {"eventTime", base::FormatMicroTime(loop_.clock().Wall())},
                               {"type", "Warning"},
                               {"reason", "Unschedulable"},
                               {"action", "Assigning"},
                               {"note", "no card fits"},
                               {"reportingController", "vdcu.io/controller"},
                               {"reportingInstance", "controller-0"},
                               {"regarding",
                                {{"apiVersion", "v1"},
                                 {"kind", "Pod"},
                                 {"namespace", "team-a"},
                                 {"name", "train-0"},
                                 {"uid", "pod-uid"}}}};
  EXPECT_EQ(body, want);
  Accept();
  EXPECT_EQ(recorder_->counts().created, 1U);
  EXPECT_EQ(recorder_->pending(), 0U);
}

TEST_F(EventRecorderTest, AnEventOfAClusterScopedObjectLiesInDefault) {
  Event event = MakeEvent();
  event.regarding = {"v1", "Node", "", "node-1", "node-1"};
  event.type = EventType::kNormal;
  recorder_->Record(event);
  Turn();
  EXPECT_EQ(transport_.Line(), "POST /apis/events.k8s.io/v1/namespaces/default/events");
  EXPECT_FALSE(transport_.Body()["regarding"].contains("namespace"));
  EXPECT_EQ(transport_.Body()["type"], "Normal");
}

TEST_F(EventRecorderTest, ALongNoteIsCutAtTheEndOfACharacter) {
  const std::string two_bytes = "\xC3\xA4";
  std::string note = "x";
  while (note.size() < 1500) note += two_bytes;
  recorder_->Record(MakeEvent(note));
  Turn();
  EXPECT_EQ(transport_.Body()["note"], note.substr(0, 1021) + "...");
}

TEST_F(EventRecorderTest, TheSameEventWithinSixMinutesBecomesASeriesPatchedAtMostEvery30Seconds) {
  RecordAndAccept(MakeEvent());
  for (int second = 0; second < 60; ++second) {
    loop_.Advance(seconds(1));
    recorder_->Record(MakeEvent());
    Turn();
    if (transport_.open() == 0) continue;
    // The 30 s end before this second's event is recorded.
    EXPECT_EQ(second % 30, 29);
    EXPECT_THAT(transport_.Line(), StartsWith(kPatch));
    const auto last = base::FormatMicroTime(loop_.clock().Wall() - seconds(1));
    const nlohmann::json want = {{"metadata", {{"uid", "event-uid"}}},
                                 {"series", {{"count", second + 1}, {"lastObservedTime", last}}}};
    EXPECT_EQ(transport_.Body(), want);
    Accept();
  }
  EXPECT_EQ(recorder_->counts().patched, 2U);
  EXPECT_EQ(recorder_->counts().created, 1U);
}

TEST_F(EventRecorderTest, TheSameEventAfterSixMinutesIsANewOne) {
  RecordAndAccept(MakeEvent());
  loop_.Advance(minutes(6) - Duration(1));
  RecordAndAccept(MakeEvent());
  EXPECT_EQ(recorder_->counts().patched, 1U);
  loop_.Advance(minutes(6));
  RecordAndAccept(MakeEvent());
  EXPECT_EQ(recorder_->counts().created, 2U);
}

TEST_F(EventRecorderTest, RepeatsBeforeTheFirstIsSentAreCountedInItsCreate) {
  for (int i = 0; i < 5; ++i) recorder_->Record(MakeEvent());
  Turn();
  EXPECT_EQ(transport_.open(), 1U);
  EXPECT_EQ(transport_.Body()["series"]["count"], 5);
}

TEST_F(EventRecorderTest, RepeatsWhileTheCreateIsInFlightArePatchedLater) {
  recorder_->Record(MakeEvent());
  Turn();
  recorder_->Record(MakeEvent());
  Accept();
  EXPECT_EQ(transport_.open(), 0U);
  loop_.Advance(seconds(30));
  EXPECT_EQ(transport_.Body()["series"]["count"], 2);
}

TEST_F(EventRecorderTest, EventsThatDifferInAnythingAreNotOneSeries) {
  const std::map<std::string, std::function<void(Event&)>> changes = {
      {"type", [](Event& e) { e.type = EventType::kNormal; }},
      {"reason", [](Event& e) { e.reason = "Other"; }},
      {"action", [](Event& e) { e.action = "Binding"; }},
      {"note", [](Event& e) { e.note = "other"; }},
      {"uid", [](Event& e) { e.regarding.uid = "other"; }},
  };
  RecordAndAccept(MakeEvent());
  uint64_t want_created = 1;
  for (const auto& [name, change] : changes) {
    Event event = MakeEvent();
    change(event);
    RecordAndAccept(event);
    EXPECT_EQ(recorder_->counts().created, ++want_created) << name;
  }
}

TEST_F(EventRecorderTest, DifferentNotesWithTheSameReason25AtOnceThenOneInFiveMinutes) {
  int note = 0;
  const auto record = [&] { RecordAndAccept(MakeEvent("note " + std::to_string(note++))); };
  for (int i = 0; i < 40; ++i) record();
  EXPECT_EQ(recorder_->counts().created, 25U);
  EXPECT_EQ(recorder_->counts().dropped_spam, 15U);
  loop_.Advance(minutes(5));
  record();
  record();
  EXPECT_EQ(recorder_->counts().created, 26U);
  Event other = MakeEvent("note");
  other.regarding.uid = "other";
  RecordAndAccept(other);
  EXPECT_EQ(recorder_->counts().created, 27U) << "each object has its own";
}

TEST_F(EventRecorderTest, AboveTheLimitTheOldestNormalEventIsDropped) {
  Restart(3);
  idle_ = false;
  const auto record = [this](EventType type, const std::string& note) {
    Event event = MakeEvent(note);
    event.type = type;
    recorder_->Record(event);
  };
  record(EventType::kWarning, "w1");
  record(EventType::kNormal, "n1");
  record(EventType::kNormal, "n2");
  record(EventType::kWarning, "w2");
  EXPECT_EQ(recorder_->counts().dropped_full, 1U);
  EXPECT_EQ(recorder_->pending(), 3U);
  record(EventType::kWarning, "w3");
  record(EventType::kNormal, "n3");
  EXPECT_EQ(recorder_->counts().dropped_full, 3U);
  idle_ = true;
  loop_.Advance(Duration(100));
  EXPECT_THAT(AcceptAllNotes(), ElementsAre("w1", "w2", "w3"));
  for (const char* note : {"v1", "v2", "v3", "v4"}) record(EventType::kWarning, note);
  EXPECT_EQ(recorder_->counts().dropped_full, 4U);
  EXPECT_THAT(AcceptAllNotes(), ElementsAre("v2", "v3", "v4"));
}

TEST_F(EventRecorderTest, AnEventIsSentOnlyWhileIdleAndFourAtMostAreInFlight) {
  idle_ = false;
  for (int i = 0; i < 10; ++i) recorder_->Record(MakeEvent(std::to_string(i)));
  loop_.Advance(seconds(10));
  EXPECT_EQ(transport_.open(), 0U);
  idle_ = true;
  loop_.Advance(Duration(100));
  EXPECT_EQ(transport_.open(), 4U);
  Accept();
  EXPECT_EQ(transport_.open(), 4U);
  EXPECT_EQ(recorder_->pending(), 9U);
}

TEST_F(EventRecorderTest, AFailedEventIsTriedTwiceMoreWithBackoffThenDropped) {
  recorder_->Record(MakeEvent());
  Turn();
  const nlohmann::json first = transport_.Body();
  transport_.Break();
  loop_.Advance(Duration(999));
  EXPECT_EQ(transport_.open(), 0U);
  loop_.Advance(Duration(1));
  EXPECT_EQ(transport_.Body(), first) << "under the same name, for it may have been carried out";
  transport_.Break();
  loop_.Advance(seconds(2));
  ASSERT_EQ(transport_.open(), 1U);
  transport_.Break();
  loop_.Advance(minutes(5));
  EXPECT_EQ(transport_.sent(), 3U);
  EXPECT_EQ(recorder_->counts().dropped_failed, 1U);
  EXPECT_EQ(recorder_->pending(), 0U);
}

TEST_F(EventRecorderTest, WhatAnErrorLeadsTo) {
  struct Case {
    int status;
    std::string reason;
    uint64_t want_dropped;
    uint64_t want_created;
  };
  const std::map<std::string, Case> cases = {
      {"forbidden: dropped at once", {403, "Forbidden", 1, 0}},
      {"no such namespace: dropped at once", {404, "NotFound", 1, 0}},
      {"invalid: dropped at once", {422, "Invalid", 1, 0}},
      {"exists: ours, whose answer was lost", {409, "AlreadyExists", 0, 1}},
  };
  for (const auto& [name, test] : cases) {
    Restart(1000);
    recorder_->Record(MakeEvent());
    Turn();
    transport_.Refuse(test.status, test.reason);
    loop_.Advance(minutes(5));
    EXPECT_EQ(transport_.open(), 0U) << name;
    EXPECT_EQ(recorder_->counts().dropped_failed, test.want_dropped) << name;
    EXPECT_EQ(recorder_->counts().created, test.want_created) << name;
  }
}

TEST_F(EventRecorderTest, ASeriesWhoseEventExpiredBeginsANewOne) {
  RecordAndAccept(MakeEvent());
  recorder_->Record(MakeEvent());
  loop_.Advance(seconds(30));
  ASSERT_THAT(transport_.Line(), StartsWith(kPatch));
  transport_.Refuse(404, "NotFound");
  Turn();
  ASSERT_EQ(transport_.Line(), kPost);
  EXPECT_EQ(transport_.Body()["series"]["count"], 2);
  Accept();
  EXPECT_EQ(recorder_->counts().created, 2U);
}

TEST_F(EventRecorderTest, NamesAreUsedOnce) {
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) recorder_->Record(MakeEvent(std::to_string(i)));
  for (Turn(); transport_.open() > 0; Accept()) {
    names.push_back(transport_.Body()["metadata"]["name"]);
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names.size(), 3U);
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

TEST_F(EventRecorderTest, FlushSendsWhatWaitsWithoutWaitingForIdle) {
  RecordAndAccept(MakeEvent());
  idle_ = false;
  recorder_->Record(MakeEvent());
  for (int i = 0; i < 6; ++i) recorder_->Record(MakeEvent(std::to_string(i)));
  bool flushed = false;
  recorder_->Flush(seconds(1), [&] { flushed = true; });
  Turn();
  EXPECT_EQ(transport_.open(), 4U);
  while (transport_.open() > 0) {
    EXPECT_FALSE(flushed);
    Accept();
  }
  EXPECT_TRUE(flushed);
  EXPECT_EQ(recorder_->counts().created, 7U);
  EXPECT_EQ(recorder_->counts().patched, 1U) << "a series is not kept waiting";
}

TEST_F(EventRecorderTest, FlushEndsAtItsDeadlineAtTheLatest) {
  recorder_->Record(MakeEvent());
  int flushed = 0;
  recorder_->Flush(seconds(1), [&] { ++flushed; });
  loop_.Advance(Duration(999));
  EXPECT_EQ(flushed, 0);
  loop_.Advance(Duration(1));
  EXPECT_EQ(flushed, 1);
  Accept();
  loop_.Advance(seconds(10));
  EXPECT_EQ(flushed, 1);
}

TEST_F(EventRecorderTest, FlushOfNothingEndsInALaterTurn) {
  bool flushed = false;
  recorder_->Flush(seconds(1), [&] { flushed = true; });
  EXPECT_FALSE(flushed);
  Turn();
  EXPECT_TRUE(flushed);
}

TEST_F(EventRecorderTest, WhatIsInFlightDiesWithTheRecorder) {
  recorder_->Record(MakeEvent());
  Turn();
  EXPECT_EQ(transport_.open(), 1U);
  recorder_.reset();
  EXPECT_EQ(transport_.open(), 0U);
}

}  // namespace
}  // namespace vdcu::kclient
