// Has the Service vdcu-extender lead to who leads: its EndpointSlice, which nobody else writes,
// names this process alone from then on.
//
// Promise: one write when it is published, tried again until it is stored.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/loop.h"
#include "base/random.h"
#include "kclient/engine/decider.h"
#include "kclient/engine/executor.h"

namespace vdcu::controller {

// Of the Service, and of its EndpointSlice.
inline constexpr char kExtenderName[] = "vdcu-extender";

class LeaderAddress : private kclient::Decider {
 public:
  struct Parts {
    base::Loop& loop;
    kclient::Client& client;
    kclient::EventRecorder& events;
    std::function<bool()> may_write;  // this process leads
  };

  // `ns`: of the Service. `address`: numeric, as others reach this process.
  LeaderAddress(Parts parts, std::string ns, std::string address, uint16_t port,
                base::Random random);
  LeaderAddress(const LeaderAddress&) = delete;
  LeaderAddress& operator=(const LeaderAddress&) = delete;

  // This process leads, and answers.
  void Publish();

 private:
  kclient::WorkPlan Reconcile(const kclient::Key& key) override;
  bool MayWrite() const override { return parts_.may_write(); }
  kclient::WorkPlan PlanFor(const kclient::Answer& found) const;

  const Parts parts_;
  const std::string ns_;
  const std::string address_;
  const uint16_t port_;
  kclient::Executor executor_;
};

}  // namespace vdcu::controller
