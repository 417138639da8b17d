#include "kclient/engine/outcome.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vdcu::kclient {
namespace {

using base::ErrorCode;

TEST(OutcomeOf, WhatAnAnswerSaysAboutAWrite) {
  const Write bind = MakeBind("team-a", "p", "uid", "n");
  const Write create = MakeCreate(kPods, "team-a", "p", {});
  const Write patch = MakePatch(kPods, "team-a", "p", "", {}, "uid", "1");
  struct Case {
    std::string name;
    Write write;
    ErrorCode code;
    Outcome want;
  };
  for (const Case& c : std::vector<Case>{
           {"no answer", create, ErrorCode::kUnavailable, Outcome::kUnknown},
           {"an answer that is cut off", create, ErrorCode::kCorrupt, Outcome::kUnknown},
           {"a call that was given up", create, ErrorCode::kCancelled, Outcome::kUnknown},
           {"what exists may be ours", create, ErrorCode::kAlreadyExists, Outcome::kUnknown},
           {"a pod that is bound may be by us", bind, ErrorCode::kConflict, Outcome::kUnknown},
           {"an object that has changed since", patch, ErrorCode::kConflict, Outcome::kRefused},
           {"a pod of the name of one that is to go", MakeEviction("team-a", "p", "uid"),
            ErrorCode::kConflict, Outcome::kRefused},
           {"a pod that is gone", bind, ErrorCode::kNotFound, Outcome::kRefused},
           {"no right", create, ErrorCode::kForbidden, Outcome::kRefused},
           {"too many requests", patch, ErrorCode::kThrottled, Outcome::kRefused},
           {"against a rule", create, ErrorCode::kInvalid, Outcome::kRefused}}) {
    EXPECT_EQ(OutcomeOf(c.write, base::Error{c.code, "", {}}), c.want) << c.name;
  }
  EXPECT_EQ(OutcomeOf(create, base::Ok()), Outcome::kCommitted);
}

}  // namespace
}  // namespace vdcu::kclient
