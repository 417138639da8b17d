#include "kclient/core/uid.h"

#include <gtest/gtest.h>

namespace vdcu::kclient {
namespace {

TEST(Uid, IsTheTextThatItWasMadeFrom) {
  static_assert(sizeof(Uid) == 16);
  for (const char* text : {
           "",
           "3f6c1d0e-5b7a-4c3e-9f00-0123456789ab",
           "00000000-0000-0000-0000-000000000000",
           "00000000-0000-0000-0000-000000000001",
           "ffffffff-ffff-ffff-ffff-ffffffffffff",
           "3F6C1D0E-5B7A-4C3E-9F00-0123456789AB",
           "3f6c1d0e-5b7a-4c3e-9f00-0123456789a",
           "3f6c1d0e-5b7a-4c3e-9f00-0123456789abc",
           "3f6c1d0e05b7a-4c3e-9f00-0123456789ab",
           "3f6c1d0e-5b7a-4c3e-9f00-0123456789ag",
           "uid-p",
       }) {
    EXPECT_EQ(Uid(text).text(), text);
    EXPECT_EQ(Uid(text), Uid(text));
    EXPECT_EQ(Uid(text).empty(), *text == '\0');
  }
}

TEST(Uid, OfDifferentTextsAreDifferent) {
  EXPECT_NE(Uid("uid-p"), Uid("uid-q"));
  EXPECT_NE(Uid("3f6c1d0e-5b7a-4c3e-9f00-0123456789ab"),
            Uid("3F6C1D0E-5B7A-4C3E-9F00-0123456789AB"));
  EXPECT_NE(Uid("00000000-0000-0000-0000-000000000000"), Uid());
}

}  // namespace
}  // namespace vdcu::kclient
