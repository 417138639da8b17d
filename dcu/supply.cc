#include "dcu/supply.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <tuple>
#include <utility>

#include "dcu/card_prices.h"
#include "dcu/fit.h"
#include "dcu/inventory.h"

namespace vdcu::dcu {

namespace {

int PartsOf(int64_t amount, int64_t of) {
  return of <= 0 ? 0 : static_cast<int>(amount * kCardParts / of);
}

int PartsRoundedUp(int64_t amount, int64_t of) {
  return of <= 0 ? kCardParts : static_cast<int>((amount * kCardParts + of - 1) / of);
}

bool IsBelow(const DemandForm& form, const DemandKind& kind) {
  return std::tie(form.slice, form.cards) < std::tie(kind.slice, kind.cards);
}

}  // namespace

CardRest CardRest::Of(const Card& card) {
  CardRest rest;
  rest.card = &card;
  rest.type = card.type;
  rest.sliceable = card.sliceable;
  rest.units = card.free_units;
  rest.memory = card.FreeMemory();
  rest.unused = card.unused();
  if (card.FreePipes() != 0) rest.slots = kMaxSlicesPerCard - static_cast<int>(card.slice_count);
  rest.CountParts();
  return rest;
}

CardRest CardRest::Less(const CardPart& part) const {
  CardRest rest = *this;
  rest.units -= part.units.Count();
  rest.memory = std::max(MiB{0}, memory - part.memory);
  rest.slots = part.pipe < 0 ? 0 : slots - 1;
  rest.unused = false;
  rest.CountParts();
  return rest;
}

void CardRest::CountParts() {
  parts = slots == 0 ? 0
                     : std::min(PartsOf(units, type->compute_units),
                                PartsOf(memory.value, sliceable.value));
}

int64_t DemandForm::Requests() const {
  return std::accumulate(kinds.begin(), kinds.end(), int64_t{0},
                         [](int64_t sum, const Kind& kind) { return sum + kind.requests; });
}

int DemandForm::UsableOf(const CardRest& card) const {
  const int asked = units[card.type->id];
  if (asked == kNotSelected || card.slots == 0 || card.units < asked) return 0;
  const bool has_memory =
      slice.memory ? card.memory >= *slice.memory : card.memory == card.sliceable;
  return has_memory ? card.parts : 0;
}

// Whole cards: all that are unused, if there are enough on the node.
int DemandForm::UsableOf(const std::vector<CardRest>& cards_left) const {
  int usable = 0;
  if (!slice.whole_card()) {
    for (const CardRest& card : cards_left) usable += UsableOf(card);
    return usable;
  }
  const auto serves = [&](const CardRest& card) {
    return card.unused && units[card.type->id] != kNotSelected;
  };
  const auto unused = std::count_if(cards_left.begin(), cards_left.end(), serves);
  return unused >= cards ? static_cast<int>(unused) * kCardParts : 0;
}

int DemandForm::LostBy(const std::vector<CardChange>& changes, int usable) const {
  int lost = 0;
  if (!slice.whole_card()) {
    for (const auto& [before, after] : changes) {
      const int had = UsableOf(before);
      if (had > 0) lost += had - UsableOf(after);
    }
    return lost;
  }
  for (const auto& [before, after] : changes) {
    if (before.unused && units[before.type->id] != kNotSelected) lost += kCardParts;
  }
  return usable - lost >= cards * kCardParts ? lost : usable;
}

int DemandForm::SizeOn(const CardType& type, MiB memory) const {
  const int asked = units[type.id];
  if (asked == kNotSelected || asked > type.compute_units) return 0;
  if (!slice.memory) return kCardParts;
  const int parts = std::max(PartsRoundedUp(asked, type.compute_units),
                             PartsRoundedUp(slice.memory->value, memory.value));
  return parts > kCardParts ? 0 : std::max(parts, 1);
}

void Supply::SetRequests(const DemandKind& kind, int count) {
  const auto form = FormOf(kind);
  auto& kinds = form->kinds;
  auto entry = std::find_if(kinds.begin(), kinds.end(),
                            [&](const auto& each) { return each.cpu >= kind.cpu; });
  if (entry == kinds.end() || entry->cpu != kind.cpu) {
    entry = kinds.insert(entry, {kind.cpu, 0, 0});
    const auto index = form - forms_.begin();
    for (const auto& [node, rest] : rests_) {
      if (rest.free.cpu >= kind.cpu) entry->supply += rest.usable[index];
    }
  }
  requests_ += count - entry->requests;
  entry->requests = count;
  if (count > 0) return;
  kinds.erase(entry);
  if (kinds.empty()) DropForm(form);
}

Supply::Forms::iterator Supply::FormOf(const DemandKind& kind) {
  const auto form = std::lower_bound(forms_.begin(), forms_.end(), kind, IsBelow);
  if (form != forms_.end() && form->cards == kind.cards && form->slice == kind.slice) return form;
  ++version_;
  const auto index = form - forms_.begin();
  const auto added = forms_.insert(form, {kind.slice, kind.cards, {}, {}});
  LearnTypes();
  for (auto& [node, rest] : rests_) {
    rest.usable.insert(rest.usable.begin() + index, added->UsableOf(rest.cards));
  }
  return added;
}

void Supply::DropForm(Forms::iterator form) {
  ++version_;
  const auto index = form - forms_.begin();
  for (auto& [node, rest] : rests_) rest.usable.erase(rest.usable.begin() + index);
  forms_.erase(form);
}

void Supply::LearnTypes() {
  for (DemandForm& form : forms_) {
    for (size_t id = form.units.size(); id < types_.size(); ++id) {
      const CardType& type = types_[id];
      const bool selected = SelectsModel(*form.slice.devices, type.model);
      form.units.push_back(selected ? UnitsAsked(form.slice, type.compute_units)
                                    : DemandForm::kNotSelected);
    }
  }
}

void Supply::SetNode(const Node& node) {
  LearnTypes();
  NodeRest now;
  now.free = node.free;
  for (const Card& card : node.cards) {
    if (node.ready && card.usable()) now.cards.push_back(CardRest::Of(card));
  }
  for (const DemandForm& form : forms_) now.usable.push_back(form.UsableOf(now.cards));
  NodeRest& rest = rests_[&node];
  Count(rest, -1);
  Count(now, +1);
  CountShapes(rest.cards, now.cards);
  rest = std::move(now);
}

void Supply::RemoveNode(const Node& node) {
  const auto found = rests_.find(&node);
  if (found == rests_.end()) return;
  Count(found->second, -1);
  CountShapes(found->second.cards, {});
  rests_.erase(found);
}

void Supply::Count(const NodeRest& rest, int sign) {
  for (size_t f = 0; f < rest.usable.size(); ++f) {
    const int64_t usable = int64_t{sign} * rest.usable[f];
    if (usable == 0) continue;
    for (DemandForm::Kind& kind : forms_[f].kinds) {
      if (kind.cpu > rest.free.cpu) break;
      kind.supply += usable;
    }
  }
  for (const CardRest& card : rest.cards) free_parts_ += int64_t{sign} * card.parts;
}

void Supply::CountShapes(const std::vector<CardRest>& before, const std::vector<CardRest>& after) {
  const auto alike = [](const CardRest& a, const CardRest& b) {
    return a.type == b.type && a.sliceable == b.sliceable;
  };
  if (std::equal(before.begin(), before.end(), after.begin(), after.end(), alike)) return;
  ++version_;
  const auto count = [this](const CardRest& card, int sign) {
    const auto shape = shapes_.try_emplace({card.type->id, card.sliceable}, 0).first;
    if ((shape->second += sign) == 0) shapes_.erase(shape);
  };
  for (const CardRest& card : before) count(card, -1);
  for (const CardRest& card : after) count(card, +1);
}

}  // namespace vdcu::dcu
