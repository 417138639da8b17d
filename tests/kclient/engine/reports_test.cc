#include "kclient/engine/reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vdcu::kclient {
namespace {

using base::Duration;
using testing::ElementsAre;
using testing::Eq;
using testing::IsEmpty;
using testing::Optional;

class ReportsTest : public testing::Test {
 protected:
  static Key K(const std::string& ns, int i) { return {"pod", ns, std::to_string(i)}; }
  std::optional<Duration> Begin(const std::string& ns, int i) {
    const Key key = K(ns, i);
    return reports_.Begin({"patch " + key.object(), key}, now_);
  }
  std::optional<Key> End(const std::string& ns, int i, bool stored = true) {
    return reports_.End("patch " + ns + "/" + std::to_string(i), stored);
  }
  // So many as there may be at once.
  void Fill() {
    for (int i = 0; i < static_cast<int>(Reports::kMost); ++i)
      ASSERT_EQ(Begin("full", i), std::nullopt);
  }

  Reports reports_;
  base::TimePoint now_{Duration(1'000'000)};
};

TEST_F(ReportsTest, OneOfAnObjectAtATime) {
  EXPECT_EQ(Begin("a", 1), std::nullopt);
  EXPECT_THAT(Begin("a", 1), Optional(Duration(0)));
  EXPECT_EQ(Begin("a", 2), std::nullopt) << "another object";
  EXPECT_THAT(End("a", 1), Optional(Eq(K("a", 1))));
  EXPECT_EQ(End("a", 2), std::nullopt) << "nobody waited";
}

TEST_F(ReportsTest, WhatIsToldChangesAfterAWhile) {
  EXPECT_EQ(Begin("a", 1), std::nullopt);
  End("a", 1);
  now_ += Duration(1'000);
  EXPECT_THAT(Begin("a", 1), Optional(Duration(4'000)));
  now_ += Duration(4'000);
  EXPECT_EQ(Begin("a", 1), std::nullopt);
}

TEST_F(ReportsTest, WhatWasNotStoredHasToldNothing) {
  EXPECT_EQ(Begin("a", 1), std::nullopt);
  End("a", 1, false);
  EXPECT_EQ(Begin("a", 1), std::nullopt);
}

TEST_F(ReportsTest, NamespacesTakeTurnsForTheRoomThatThereIs) {
  Fill();
  for (int i = 1; i < 4; ++i) EXPECT_THAT(Begin("a", i), Optional(Duration(0)));
  EXPECT_THAT(Begin("b", 1), Optional(Duration(0)));
  EXPECT_THAT(reports_.TakeTurns(), IsEmpty());
  for (int i = 0; i < 3; ++i) End("full", i);
  EXPECT_THAT(reports_.TakeTurns(), ElementsAre(K("a", 1), K("b", 1), K("a", 2)));
  // They had nothing to say any more.
  EXPECT_THAT(reports_.TakeTurns(), ElementsAre(K("a", 3)));
  EXPECT_THAT(reports_.TakeTurns(), IsEmpty());
}

}  // namespace
}  // namespace vdcu::kclient
