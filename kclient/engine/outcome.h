// What is known of a write that has ended.
#pragma once

#include "base/result.h"
#include "kclient/write.h"

namespace vdcu::kclient {

enum class Outcome {
  kCommitted,
  kRefused,  // it did not happen
  kUnknown,  // it may have happened: the watch tells, or the same write again
};

// What its answer says of it.
Outcome OutcomeOf(const Write& write, const base::Status& status);

}  // namespace vdcu::kclient
