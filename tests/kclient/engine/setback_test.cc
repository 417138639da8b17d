#include "kclient/engine/setback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <optional>

namespace vdcu::kclient {
namespace {

using base::Duration;
using base::ErrorCode;

class SetbackTest : public testing::Test {
 protected:
  // As many failures as there are answers, each when the wait before it was over.
  Setback After(const FailedWrite& failed, const std::vector<base::Error>& answers) {
    std::optional<Setback> setback;
    for (const base::Error& error : answers) {
      if (setback) at_.now = setback->until;
      setback = AfterFailure(setback ? &*setback : nullptr, failed, error, random_, at_);
    }
    return *setback;
  }
  Duration Wait(const std::vector<base::Error>& answers) {
    return After(bind_, answers).until - at_.now;
  }

  static constexpr Resource kThings{"example.com", "v1", "things", "Thing"};
  const Write bind_write_ = MakeBind("team-a", "p", "uid", "n");
  const Write create_write_ = MakeCreate(kThings, "team-a", "t", {});
  const Write patch_write_ = MakePatch(kThings, "team-a", "t", "", {}, "uid", "1");
  const Write delete_write_ = MakeDelete(kThings, "team-a", "t", "uid", "1");
  const FailedWrite bind_{bind_write_, "BindRefused"};
  const FailedWrite create_{create_write_, "CreateRefused"};
  const FailedWrite patch_{patch_write_, "WriteRefused"};
  const FailedWrite delete_{delete_write_, "WriteRefused"};
  base::Instant at_{base::TimePoint(Duration(1'000'000)), "2026-01-01T01:00:00Z"};
  double random_ = 0.999999;
};

TEST_F(SetbackTest, EachFailureInARowDoublesTheWait) {
  struct Case {
    std::string name;
    ErrorCode code;
    int failures;
    int want;  // ms
  };
  for (const Case& c :
       std::vector<Case>{{"what may work at once", ErrorCode::kConflict, 1, 4},
                         {"again", ErrorCode::kConflict, 2, 9},
                         {"a server with too much to do", ErrorCode::kThrottled, 3, 19},
                         {"a lost answer", ErrorCode::kUnavailable, 4, 39},
                         {"against a rule", ErrorCode::kForbidden, 1, 249},
                         {"invalid", ErrorCode::kInvalid, 2, 499},
                         {"for long", ErrorCode::kForbidden, 20, 59'999},
                         {"for long, of any kind", ErrorCode::kUnavailable, 100, 59'999}}) {
    const std::vector<base::Error> answers(c.failures, base::Error{c.code, "no", {}});
    EXPECT_EQ(Wait(answers), Duration(c.want)) << c.name;
  }
  random_ = 0;
  EXPECT_EQ(Wait({{ErrorCode::kForbidden, "no", {}}}), Duration(125)) << "spread";
}

TEST_F(SetbackTest, WhatTheWatchIsAboutToShowIsTriedAgainInASecond) {
  for (const ErrorCode code : {ErrorCode::kConflict, ErrorCode::kNotFound}) {
    const std::vector<base::Error> answers(20, base::Error{code, "no", {}});
    EXPECT_EQ(After(patch_, answers).until - at_.now, Duration(999));
    EXPECT_GT(After(bind_, answers).until - at_.now, Duration(50'000)) << "it may show nothing";
  }
}

TEST_F(SetbackTest, WhatIsNoWriteOnlyWaits) {
  Setback setback;
  for (int i = 0; i < 20; ++i) {
    at_.now = setback.until;
    setback = AfterFailure(&setback, {ErrorCode::kUnavailable, "no", {}}, random_, at_);
  }
  EXPECT_EQ(setback.until - at_.now, Duration(59'999));
  EXPECT_EQ(setback.message, "");
}

TEST_F(SetbackTest, TheServersWordIsObeyedAndBounded) {
  const auto throttled = [](int ms) {
    return base::Error{ErrorCode::kThrottled, "", Duration(ms)};
  };
  EXPECT_EQ(Wait({throttled(3'000)}), Duration(3'000));
  EXPECT_EQ(Wait({throttled(3'600'000)}), Duration(300'000));
}

TEST_F(SetbackTest, WhatARuleRefusesIsToldAtOnceAndAnythingElseWhenItLasts) {
  const base::Error lost{ErrorCode::kUnavailable, "bind: connection lost", {}};
  const base::Error busy{ErrorCode::kThrottled, "busy", Duration(1'000)};
  EXPECT_NE(After(bind_, {{ErrorCode::kInvalid, "no", {}}}).message, "");
  EXPECT_EQ(After(bind_, std::vector<base::Error>(9, lost)).message, "") << "for 5 s at most";
  EXPECT_NE(After(bind_, std::vector<base::Error>(10, lost)).message, "");
  EXPECT_EQ(After(bind_, std::vector<base::Error>(4, busy)).message, "");
  EXPECT_NE(After(bind_, std::vector<base::Error>(5, busy)).message, "");
  EXPECT_NE(After(bind_, {{ErrorCode::kThrottled, "busy", Duration(5'000)}}).message, "");
}

TEST_F(SetbackTest, SaysWhatWasRefusedInTheServersWords) {
  struct Case {
    std::string name;
    FailedWrite failed;
    std::string error;
    std::string want_reason;
    std::string want_message;
  };
  const std::string name = create_.write.name;
  for (const Case& c : std::vector<Case>{
           {"a create, without the name that nothing has", create_,
            create_.write.Describe() + ": HTTP 403 Forbidden: things.example.com \"" + name +
                "\" is forbidden: exceeded quota: q",
            "CreateRefused",
            "create things failed: HTTP 403 Forbidden: things.example.com is "
            "forbidden: exceeded quota: q"},
           {"a binding", bind_, "create pods/binding team-a/p: HTTP 422 Invalid: no", "BindRefused",
            "create pods/binding team-a/p failed: HTTP 422 Invalid: no"},
           {"a change", patch_, "HTTP 422 Invalid: no", "WriteRefused",
            "patch things team-a/t failed: HTTP 422 Invalid: no"},
           {"any other write", delete_, "no", "WriteRefused",
            "delete things team-a/t failed: no"}}) {
    const Setback setback = After(c.failed, {{ErrorCode::kForbidden, c.error, {}}});
    EXPECT_EQ(setback.reason, c.want_reason) << c.name;
    EXPECT_EQ(setback.message, c.want_message) << c.name;
  }
}

TEST_F(SetbackTest, CountsBindingsAmongAllThatFailed) {
  Setback setback = After(create_, {{ErrorCode::kForbidden, "no", {}}});
  EXPECT_EQ(setback.bind_at, base::TimePoint{});
  setback = AfterFailure(&setback, bind_, {ErrorCode::kForbidden, "no", {}}, 0.5, at_);
  EXPECT_EQ(setback.failures, 2);
  EXPECT_EQ(setback.failed_binds, 1);
  EXPECT_EQ(setback.bind_at, setback.until);
  // An older create is answered late: the binding is not sent again before its time.
  const Setback late = AfterFailure(&setback, create_, {ErrorCode::kConflict, "", {}}, 0, at_);
  EXPECT_EQ(late.failed_binds, 1);
  EXPECT_EQ(late.bind_at, setback.bind_at);
  EXPECT_GE(late.until, late.bind_at);
}

TEST_F(SetbackTest, WhatHasBeenOverForTenMinutesIsForgotten) {
  Setbacks<std::string> setbacks;
  const base::TimePoint now = at_.now;
  Setback setback;
  setback.until = now + Duration(1'000);
  setbacks.Set("a", setback, now);
  setbacks.Set("b", setback, now + Duration(601'000));
  EXPECT_NE(setbacks.Find("a"), nullptr);
  setbacks.Set("c", setback, now + Duration(662'000));
  EXPECT_EQ(setbacks.Find("a"), nullptr);
  EXPECT_NE(setbacks.Find("c"), nullptr);
  setbacks.Forget("c");
  EXPECT_EQ(setbacks.Find("c"), nullptr);
}

}  // namespace
}  // namespace vdcu::kclient
