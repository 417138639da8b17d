// Random clusters against a second, slow reading of the rules that shares no code with the
// allocator.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <random>

#include "dcu/allocator.h"
#include "tests/dcu/cards.h"
#include "tests/dcu/slow_rules.h"

namespace vdcu::dcu {
namespace {

class Chance {
 public:
  explicit Chance(unsigned seed) : random_(seed) {}
  int UpTo(int most) { return static_cast<int>(random_() % (most + 1)); }
  bool OneIn(int n) { return UpTo(n - 1) == 0; }
  std::mt19937& engine() { return random_; }

 private:
  std::mt19937 random_;
};

// Also less than nothing: a node may have promised more than it has.
NodeNeeds RandomRoom(Chance& chance) {
  return {1'000 * (chance.UpTo(6) - 1), MiB{1'000 * (chance.UpTo(6) - 1)}};
}

NodeState RandomNode(Chance& chance, const std::string& name) {
  NodeState state;
  if (chance.OneIn(2)) state.room = RandomRoom(chance);
  state.options.ready = !chance.OneIn(8);
  if (chance.OneIn(3)) state.options.memory_reserve = MiB{512};
  const int cards = chance.UpTo(4);
  for (int i = 0; i < cards; ++i) {
    const std::string uuid = name + "-c" + std::to_string(i);
    Device device = (name.back() + i) % 3 == 0 ? Card60(uuid) : Card120(uuid);
    if (chance.OneIn(10)) device = Sick(device, "EccErrors");
    if (chance.OneIn(10)) device = Mig(device);
    if (chance.OneIn(10)) state.options.unschedulable_devices.insert(uuid);
    state.devices.push_back(device);
  }
  return state;
}

SliceRequest RandomSlice(Chance& chance) {
  SliceRequest slice;
  switch (chance.UpTo(5)) {
    case 0:
      break;
    case 1:
      slice.compute_units = 1 + chance.UpTo(130);
      break;
    case 2:
      slice.memory = MiB{1 + chance.UpTo(70'000)};
      break;
    case 3:
      slice = Percent(1 + chance.UpTo(99), 1 + chance.UpTo(33'000));
      break;
    default:
      slice = Units(1 + chance.UpTo(50), 1 + chance.UpTo(20'000));
  }
  DeviceSelector devices;
  if (chance.OneIn(5)) devices.models = {"K100_AI"};
  if (chance.OneIn(8)) devices.exclude_models = {"K100_AI"};
  if (chance.OneIn(10)) devices.exclude_uuids = {"n1-c0", "n2-c1"};
  if (chance.OneIn(12)) devices.uuids = {"n1-c0", "n2-c1", "n3-c2"};
  slice.devices = base::Interned(std::move(devices));
  return slice;
}

Request RandomRequest(Chance& chance) {
  Request request;
  constexpr Policy kPolicies[] = {Policy::kSpread, Policy::kBinPack, Policy::kFragmentationAware};
  request.policy = kPolicies[chance.UpTo(2)];
  request.node = {1'000 * chance.UpTo(4), MiB{1'000 * chance.UpTo(4)}};
  const int slices = chance.OneIn(2) ? 1 : 1 + chance.UpTo(3);
  for (int i = 0; i < slices; ++i) {
    const bool again = i > 0 && chance.OneIn(2);
    request.slices.push_back(again ? request.slices.back() : RandomSlice(chance));
  }
  return request;
}

// The same world in an inventory that was built in another order.
void BuildShuffled(const World& world, const std::vector<Request>& demand, Chance& chance,
                   Inventory& inventory) {
  std::vector<std::function<void()>> calls;
  for (const auto& [name, state] : world.nodes) {
    calls.emplace_back([&, &name = name, &state = state] {
      std::vector<Device> devices = state.devices;
      std::shuffle(devices.begin(), devices.end(), chance.engine());
      inventory.SetNode(name, devices, state.options);
      inventory.SetRoom(name, state.room);
    });
  }
  for (const auto& [id, held] : world.held) {
    calls.emplace_back([&, &id = id, &held = held] { inventory.SetSlice(id, held); });
  }
  for (const Request& request : demand) {
    calls.emplace_back([&] { inventory.AddDemand(request.slices, request.node, 1); });
  }
  std::shuffle(calls.begin(), calls.end(), chance.engine());
  for (const auto& call : calls) call();
}

std::string Told(const Answer& answer) {
  if (const auto* error = std::get_if<FitError>(&answer)) return error->Message();
  std::string text;
  for (const Assignment& a : std::get<Placement>(answer).assignments) {
    const auto lines = a.units.Lines();
    text += a.node + "/" + a.device + " " + lines[0] + lines[1] + " " +
            std::to_string(a.memory.value) + " " + std::to_string(a.pipe.value_or(-1)) + " " +
            std::to_string(a.vdev.value_or(-1)) + "\n";
  }
  return text;
}

class AllocatorProperty : public ::testing::TestWithParam<unsigned> {
 protected:
  AllocatorProperty() : chance_(TestSeed(GetParam())) {}

  void ChangeNode() {
    const std::string name = "n" + std::to_string(chance_.UpTo(5));
    if (chance_.OneIn(6)) {
      world_.nodes.erase(name);
      inventory_.RemoveNode(name);
      return;
    }
    world_.nodes[name] = RandomNode(chance_, name);
    inventory_.SetNode(name, world_.nodes[name].devices, world_.nodes[name].options);
    inventory_.SetRoom(name, world_.nodes[name].room);
  }

  void ChangeRoom() {
    if (world_.nodes.empty()) return;
    const auto node =
        std::next(world_.nodes.begin(), chance_.UpTo(static_cast<int>(world_.nodes.size()) - 1));
    node->second.room = RandomRoom(chance_);
    inventory_.SetRoom(node->first, node->second.room);
  }

  void Release() {
    if (world_.held.empty()) return;
    const auto slice =
        std::next(world_.held.begin(), chance_.UpTo(static_cast<int>(world_.held.size()) - 1));
    EXPECT_TRUE(inventory_.RemoveSlice(slice->first));
    world_.held.erase(slice);
  }

  void Ask() {
    const Request request = RandomRequest(chance_);
    ChangeDemand();
    const std::set<std::string> tainted =
        chance_.OneIn(3) ? std::set<std::string>{"n0", "n3"} : std::set<std::string>{};
    std::vector<std::string> asked;
    const NodeFilter says = FilterFor(request, tainted);
    const NodeFilter filter = [&](const std::string& node) {
      asked.push_back(node);
      return says(node);
    };
    const Answer answer = Allocate(inventory_, request, filter);
    if (request.policy == Policy::kFragmentationAware) {
      CheckFound(request, says, answer);
    } else {
      CheckOrder(request, says, asked, answer);
      CheckVerdicts(request, says, answer);
    }
    CheckSameElsewhere(request, says, answer);
    if (const auto* placement = std::get_if<Placement>(&answer)) Grant(request, *placement);
  }

  // Taints come first, as in the cluster.
  NodeFilter FilterFor(const Request& request, const std::set<std::string>& tainted) const {
    return [this, request, tainted](const std::string& node) -> std::optional<std::string> {
      if (tainted.contains(node)) return "node has taint x";
      if (!world_.nodes.at(node).HasRoom(request.node)) return "node has too little room";
      return std::nullopt;
    };
  }

  // Something is found wherever something fits.
  void CheckFound(const Request& request, const NodeFilter& says, const Answer& answer) {
    const auto fit = SlowOrder(SlowView(world_), request);
    const bool any =
        std::any_of(fit.begin(), fit.end(), [&](const auto& name) { return !says(name); });
    ASSERT_EQ(std::holds_alternative<Placement>(answer), any) << Told(answer);
  }

  // More is asked for, or less.
  void ChangeDemand() {
    if (demand_.size() == 12 || (!demand_.empty() && chance_.OneIn(3))) {
      const auto gone = demand_.begin() + chance_.UpTo(static_cast<int>(demand_.size()) - 1);
      inventory_.AddDemand(gone->slices, gone->node, -1);
      demand_.erase(gone);
      return;
    }
    demand_.push_back(RandomRequest(chance_));
    inventory_.AddDemand(demand_.back().slices, demand_.back().node, 1);
  }

  // The filter sees what the slow search finds, in its order, up to the first that passes; of nodes
  // without room only to say why, when there is none.
  void CheckOrder(const Request& request, const NodeFilter& says,
                  const std::vector<std::string>& asked, const Answer& answer) {
    const std::vector<std::string> order = SlowOrder(SlowView(world_), request);
    const auto has_room = [&](const std::string& name) {
      return world_.nodes.at(name).HasRoom(request.node);
    };
    std::vector<std::string> want;
    std::copy_if(order.begin(), order.end(), std::back_inserter(want), has_room);
    const auto roomy = static_cast<std::ptrdiff_t>(want.size());
    std::remove_copy_if(order.begin(), order.end(), std::back_inserter(want), has_room);
    const auto chosen =
        std::find_if(want.begin(), want.end(), [&](const auto& name) { return !says(name); });
    const auto* placement = std::get_if<Placement>(&answer);
    ASSERT_EQ(placement != nullptr, chosen != want.end()) << Told(answer);
    if (placement) {
      ASSERT_EQ(placement->node, *chosen);
      want.erase(std::next(chosen), want.end());
      ASSERT_EQ(asked, want);
      return;
    }
    CheckReasons(want, says, std::get<FitError>(answer));
    ASSERT_EQ(asked.size(), want.size()) << "each is asked once";
    const auto first_without_room = asked.begin() + roomy;
    ASSERT_TRUE(std::equal(asked.begin(), first_without_room, want.begin(), want.begin() + roomy));
  }

  // Each node counts once: under what the filter says where its cards fit.
  void CheckReasons(const std::vector<std::string>& fit, const NodeFilter& says,
                    const FitError& error) {
    std::map<std::string, int> filtered;
    for (const std::string& name : fit) ++filtered[*says(name)];
    int counted = 0;
    for (const auto& [reason, count] : error.node_reasons) {
      counted += count;
      const auto found = filtered.find(reason);
      if (found == filtered.end()) continue;
      ASSERT_EQ(count, found->second) << reason;
      filtered.erase(found);
    }
    ASSERT_TRUE(filtered.empty());
    ASSERT_EQ(counted, static_cast<int>(world_.nodes.size()));
    ASSERT_EQ(error.nodes, counted);
  }

  void CheckSameElsewhere(const Request& request, const NodeFilter& says, const Answer& answer) {
    Inventory other;
    BuildShuffled(world_, demand_, chance_, other);
    ASSERT_EQ(Told(Allocate(other, request, says)), Told(answer));
    std::vector<std::string> names;
    for (const auto& [name, state] : world_.nodes) names.push_back(name);
    if (names.empty()) return;
    ASSERT_EQ(Told(AllocateOn(other, request, names, says)), Told(answer));
  }

  // The best node is the fitting one with the highest score, and where none fits each says why.
  void CheckVerdicts(const Request& request, const NodeFilter& filter, const Answer& answer) {
    std::string best;
    int best_score = -1;
    for (const auto& [name, state] : world_.nodes) {
      const Answer verdict = AllocateOnNode(inventory_, request, name, filter);
      if (const auto* error = std::get_if<FitError>(&verdict)) {
        ASSERT_EQ(error->nodes, 1);
        ASSERT_EQ("0/1 nodes fit: 1 " + error->NodeMessage(), error->Message());
        continue;
      }
      ASSERT_EQ(std::get<Placement>(verdict).node, name);
      const int score = ScoreOf(inventory_, name, request.policy).value();
      ASSERT_TRUE(score >= 0 && score <= kHighestScore);
      if (score > best_score) best = Told(verdict);
      best_score = std::max(best_score, score);
    }
    ASSERT_EQ(std::holds_alternative<Placement>(answer) ? Told(answer) : "", best);
  }

  void Grant(const Request& request, const Placement& placement) {
    ASSERT_EQ(placement.assignments.size(), request.slices.size());
    for (size_t i = 0; i < request.slices.size(); ++i) {
      const Assignment& given = placement.assignments[i];
      ASSERT_EQ(given.node, placement.node);
      ASSERT_EQ(given.whole_card(), request.slices[i].whole_card());
      ASSERT_EQ(given.whole_card(), !given.pipe.has_value());
      ASSERT_EQ(given.compute_units, given.units.Count());
      CheckRoomFor(given, request.slices[i]);
      const std::string id = "slice-" + std::to_string(next_id_++);
      world_.held[id] = given;
      inventory_.SetSlice(id, given);
    }
  }

  // No unit, MiB, pipe or vdev that is held already; nothing past the card.
  void CheckRoomFor(const Assignment& given, const SliceRequest& slice) {
    const auto view = SlowView(world_);
    const SlowNode& cards = view.at(given.node);
    const auto card = std::find_if(cards.begin(), cards.end(), [&](const SlowCard& candidate) {
      return candidate.device.uuid == given.device;
    });
    ASSERT_NE(card, cards.end());
    ASSERT_TRUE(SlowFits(slice, *card));
    ASSERT_EQ(given.compute_units, SlowUnits(slice, *card));
    for (int unit = 0; unit < 128; ++unit) {
      if (!given.units.Has(unit)) continue;
      ASSERT_LT(unit, card->device.compute_units);
      ASSERT_FALSE(card->used[unit]);
    }
    if (given.whole_card()) {
      ASSERT_EQ(given.memory, card->device.memory);
      return;
    }
    ASSERT_EQ(given.memory.value, slice.memory ? slice.memory->value : card->FreeMemory());
    ASSERT_LE(given.memory.value, card->FreeMemory());
    ASSERT_TRUE(*given.pipe >= 0 && *given.pipe < 4 && !card->pipes.contains(*given.pipe));
    std::set<int> vdevs;
    for (const auto& [id, held] : world_.held) {
      if (held.node == given.node && held.vdev) vdevs.insert(*held.vdev);
    }
    ASSERT_FALSE(vdevs.contains(*given.vdev));
    for (int lower = 0; lower < *given.vdev; ++lower) ASSERT_TRUE(vdevs.contains(lower));
  }

  Chance chance_;
  World world_;
  std::vector<Request> demand_;
  Inventory inventory_;
  int next_id_ = 0;
};

TEST_P(AllocatorProperty, GrantsOnceInOrderAndFindsWhateverFits) {
  for (int i = 0; i < 6; ++i) ChangeNode();
  for (int step = 0; step < 600 && !HasFatalFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    const int what = chance_.UpTo(10);
    if (what == 0) {
      ChangeNode();
    } else if (what == 10) {
      ChangeRoom();
    } else if (what <= 3) {
      Release();
    } else {
      Ask();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AllocatorProperty, ::testing::Range(1u, 9u));

// Slices written by hand may overlap in any way; what is free does not depend on how it came to be.
TEST(InventoryProperty, OverlapsCountAsTheirUnionWhateverTheHistory) {
  Chance chance(TestSeed(30));
  World world;
  Inventory inventory;
  world.nodes["n0"] = {{Card60("c0"), Card120("c1")}, Ready()};
  inventory.SetNode("n0", world.nodes["n0"].devices, Ready());
  for (int step = 0; step < 3000; ++step) {
    const std::string id = "slice-" + std::to_string(chance.UpTo(7));
    if (chance.OneIn(3)) {
      ASSERT_EQ(inventory.RemoveSlice(id), world.held.erase(id) == 1);
    } else {
      world.held[id] = chance.OneIn(9) ? HeldWhole("n0", "c" + std::to_string(chance.UpTo(2)))
                                       : Held("n0", "c" + std::to_string(chance.UpTo(2)),
                                              chance.UpTo(60), chance.UpTo(60), chance.UpTo(30'000),
                                              chance.UpTo(3), chance.UpTo(5));
      inventory.SetSlice(id, world.held[id]);
    }
    const auto view = SlowView(world);
    for (const SlowCard& want : view.at("n0")) {
      const Card* card = inventory.Find("n0")->FindCard(want.device.uuid);
      ASSERT_EQ(card->FreeUnits().Count(), want.FreeUnits());
      ASSERT_EQ(card->FreeMemory().value, want.FreeMemory());
      ASSERT_EQ(card->FreePipes() != 0, want.HasPipe());
      ASSERT_EQ(card->slice_count, static_cast<uint32_t>(want.slices));
    }
  }
}

}  // namespace
}  // namespace vdcu::dcu
