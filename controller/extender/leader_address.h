// Has a Service without a selector lead to who leads: its EndpointSlice, which nobody else writes,
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

// Of the Services, and of their EndpointSlices.
inline constexpr char kExtenderName[] = "vdcu-extender";
inline constexpr char kVolcanoName[] = "vdcu-volcano";
inline constexpr char kGateName[] = "vdcu-gate";

class LeaderAddress : private kclient::Decider {
 public:
  struct Parts {
    base::Loop& loop;
    kclient::Client& client;
    kclient::EventRecorder& events;
    std::function<bool()> may_write;  // this process leads
  };

  // `port`: as the Service names it, and its number. `address`: numeric, as others reach this
  // process.
  struct Of {
    std::string ns;
    std::string service;
    std::string port_name;
    std::string address;
    uint16_t port = 0;
  };

  LeaderAddress(Parts parts, Of of, base::Random random);
  LeaderAddress(const LeaderAddress&) = delete;
  LeaderAddress& operator=(const LeaderAddress&) = delete;

  // This process leads, and answers.
  void Publish();

 private:
  kclient::WorkPlan Reconcile(const kclient::Key& key) override;
  bool MayWrite() const override { return parts_.may_write(); }
  kclient::WorkPlan PlanFor(const kclient::Answer& found) const;

  const Parts parts_;
  const Of of_;
  kclient::Executor executor_;
};

}  // namespace vdcu::controller
