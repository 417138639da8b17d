// The whole controller in a world of data: runner, reconcilers, informers and client are the real
// ones; API, nodes and time are simulated. Pods, partitions and nodes come, go and fail at random.
//
// Promises: the same seed gives the same run.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/fakes/simulated_loop.h"
#include "tests/reconcilers/simulated_api.h"
#include "tests/reconcilers/simulated_node.h"

namespace vdcu::reconcilers {

class Simulation {
 public:
  explicit Simulation(unsigned seed);
  ~Simulation();

  // Anything may happen, also to requests and daemons.
  void Act();
  // Nothing more happens and nothing fails, until all have come to rest.
  void ComeToRest();
  void DeleteAll();

  // What must hold at any time; empty: it does.
  std::string WhatIsWrong();
  // What must hold at rest.
  std::string WhatIsWrongAtRest();
  // What a controller that starts now would still do.
  std::string WhatIsLeftToDo();

  size_t partitions() { return api_.All("vdcupartitions").size(); }
  size_t held() const;
  int bound() const { return bound_; }

 private:
  using Json = SimulatedApi::Json;
  struct Controller;

  double Draw() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  int Pick(int count) { return static_cast<int>(Draw() * count); }
  std::optional<std::string> PickPod(bool bound);
  void Restart();
  void Elapse(base::Duration by);
  void CreatePod();
  void CreateReserved();
  void DeletePod();
  void FinishPod();
  void DisturbNode();
  void EndDeletions();
  std::string WhyWrongBinding(const Json& pod, const std::string& node);
  std::string WhyOverbooked(const std::vector<dcu::Assignment>& slices);

  std::mt19937_64 random_;
  fakes::SimulatedLoop loop_;
  SimulatedApi api_;
  std::vector<std::unique_ptr<SimulatedNode>> nodes_;
  std::unique_ptr<Controller> controller_;
  int made_ = 0;
  int bound_ = 0;
};

}  // namespace vdcu::reconcilers
