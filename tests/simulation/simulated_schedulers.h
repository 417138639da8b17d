// Other schedulers in the simulation, and the API server that asks about their bindings: "kube" by
// the calls of kube-scheduler's extender, "volcano" by those of its own, and "gated", whose
// bindings pass the gate. Each call is the JSON of its protocol, to the real handlers of who leads
// when it arrives.
//
// A call takes some time to arrive, and some to be answered. With faults on some are lost, some
// arrive twice, some so late that what they follow from has lapsed, and some answers are lost: so
// they overtake each other, too. Promises: one thing is tried for a pod at a time; each try ends.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/loop.h"
#include "controller/extender/extender.h"
#include "controller/gate/gate.h"
#include "tests/simulation/simulated_api.h"

namespace vdcu::simulation {

class SimulatedSchedulers {
 public:
  using Json = nlohmann::json;
  enum class Verb { kFilter, kPreempt, kBind, kPredicate, kAllocate, kDeallocate, kReview };
  struct Call {
    Verb verb;
    std::string pod_uid;
    std::string pod;   // key
    std::string node;  // empty: several
    Json body;
  };
  // Null: nobody leads.
  struct Doors {
    controller::Extender* extender = nullptr;
    controller::Gate* gate = nullptr;
  };

  SimulatedSchedulers(base::Loop& loop, SimulatedApi& api, uint64_t seed)
      : loop_(loop), api_(api), random_(seed) {}
  SimulatedSchedulers(const SimulatedSchedulers&) = delete;
  SimulatedSchedulers& operator=(const SimulatedSchedulers&) = delete;

  static std::string PickName(double draw);
  void SetFaults(double chance) { faults_ = chance; }
  void SetDoors(Doors doors) { doors_ = doors; }
  // Each pod that waits for one of them is tried with that chance.
  void Step(double chance);
  // By name; those that nothing keeps a pod from.
  std::vector<std::string> FitNodes();
  // UIDs of pods that it has there.
  std::vector<std::string> InVolcanosBooks(const std::string& node) const;

  // Are asked when a call arrives, and when it is answered; what the second returns is a fault.
  std::function<void(const Call&)> on_arrival;
  std::function<std::string(const Call&, const Json& answer)> on_answer;
  const std::vector<std::string>& faults_found() const { return faults_found_; }

 private:
  // Null: there is none.
  using Then = std::function<void(const Json& answer)>;

  double Draw() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  base::Duration Delay();
  void After(base::Duration delay, std::function<void()> work);
  void Send(const Call& call, Then then);
  void Arrive(const Call& call, const Then& then);
  void Serve(const Call& call, const base::HttpResponder& responder);
  void OnAnswered(const Call& call, const base::HttpAnswer& answer, const Then& then);
  Call Make(Verb verb, const Json& pod, const std::string& node) const;
  std::string PickNode();

  void Try(const Json& pod);
  void TryKube(const Json& pod);
  void AskAboutVictims(const Json& pod);
  void TryVolcano(const Json& pod);
  void PutThere(const Json& pod, const std::string& node);
  void TryGated(const Json& pod);
  void Bind(const Json& pod, const std::string& node);
  void End(const Json& pod) { busy_.erase(pod["metadata"]["uid"].get<std::string>()); }

  base::Loop& loop_;
  SimulatedApi& api_;
  std::mt19937_64 random_;
  double faults_ = 0;
  Doors doors_;
  uint64_t next_id_ = 0;
  std::map<uint64_t, base::TimerPtr> timers_;
  std::set<std::string> busy_;                          // UIDs of pods that something is tried for
  std::map<std::string, std::set<std::string>> books_;  // Volcano's: node, UIDs of pods
  std::vector<std::string> faults_found_;
};

}  // namespace vdcu::simulation
