#include "dcu/fit.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <tuple>

#include "base/check.h"

namespace vdcu::dcu {
namespace {

// Bounds the search on one node, and on all of them: a pod of a few containers needs a few dozen.
// When the second is used up, each further node is only tried the greedy way.
constexpr int kMaxSteps = 4096;
constexpr int kMaxStepsInAll = 16 * kMaxSteps;

bool Contains(const std::vector<std::string>& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

// Annotations written for other plugins name models as those register them: "DCU-K100_AI".
bool ContainsPartOf(const std::vector<std::string>& parts, const std::string& model) {
  const std::string name = Lower("DCU-" + model);
  return std::any_of(parts.begin(), parts.end(), [&](const std::string& part) {
    return name.find(Lower(part)) != std::string::npos;
  });
}

bool SelectsUuid(const DeviceSelector& selector, std::string_view uuid) {
  if (!selector.uuids.empty() && !Contains(selector.uuids, uuid)) return false;
  return !Contains(selector.exclude_uuids, uuid);
}

Need MakeNeed(const Inventory& inventory, const SliceRequest& slice, size_t index) {
  Need need;
  need.slice = &slice;
  need.index = index;
  need.whole = slice.whole_card();
  need.all_memory = !slice.memory.has_value();
  need.memory = std::max(MiB{1}, slice.memory.value_or(MiB{1}));
  for (const CardType& type : inventory.types()) {
    const bool selected = SelectsModel(*slice.devices, type.model);
    need.units.push_back(selected ? UnitsAsked(slice, type.compute_units) : Need::kNotSelected);
    // Types of the past would let the answer depend on them.
    if (type.reported_cards > 0) need.most_units = std::max(need.most_units, need.units.back());
  }
  return need;
}

bool Harder(const Need& a, const Need& b) {
  return std::tie(b.whole, b.most_units, b.all_memory, b.memory, a.index) <
         std::tie(a.whole, a.most_units, a.all_memory, a.memory, b.index);
}

Room Open(const Card& card) {
  Room room;
  room.card = &card;
  room.units = card.FreeUnits();
  room.free_units = card.free_units;
  room.memory = card.FreeMemory();
  room.pipes = card.FreePipes();
  if (room.pipes != 0) room.slots = static_cast<uint8_t>(kMaxSlicesPerCard - card.slice_count);
  room.unused = card.unused();
  room.untouched = card.used_memory.value == 0;
  return room;
}

CardVerdict JudgeCard(const Need& need, const Card& card) {
  if (need.units[card.type->id] == Need::kNotSelected) return CardVerdict::kOtherModel;
  if (!SelectsUuid(*need.slice->devices, card.uuid)) return CardVerdict::kOtherUuid;
  if (card.mode == Mode::kMig) return CardVerdict::kMig;
  if (!card.healthy()) return CardVerdict::kUnhealthy;
  if (card.cordoned) return CardVerdict::kCordoned;
  if (need.whole) return CardVerdict::kFits;
  // What the card could never give is said before what it cannot give now.
  if (need.units[card.type->id] > card.type->compute_units) return CardVerdict::kUnits;
  if (card.sliceable < need.memory) return CardVerdict::kMemory;
  return CardVerdict::kFits;
}

CardVerdict Judge(const Need& need, const Room& room) {
  const CardVerdict verdict = JudgeCard(need, *room.card);
  if (verdict != CardVerdict::kFits) return verdict;
  if (need.whole) return room.unused ? CardVerdict::kFits : CardVerdict::kInUse;
  if (room.card->taken_whole) return CardVerdict::kInUse;
  if (room.shared) return CardVerdict::kShared;
  if (room.slots == 0 || room.pipes == 0) return CardVerdict::kNoPipe;
  if (room.free_units < need.units[room.card->type->id]) return CardVerdict::kUnits;
  if (need.all_memory ? !room.untouched : room.memory < need.memory) return CardVerdict::kMemory;
  return CardVerdict::kFits;
}

// Whatever fits one fits the other, uuids aside.
bool Alike(const Room& a, const Room& b) {
  return a.free_units == b.free_units && a.memory == b.memory && a.slots == b.slots &&
         std::popcount(a.pipes) == std::popcount(b.pipes) && a.unused == b.unused &&
         a.untouched == b.untouched && a.shared == b.shared && a.card->type == b.card->type &&
         a.card->sliceable == b.card->sliceable;
}

}  // namespace

bool SelectsModel(const DeviceSelector& selector, const std::string& model) {
  if (!selector.models.empty() && !Contains(selector.models, model)) return false;
  if (!selector.model_parts.empty() && !ContainsPartOf(selector.model_parts, model)) return false;
  return !Contains(selector.exclude_models, model) &&
         !ContainsPartOf(selector.exclude_model_parts, model);
}

int UnitsAsked(const SliceRequest& slice, int card_units) {
  if (slice.compute_units) return std::max(1, *slice.compute_units);
  if (slice.percent) return std::max(1, UnitsOfPercent(card_units, *slice.percent));
  return std::max(1, card_units);
}

Fit::Fit(const Inventory& inventory, const Request& request)
    : ns_(request.ns), share_(request.share), policy_(request.policy) {
  CHECK(!request.slices.empty(), "a request without slices");
  for (const SliceRequest& slice : request.slices) {
    needs_.push_back(MakeNeed(inventory, slice, needs_.size()));
    by_uuid_ |= !slice.devices->uuids.empty() || !slice.devices->exclude_uuids.empty();
  }
  std::sort(needs_.begin(), needs_.end(), Harder);
  for (size_t i = 1; i < needs_.size(); ++i) {
    needs_[i].same_as_before = *needs_[i].slice == *needs_[i - 1].slice;
  }
  way_.resize(needs_.size());
}

void Fit::OpenRooms(const Node& node) {
  rooms_.clear();
  for (const Card& card : node.cards) {
    if (!card.reported) continue;
    rooms_.push_back(Open(card));
    rooms_.back().shared = card.IsSharedAgainst(ns_, SharingOn(node));
  }
}

std::optional<Way> Fit::Place(const Node& node) {
  if (!node.ready) return std::nullopt;
  OpenRooms(node);
  if (!HasEnoughRooms()) return std::nullopt;
  const int left = std::min(kMaxSteps, kMaxStepsInAll - steps_in_all_);
  steps_left_ = std::max(left, static_cast<int>(needs_.size()));
  if (!Search(0, std::vector<bool>(rooms_.size()))) return std::nullopt;
  return way_;
}

std::span<const CardPart> Fit::Ways(const Node& node) {
  ways_.clear();
  const Need& need = needs_.front();
  if (needs_.size() > 1 || need.whole) {
    if (Place(node)) ways_ = way_;
    return ways_;
  }
  if (!node.ready) return ways_;
  OpenRooms(node);
  const Room* last = nullptr;
  for (const size_t index : Candidates(need, std::vector<bool>(rooms_.size()))) {
    const Room& room = rooms_[index];
    if (last != nullptr && Alike(room, *last)) continue;
    Room left = room;
    ways_.push_back(Take(need, left));
    last = &room;
  }
  return ways_;
}

// Counts only: so that no search begins for many slices on few cards.
bool Fit::HasEnoughRooms() const {
  size_t slots = 0;
  for (const Room& room : rooms_) slots += std::max<size_t>(room.slots, room.unused ? 1 : 0);
  return needs_.size() <= slots;
}

// The rooms that fit, best first: BinPack the tightest, Spread the emptiest, of the same by uuid.
std::vector<size_t> Fit::Candidates(const Need& need, const std::vector<bool>& tried) const {
  std::vector<size_t> fitting;
  fitting.reserve(rooms_.size());
  for (size_t i = 0; i < rooms_.size(); ++i) {
    if (!tried[i] && Judge(need, rooms_[i]) == CardVerdict::kFits) fitting.push_back(i);
  }
  std::sort(fitting.begin(), fitting.end(), [this](size_t a, size_t b) {
    const auto left = std::tie(rooms_[a].free_units, rooms_[a].memory);
    const auto right = std::tie(rooms_[b].free_units, rooms_[b].memory);
    if (left == right) return a < b;
    return policy_ == Policy::kSpread ? right < left : left < right;
  });
  return fitting;
}

CardPart Fit::Take(const Need& need, Room& room) {
  const Card& card = *room.card;
  CardPart part;
  part.card = &card;
  if (need.whole) {
    part.units = CuMask::FirstUnits(card.type->compute_units);
    part.memory = card.memory;
    room = Room();
    room.card = &card;
    return part;
  }
  part.units = room.units.Lowest(need.units[card.type->id]);
  part.memory = need.all_memory ? room.memory : need.memory;
  part.pipe = std::countr_zero(room.pipes);
  room.units = room.units & ~part.units;
  room.free_units = room.units.Count();
  room.memory = room.memory - part.memory;
  room.pipes &= static_cast<uint8_t>(room.pipes - 1);
  --room.slots;
  room.unused = room.untouched = false;
  return part;
}

// Depth first over the needs; the first way down is the greedy one. `tried` are rooms that need not
// be looked at: with this same need in them the need before found no way, and two equal slices may
// change places.
bool Fit::Search(size_t depth, std::vector<bool> tried) {
  if (depth == needs_.size()) return true;
  const Need& need = needs_[depth];
  const bool same_next = depth + 1 < needs_.size() && needs_[depth + 1].same_as_before;
  const std::vector<size_t> candidates = Candidates(need, tried);
  for (size_t i = 0; i < candidates.size(); ++i) {
    const size_t index = candidates[i];
    const Room before = rooms_[index];
    // A room like the one that just failed (and was put back) fails as well.
    const bool hopeless = i > 0 && !by_uuid_ && Alike(before, rooms_[candidates[i - 1]]);
    if (!hopeless) {
      if (steps_left_ == 0) return false;
      --steps_left_;
      ++steps_in_all_;
      way_[need.index] = Take(need, rooms_[index]);
      const bool found = Search(depth + 1, same_next ? tried : std::vector<bool>(rooms_.size()));
      if (found) return true;
      rooms_[index] = before;
    }
    tried[index] = true;
  }
  return false;
}

std::vector<Assignment> Fit::Assignments(const Node& node, const Way& way) const {
  const auto is_slice = [](const Need& need) { return !need.whole; };
  const auto slices = std::count_if(needs_.begin(), needs_.end(), is_slice);
  const std::vector<int> vdevs = node.LowestFreeVdevs(static_cast<size_t>(slices));
  std::vector<Assignment> assignments;
  auto vdev = vdevs.begin();
  for (const CardPart& part : way) {
    Assignment& assignment = assignments.emplace_back();
    assignment.node = node.name;
    assignment.device = part.card->uuid;
    assignment.pci_bus_id = part.card->pci_bus_id;
    assignment.units = part.units;
    assignment.compute_units = part.units.Count();
    assignment.memory = part.memory;
    if (part.pipe < 0) continue;
    assignment.share = SharingOn(node);
    assignment.pipe = part.pipe;
    assignment.vdev = *vdev++;
  }
  return assignments;
}

const Fit::Explanation& Fit::Explain(const Node& node) {
  OpenRooms(node);
  for (const Need& need : needs_) {
    if (need.same_as_before) continue;
    explanation_.need = &need;
    explanation_.verdicts.clear();
    for (const Room& room : rooms_) explanation_.verdicts.push_back(Judge(need, room));
    const auto& verdicts = explanation_.verdicts;
    if (std::find(verdicts.begin(), verdicts.end(), CardVerdict::kFits) == verdicts.end()) {
      return explanation_;
    }
  }
  explanation_.need = &needs_.front();
  for (size_t i = 0; i < rooms_.size(); ++i) {
    const CardVerdict verdict = Judge(needs_.front(), rooms_[i]);
    explanation_.verdicts[i] = verdict == CardVerdict::kFits ? CardVerdict::kNotTogether : verdict;
  }
  return explanation_;
}

}  // namespace vdcu::dcu
