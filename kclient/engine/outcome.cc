#include "kclient/engine/outcome.h"

namespace vdcu::kclient {

Outcome OutcomeOf(const Write& write, const base::Status& status) {
  if (status) return Outcome::kCommitted;
  switch (status.error().code) {
    case base::ErrorCode::kUnavailable:
    case base::ErrorCode::kCorrupt:
    case base::ErrorCode::kCancelled:
      return Outcome::kUnknown;
    // What is stored may be ours, of an answer that was lost.
    case base::ErrorCode::kAlreadyExists:
      return Outcome::kUnknown;
    // A pod that is bound may be bound by us.
    case base::ErrorCode::kConflict:
      return write.binds() ? Outcome::kUnknown : Outcome::kRefused;
    default:
      return Outcome::kRefused;
  }
}

}  // namespace vdcu::kclient
