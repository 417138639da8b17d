// The whole system in a world of data: the controller and each node's daemon are the real ones, in
// many processes on one loop; API, kubelets, disks and time are simulated. Pods, partitions, nodes
// and processes come, go and fail at random.
//
// Promises: the same seed gives the same run.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "reconcilers/offer.h"
#include "tests/fakes/simulated_loop.h"
#include "tests/simulation/simulated_api.h"
#include "tests/simulation/simulated_node.h"
#include "tests/simulation/simulated_offers.h"
#include "tests/simulation/simulated_schedulers.h"

namespace vdcu::simulation {

// kAll has daemons and the controller that end and start anew, Node objects that are gone,
// NotReady, cordoned, out of service or made anew, pods that end only by force, processes that
// outlive their pod, and people who delete a pod's partition. kRefusals has, besides, rules that
// refuse some writes for a while, people who edit which reserved partition a pod names, and
// finalizers of others that keep a partition. kGroups has those of kAll, and half of the pods are
// of groups. kArrivals has those of kRefusals, and pods that others bind. kPriorities has those of
// kAll, and pods are evicted for more important ones, where no PodDisruptionBudget keeps them. In
// kGroups and kPriorities, where a decision tries what could be, some pods ask for cpu, too. kDoors
// has those of kAll, and pods of other schedulers, whose calls get lost, double and late.
enum class Hazards { kAll, kRefusals, kGroups, kArrivals, kPriorities, kDoors };
// How often what the hazards are about has happened.
struct Counts {
  int bound = 0;  // by the controller
  int evicted = 0;
  int offered = 0;
  int let = 0;  // through the gate, with their slices
};
// In what state the nodes are while all comes to rest.
enum class Nodes { kAsTheyAre, kMended };

class Simulation {
 public:
  Simulation(unsigned seed, Hazards hazards);
  ~Simulation();

  // Anything may happen, also to requests and daemons.
  void Act();
  // Nothing more happens and nothing fails, until all have come to rest.
  void ComeToRest(Nodes nodes);
  void DeleteAll();

  // What must hold at any time; empty: it does.
  std::string WhatIsWrong();
  // What must hold at rest.
  std::string WhatIsWrongAtRest();
  // What a controller that starts now would still do.
  std::string WhatIsLeftToDo();

  size_t partitions() { return api_.All("vdcupartitions").size(); }
  size_t held() const;
  const Counts& counts() const { return counts_; }

 private:
  using Json = SimulatedApi::Json;
  struct Controller;
  struct Silence {
    base::TimePoint since;
    std::set<std::string> unanswered;  // UIDs of partitions, then
  };

  double Draw() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  int Pick(int count) { return static_cast<int>(Draw() * count); }
  std::optional<std::string> PickPod(bool bound);
  void Restart();
  void Elapse(base::Duration by);
  void CreatePod(const std::string& node = "");
  void CreateReserved();
  static std::string GroupOf(const Json& pod);
  void SetGroup(Json& pod);
  void NoteGroupLoss(const std::string& pod_key);
  void NoteWithdrawal(const std::string& partition_key);
  bool IsBoundOrSoon(const Json& pod);
  void DeletePod();
  void FinishPod();
  void DisturbNode();
  void DisturbNodeObject();
  void DeletePartition();
  void ChangeRules();
  bool IsRefused(const SimulatedApi::Write& write) const;
  void EditPod();
  void LetArrive();
  void EndDeletions(bool all);
  void EndForeignFinalizers(bool all);

  std::string WhyWronglySent(const SimulatedApi::Write& write);
  std::string WhyWronglySentByDaemon(const SimulatedApi::Write& write);
  std::string WhyWronglyPublished(const SimulatedApi::Write& write, const SimulatedNode& node);
  std::string WhyWronglyPrepared(const SimulatedApi::Write& write, const SimulatedNode& node);
  std::string WhyWronglyLifted(const SimulatedApi::Write& write, const SimulatedNode& node);
  static std::string WhyRunsWithoutSlices(const SimulatedNode& node,
                                          const SimulatedKubelet::Assignments& held);
  std::string WhyWronglyDoubted(const SimulatedApi::Write& write);
  std::string WhyWronglyEvicted(const SimulatedApi::Write& write);
  std::string WhyWronglyBound(const std::string& key, const std::string& node);
  std::string WhyBoundBeforeItsGroup(const Json& pod);
  std::string WhyBoundInPart();
  std::string WhyPromisedTooMuch(const SimulatedNode& node);
  std::string WhyWronglyGranted(const SimulatedApi::Write& write);
  std::string WhyWrongPlace(const SimulatedApi::Write& write, const dcu::Assignment& slice,
                            const crds::DcuNode& dcu_node);
  Room TakenOn(const std::string& node, const std::string& but_of);
  void OnCall(const SimulatedSchedulers::Call& call);
  std::string WhyWronglyAnswered(const SimulatedSchedulers::Call& call, const Json& answer);
  std::string WhyWronglyOffered(const SimulatedSchedulers::Call& call, const Json& answer);
  std::string WhyNoRoomBesideOffers(const std::string& node, const std::string& whose,
                                    const Room& room);
  std::string WhyLetWithoutSlices(const SimulatedSchedulers::Call& call, const Json& answer);
  std::string WhatIsLeftToOffer(const reconcilers::View& view);
  std::string WhereItFits(const reconcilers::View& view, const reconcilers::PodEntry& entry,
                          const Json& pod);
  std::string WhyWronglyLetGo(const SimulatedApi::Write& write);
  void NoteSilence(const std::string& key);
  std::set<std::string> Unanswered(const SimulatedNode& node);
  bool IsSilent(const SimulatedNode& node);
  const SimulatedNode& NodeOf(const std::string& name) const;
  std::string WhyWronglyStored(const SimulatedApi::Write& write);
  std::string WhyBoundWithoutSlices(const Json& pod);
  std::string WhyGrantedTwice();
  bool AwaitsEnd(const crds::VdcuPartition& partition, const std::set<std::string>& used) const;
  std::string WhyWrongOnNode(const SimulatedNode& node, std::map<std::string, bool>& named);

  const Hazards hazards_;
  const reconcilers::Settings settings_;
  std::mt19937_64 random_;
  fakes::SimulatedLoop loop_;
  SimulatedApi api_;
  SimulatedSchedulers schedulers_;
  std::vector<std::unique_ptr<SimulatedNode>> nodes_;
  std::unique_ptr<Controller> controller_;
  // UIDs: of partitions that a stray has given their assignment; of partitions that one or a person
  // has changed, and of the pods that one has bound or a person has taken a partition from.
  std::set<std::string> granted_by_strays_;
  std::set<std::string> changed_by_others_;
  std::set<std::string> granting_;         // writes that grant, as they were sent
  std::set<std::string> missed_;           // nodes that have not prepared a slice in time
  std::map<std::string, Silence> silent_;  // nodes that are passed over for that
  Offers offers_;
  std::set<int> rules_;                // in force
  std::set<std::string> torn_groups_;  // by name
  int made_ = 0;
  Counts counts_;
};

}  // namespace vdcu::simulation
