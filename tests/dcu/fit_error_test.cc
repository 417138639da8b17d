#include <gtest/gtest.h>

#include "dcu/allocator.h"
#include "tests/dcu/cards.h"

namespace vdcu::dcu {
namespace {

std::string Why(const Inventory& inventory, std::vector<SliceRequest> slices,
                const NodeFilter& filter = nullptr) {
  const Answer answer = Allocate(inventory, {std::move(slices), Policy::kBinPack}, filter);
  const auto* error = std::get_if<FitError>(&answer);
  return error ? error->Message() : "placed";
}

TEST(FitError, NodesUnderTheirMostFrequentReasonThenAllCards) {
  Inventory inventory;
  for (int n = 1; n <= 2; ++n) {
    const std::string node = "n" + std::to_string(n);
    std::vector<Device> cards;
    for (int i = 0; i < 8; ++i) cards.push_back(Card60(node + "-c" + std::to_string(i)));
    inventory.SetNode(node, cards, Ready());
    for (int i = 0; i < 8; ++i) {
      const bool full = i < 3;
      inventory.SetSlice(node + std::to_string(i),
                         Held(node, cards[i].uuid, 0, full ? 50 : 10, full ? 1000 : 31744, 0, i));
    }
  }
  inventory.SetNode("n3", {Card60("n3-c0")}, Ready());
  const NodeFilter filter = [](const std::string&) { return "node has taint x"; };
  EXPECT_EQ(Why(inventory, {Units(30, 2000)}, filter),
            "0/3 nodes fit: 2 too little card memory (most free 1024 MiB), 1 node has taint x; "
            "16 cards: 10 too little memory, 6 too few compute units");
}

// The index has left them out; their cards come first all the same, and then the filter's order.
TEST(FitError, NodesWithoutRoomAreCountedUnderWhatTheFilterSays) {
  Inventory inventory;
  const auto add = [&](const std::string& name, const NodeNeeds& free) {
    inventory.SetNode(name, {Card60(name + "-c")}, Ready());
    inventory.SetRoom(name, free);
  };
  add("full", {0, MiB{0}});
  inventory.SetSlice("1", HeldWhole("full", "full-c"));
  add("no-cpu", {999, MiB{4096}});
  add("no-memory", {4000, MiB{1023}});
  add("tainted", {999, MiB{1023}});
  const NodeFilter filter = [](const std::string& node) -> std::optional<std::string> {
    if (node == "tainted") return "node has taint x";
    return "node has too little " + node.substr(3);
  };
  for (const Policy policy : {Policy::kBinPack, Policy::kFragmentationAware}) {
    const Request request{.slices = {Units(30, 100)}, .policy = policy, .node = {1000, MiB{1024}}};
    EXPECT_EQ(std::get<FitError>(Allocate(inventory, request, filter)).Message(),
              "0/4 nodes fit: 1 card in use, 1 node has taint x, 1 node has too little cpu, "
              "1 node has too little memory; 1 card: 1 in use");
    EXPECT_EQ(std::get<FitError>(Allocate(inventory, request, nullptr)).Message(),
              "0/4 nodes fit: 2 node has too little cpu, 1 card in use, 1 node has too little "
              "memory; 1 card: 1 in use");
    inventory.AddDemand({Units(30, 100)}, {}, 1);
  }
}

TEST(FitError, CountsAreSortedByNumberThenText) {
  Inventory inventory;
  for (int i = 1; i <= 4; ++i) {
    inventory.SetNode("n" + std::to_string(i), {Card60("c" + std::to_string(i))}, Ready());
  }
  const NodeFilter filter = [](const std::string& node) {
    return node == "n1" ? "z" : node == "n2" ? "y" : "node is cordoned";
  };
  EXPECT_EQ(Why(inventory, {Units(1, 1)}, filter), "0/4 nodes fit: 2 node is cordoned, 1 y, 1 z");
}

TEST(FitError, EachReasonIsToldApart) {
  NodeOptions cordoned = Ready();
  cordoned.unschedulable_devices = {"c"};
  SliceRequest other_model = Units(1, 1);
  other_model.devices = base::Interned(DeviceSelector{.models = {"BW100"}});
  SliceRequest other_uuid = Units(1, 1);
  other_uuid.devices = base::Interned(DeviceSelector{.exclude_uuids = {"c"}});
  const struct {
    const char* sentence;
    Device card;
    NodeOptions options;
    std::vector<Assignment> held;
    std::vector<SliceRequest> slices;
    const char* want;
  } cases[] = {
      {"units",
       Card60("c"),
       Ready(),
       {Held("n", "c", 0, 40, 100, 0, 0)},
       {Units(21, 1)},
       "1 too few free compute units (most free 20); 1 card: 1 too few compute units"},
      {"memory",
       Card60("c"),
       Ready(),
       {Held("n", "c", 0, 1, 30000, 0, 0)},
       {Units(1, 2769)},
       "1 too little card memory (most free 2768 MiB); 1 card: 1 too little memory"},
      {"whole asked",
       Card60("c"),
       Ready(),
       {Held("n", "c", 0, 1, 1, 0, 0)},
       {Whole()},
       "1 card in use; 1 card: 1 in use"},
      {"whole taken",
       Card60("c"),
       Ready(),
       {HeldWhole("n", "c")},
       {Units(1, 1)},
       "1 card in use; 1 card: 1 in use"},
      {"sick",
       Sick(Card60("c"), "DriverUnbound"),
       Ready(),
       {},
       {Units(1, 1)},
       "1 card unhealthy (DriverUnbound); 1 card: 1 unhealthy (DriverUnbound)"},
      {"cordoned", Card60("c"), cordoned, {}, {Units(1, 1)}, "1 card cordoned; 1 card: 1 cordoned"},
      {"MIG",
       Mig(Card60("c")),
       Ready(),
       {},
       {Units(1, 1)},
       "1 card in MIG mode; 1 card: 1 in MIG mode"},
      {"model", Card60("c"), Ready(), {}, {other_model}, "1 other model; 1 card: 1 other model"},
      {"uuid",
       Card60("c"),
       Ready(),
       {},
       {other_uuid},
       "1 uuid not selected; 1 card: 1 uuid not selected"},
      {"units past all cards",
       Card60("c"),
       Ready(),
       {HeldWhole("n", "c")},
       {Units(61, 1)},
       "1 larger than any card: largest 60 compute units; 1 card: 1 too small"},
      {"memory past all cards",
       Card60("c"),
       Ready(),
       {HeldWhole("n", "c")},
       {Units(1, 32769)},
       "1 larger than any card: largest 32768 MiB; 1 card: 1 too small"},
      {"not ready",
       Card60("c"),
       NodeOptions{},
       {},
       {Units(1, 1)},
       "1 node not ready: its daemon does not report"},
      {"two of one",
       Card60("c"),
       Ready(),
       {},
       {Whole(), Whole()},
       "1 room for only some of the slices; 1 card: 1 room for only some of the slices"},
      {"the second slice",
       Card60("c"),
       Ready(),
       {},
       {Units(30, 1), other_model},
       "1 other model; 1 card: 1 other model"},
  };
  for (const auto& c : cases) {
    Inventory inventory;
    inventory.SetNode("n", {c.card}, c.options);
    for (const Assignment& held : c.held) inventory.SetSlice("held", held);
    EXPECT_EQ(Why(inventory, c.slices), std::string("0/1 nodes fit: ") + c.want) << c.sentence;
  }
}

TEST(FitError, LargerThanAnyCardOnlyWhereNoCardIsThatLarge) {
  Inventory inventory;
  inventory.SetNode("n1", {Card60("c1")}, Ready());
  inventory.SetNode("n2", {Card120("c2")}, Ready());
  inventory.SetSlice("1", Held("n2", "c2", 0, 30, 100, 0, 0));
  EXPECT_EQ(Why(inventory, {Units(100, 1)}),
            "0/2 nodes fit: 2 too few free compute units (most free 90); 2 cards: 2 too few "
            "compute units");
  EXPECT_EQ(Why(inventory, {Units(121, 1)}),
            "0/2 nodes fit: 2 larger than any card: largest 120 compute units; 2 cards: 2 too "
            "small");
}

TEST(FitError, OfOneNodeSaysWhyInTheSameWords) {
  Inventory inventory;
  inventory.SetNode("n1", {Card60("c1"), Card60("c2")}, Ready());
  inventory.SetNode("n2", {Card120("c3")}, Ready());
  inventory.SetSlice("1", Held("n1", "c1", 0, 40, 100, 0, 0));
  inventory.SetSlice("2", Held("n1", "c2", 0, 50, 100, 0, 1));
  const auto why = [&](const std::string& node, const NodeFilter& filter) {
    const Answer answer = AllocateOnNode(inventory, {{Units(30, 1)}}, node, filter);
    const auto* error = std::get_if<FitError>(&answer);
    return error ? error->NodeMessage() : std::get<Placement>(answer).assignments[0].device;
  };
  EXPECT_EQ(why("n1", nullptr),
            "too few free compute units (most free 20); 2 cards: 2 too few compute units");
  EXPECT_EQ(why("n2", nullptr), "c3");
  EXPECT_EQ(why("n2", [](const std::string&) { return "node has taint x"; }), "node has taint x");
  EXPECT_EQ(why("n3", nullptr), "node has reported no DCU cards");
}

TEST(Score, HigherForTheFullerOrTheEmptierNode) {
  Inventory inventory;
  inventory.SetNode("n1", {Card60("c1")}, Ready());
  inventory.SetNode("n2", {Card60("c2")}, Ready());
  inventory.SetSlice("1", Held("n1", "c1", 0, 40, 100, 0, 0));
  EXPECT_GT(ScoreOf(inventory, "n1", Policy::kBinPack), ScoreOf(inventory, "n2", Policy::kBinPack));
  EXPECT_EQ(ScoreOf(inventory, "n1", Policy::kSpread), 20);
  EXPECT_EQ(ScoreOf(inventory, "n2", Policy::kSpread), 60);
  EXPECT_EQ(ScoreOf(inventory, "n3", Policy::kSpread), std::nullopt);
}

TEST(FitError, NoNodes) {
  EXPECT_EQ(Why(Inventory(), {Whole()}), "0/0 nodes fit: no node has reported DCU cards");
  Inventory inventory;
  inventory.SetNode("n", {}, Ready());
  EXPECT_EQ(Why(inventory, {Whole()}), "0/1 nodes fit: 1 node has no DCU cards");
}

}  // namespace
}  // namespace vdcu::dcu
