#include "dcu/worth.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "dcu/fit.h"
#include "dcu/inventory.h"

namespace vdcu::dcu {

namespace {

constexpr double kScarcity = 1.0 / 30;

int PartsOf(int64_t amount, int64_t of, bool up) {
  if (of <= 0) return up ? kCardParts : 0;
  return static_cast<int>((amount * kCardParts + (up ? of - 1 : 0)) / of);
}

bool FitsCard(const SliceRequest& slice, int units, const CardRest& rest) {
  if (rest.slots == 0 || rest.units < units) return false;
  return slice.memory ? rest.memory >= *slice.memory : rest.memory == rest.sliceable;
}

// To two significant bits: prices are made anew only when the demand has changed by much, and are
// still a function of the demand.
double Rounded(double count) {
  int exponent = 0;
  const double part = std::frexp(count, &exponent);  // [1/2, 1)
  return std::ldexp(std::round(part * 4) / 4, exponent);
}

}  // namespace

int CardRest::Parts() const {
  if (slots == 0) return 0;
  return std::min(PartsOf(units, type->compute_units, false),
                  PartsOf(memory.value, sliceable.value, false));
}

NodeRest NodeRest::Of(const Node& node) {
  NodeRest rest{.cards = {}, .cpu = node.free.cpu, .memory = node.free.memory.value};
  if (!node.ready) return rest;
  for (const Card& card : node.cards) {
    if (!card.usable()) continue;
    CardRest& left = rest.cards.emplace_back();
    left.card = &card;
    left.type = card.type;
    left.sliceable = card.sliceable;
    left.units = card.FreeUnits().Count();
    left.memory = card.FreeMemory();
    left.unused = card.unused();
    if (card.FreePipes() != 0) left.slots = kMaxSlicesPerCard - static_cast<int>(card.slice_count);
  }
  return rest;
}

void NodeRest::Take(const std::vector<Assignment>& assignments, const NodeNeeds& needs) {
  cpu -= needs.cpu;
  memory -= needs.memory.value;
  for (const Assignment& assignment : assignments) {
    const auto left = std::find_if(cards.begin(), cards.end(), [&](const CardRest& each) {
      return each.card->uuid == assignment.device;
    });
    left->units -= assignment.compute_units;
    left->memory = std::max(MiB{0}, left->memory - assignment.memory);
    left->slots = assignment.whole_card() ? 0 : left->slots - 1;
    left->unused = false;
  }
}

void Worth::AddDemand(const std::vector<SliceRequest>& slices, const NodeNeeds& needs, int count) {
  cpu_ += needs.cpu * count;
  memory_ += needs.memory.value * count;
  for (const DemandKind& kind : KindsOf(slices, needs.cpu)) CountKind(kind, count);
  ChooseKinds();
}

void Worth::CountKind(const DemandKind& kind, int count) {
  int& counted = counts_[kind];
  by_frequency_.erase({-counted, kind});
  counted += count;
  all_requests_ += count;
  if (counted != 0) {
    by_frequency_.insert({-counted, kind});
  } else {
    counts_.erase(kind);
  }
  const auto entry = kinds_.find(kind);
  if (entry == kinds_.end()) return;
  entry->second.count += count;
  requests_ += count;
  if (entry->second.count == 0) DropKind(entry);
}

// The most frequent; of as many the first in order.
void Worth::ChooseKinds() {
  if (kinds_.size() == counts_.size()) return;
  std::set<DemandKind> chosen;
  for (const auto& [count, kind] : by_frequency_) {
    if (chosen.size() == kMostKinds) break;
    chosen.insert(kind);
  }
  for (auto kind = kinds_.begin(); kind != kinds_.end();) {
    const auto next = std::next(kind);
    if (!chosen.contains(kind->first)) DropKind(kind);
    kind = next;
  }
  for (const DemandKind& kind : chosen) {
    if (!kinds_.contains(kind)) AddKind(kind);
  }
}

void Worth::AddKind(const DemandKind& kind) {
  Kind& added = kinds_[kind];
  added.form = FormOf(kind);
  added.count = counts_.at(kind);
  requests_ += added.count;
  for (const auto& [node, rest] : rests_) {
    if (rest.cpu >= kind.cpu) added.supply += UsableParts(forms_[added.form], rest);
  }
}

void Worth::DropKind(Kinds::iterator kind) {
  const size_t form = kind->second.form;
  requests_ -= kind->second.count;
  kinds_.erase(kind);
  if (--forms_[form].kinds > 0) return;
  const size_t last = forms_.size() - 1;
  std::swap(forms_[form], forms_[last]);
  forms_.pop_back();
  for (auto& [other, entry] : kinds_) {
    if (entry.form == last) entry.form = form;
  }
}

size_t Worth::FormOf(const DemandKind& kind) {
  auto form = std::find_if(forms_.begin(), forms_.end(), [&](const Form& each) {
    return each.cards == kind.cards && each.slice == kind.slice;
  });
  if (form == forms_.end()) {
    forms_.push_back({kind.slice, kind.cards, 0, {}});
    LearnTypes();
    form = std::prev(forms_.end());
  }
  ++form->kinds;
  return static_cast<size_t>(form - forms_.begin());
}

void Worth::LearnTypes() {
  for (Form& form : forms_) {
    for (size_t id = form.units.size(); id < types_.size(); ++id) {
      const CardType& type = types_[id];
      const bool selected = SelectsModel(*form.slice.devices, type.model);
      form.units.push_back(selected ? UnitsAsked(form.slice, type.compute_units) : kNotSelected);
    }
  }
}

void Worth::SetNode(const Node& node) {
  LearnTypes();
  RemoveNode(node);
  Supply(rests_.insert_or_assign(&node, NodeRest::Of(node)).first->second, 1);
}

void Worth::RemoveNode(const Node& node) {
  const auto found = rests_.find(&node);
  if (found == rests_.end()) return;
  Supply(found->second, -1);
  rests_.erase(found);
}

void Worth::Supply(const NodeRest& rest, int sign) {
  const Parts usable = UsableParts(rest);
  for (auto& [kind, entry] : kinds_) {
    if (rest.cpu >= kind.cpu) entry.supply += int64_t{sign} * usable[entry.form];
  }
  for (const CardRest& card : rest.cards) {
    free_parts_ += int64_t{sign} * card.Parts();
    const auto shape = shapes_.try_emplace({card.type->id, card.sliceable.value}, 0).first;
    if ((shape->second += sign) == 0) shapes_.erase(shape);
  }
}

int Worth::UsableParts(const Form& form, const NodeRest& rest) {
  const bool whole = form.slice.whole_card();
  int usable = 0;
  int unused = 0;
  for (const CardRest& card : rest.cards) {
    const int units = form.units[card.type->id];
    if (units == kNotSelected) continue;
    unused += card.unused ? 1 : 0;
    if (!whole && FitsCard(form.slice, units, card)) usable += card.Parts();
  }
  if (whole && unused >= form.cards) usable = unused * kCardParts;
  return usable;
}

Worth::Parts Worth::UsableParts(const NodeRest& rest) const {
  Parts usable;
  usable.reserve(forms_.size());
  for (const Form& form : forms_) usable.push_back(UsableParts(form, rest));
  return usable;
}

// In parts of such a card; 0: it is not for that card.
int Worth::SizeOn(const Form& form, int type, int64_t memory) const {
  const int all = types_[type].compute_units;
  const int units = form.units[type];
  if (units == kNotSelected || units > all) return 0;
  if (!form.slice.memory) return kCardParts;
  const int parts =
      std::max(PartsOf(units, all, true), PartsOf(form.slice.memory->value, memory, true));
  return parts > kCardParts ? 0 : std::max(parts, 1);
}

// Each form counts on the cards that it selects, by how many there are of each; in thousandths, as
// whole numbers add up to the same in any order.
std::vector<DemandedSize> Worth::Sizes() const {
  std::vector<int64_t> asked(forms_.size());
  for (const auto& [kind, entry] : kinds_) asked[entry.form] += int64_t{1000} * entry.count;
  std::array<int64_t, kCardParts + 1> counts{};
  for (size_t f = 0; f < forms_.size(); ++f) {
    const Form& form = forms_[f];
    int64_t cards = 0;
    for (const auto& [shape, count] : shapes_) {
      if (SizeOn(form, shape.first, shape.second) > 0) cards += count;
    }
    for (const auto& [shape, count] : shapes_) {
      const int parts = SizeOn(form, shape.first, shape.second);
      if (parts > 0) counts[parts] += asked[f] * form.cards * count / cards;
    }
  }
  std::vector<DemandedSize> sizes;
  for (int parts = 1; parts <= kCardParts; ++parts) {
    if (counts[parts] > 0) sizes.push_back({parts, Rounded(static_cast<double>(counts[parts]))});
  }
  return sizes;
}

const Worth::Priced& Worth::Prices() const {
  auto sizes = Sizes();
  if (sizes != priced_.sizes) priced_ = {sizes, CardPrices(sizes)};
  return priced_;
}

Worth::Rating::Rating(const Worth& worth) : worth_(worth) {
  const auto& [sizes, prices] = worth.Prices();
  double cards = 0;
  for (const DemandedSize& size : sizes) {
    cards += size.count / 1000 * prices.Of(size.parts, 1);
  }
  if (cards > 0) {
    // Of the requests that count.
    const double part =
        static_cast<double>(worth.requests_) / static_cast<double>(worth.all_requests_);
    cpu_of_card_ = part * static_cast<double>(worth.cpu_) / cards;
    memory_of_card_ = part * static_cast<double>(worth.memory_) / cards;
  }
  for (const auto& [kind, entry] : worth.kinds_) {
    const auto supply = static_cast<double>(std::max<int64_t>(entry.supply, kCardParts));
    const double scarcity = static_cast<double>(worth.free_parts_) / supply;
    const double share = static_cast<double>(entry.count) / static_cast<double>(worth.requests_);
    kinds_.push_back({entry.form, kind.cpu, share * scarcity * scarcity});
  }
}

double Worth::Rating::Of(const NodeRest& rest) const {
  double cards = 0;
  for (const CardRest& card : rest.cards) {
    cards += worth_.priced_.prices.Of(card.Parts(), card.slots);
  }
  if (cpu_of_card_ > 0) cards = std::min(cards, static_cast<double>(rest.cpu) / cpu_of_card_);
  if (memory_of_card_ > 0) {
    cards = std::min(cards, static_cast<double>(rest.memory) / memory_of_card_);
  }
  const Parts usable = worth_.UsableParts(rest);
  double sum = 0;
  for (const Weighed& kind : kinds_) {
    if (rest.cpu >= kind.cpu) sum += kind.weight * usable[kind.form];
  }
  return cards + kScarcity * sum / kCardParts;
}

}  // namespace vdcu::dcu
