// Who decides what an Executor carries out.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kclient/engine/key.h"
#include "kclient/engine/plan.h"
#include "kclient/engine/setback.h"

namespace vdcu::kclient {

class Decider {
 public:
  struct Placement {
    Key key;  // of the request
    WorkPlan plan;
  };

  virtual ~Decider() = default;

  // Keys that changes since the last call concern, `most` of them; whether there are more.
  virtual std::vector<Key> TakeChanged(size_t /*most*/) { return {}; }
  virtual bool HasChanged() const { return false; }
  virtual WorkPlan Reconcile(const Key& key) = 0;

  // The next of the requests that wait, with what it gets or why it does not. Nothing: all that can
  // be tried has been.
  virtual std::optional<Placement> Place() { return {}; }
  // Its plan was not carried out: `request` shall be reconciled, and placed, as if it were new.
  virtual void OnNotPlaced(const Key& /*request*/) {}
  // Of requests: kept by who decides, since a decision depends on it.
  virtual const Setback* FindSetback(const Key& /*request*/) const { return nullptr; }
  virtual void SetBack(const PlannedTask& /*failed*/, const base::Error& /*error*/,
                       const Setback& /*after*/) {}

  // Leadership.
  virtual bool MayWrite() const { return true; }
  // A write has been answered, or will not be.
  virtual void OnWritten(const Write& /*write*/, const base::Status& /*status*/,
                         base::Duration /*took*/) {}
  // A write that is no request's: its object shall say what `setback` does, once for each message.
  virtual void OnRefused(const PlannedTask& /*task*/, const Setback& /*setback*/) {}
  // A key's plan has an error that is not a write's.
  virtual void OnFailed(const Key& /*key*/, const base::Error& /*error*/) {}
};

}  // namespace vdcu::kclient
