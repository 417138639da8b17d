#include "dcu/worth.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vdcu::dcu {

namespace {

constexpr double kScarcity = 1.0 / 30;
// Requests are counted in thousandths: whole numbers add up to the same in any order.
constexpr int64_t kThousandths = 1000;

// To two significant bits: prices are made anew only when the demand has changed by much, and are
// still a function of the demand.
double Rounded(double count) {
  int exponent = 0;
  const double part = std::frexp(count, &exponent);  // [1/2, 1)
  return std::ldexp(std::round(part * 4) / 4, exponent);
}

}  // namespace

void Worth::AddDemand(const std::vector<SliceRequest>& slices, const NodeNeeds& needs, int count) {
  for (const Demand::Change& change : demand_.Add(slices, needs, count)) {
    supply_.SetRequests(change.kind, change.count);
  }
}

// Each form counts on the cards that it selects, by how many there are of each.
std::vector<Worth::SizeShare> Worth::SharesOf(const DemandForm& form) const {
  std::vector<SizeShare> shares;
  int64_t cards = 0;
  for (const auto& [shape, count] : supply_.shapes()) {
    const auto& [type, memory] = shape;
    const int parts = form.SizeOn(supply_.type(type), memory);
    if (parts == 0) continue;
    shares.push_back({parts, int64_t{form.cards} * count, 0});
    cards += count;
  }
  for (SizeShare& share : shares) share.of = cards;
  return shares;
}

// Only what has changed, as it is asked before each decision.
void Worth::CountSizes() const {
  const auto& forms = supply_.forms();
  if (counted_version_ != supply_.version()) {
    shares_.clear();
    for (const DemandForm& form : forms) shares_.push_back(SharesOf(form));
    counted_.assign(forms.size(), 0);
    counts_.fill(0);
    counted_version_ = supply_.version();
  }
  for (size_t f = 0; f < forms.size(); ++f) {
    const int64_t requests = forms[f].Requests();
    const int64_t before = std::exchange(counted_[f], requests);
    if (requests == before) continue;
    for (const SizeShare& share : shares_[f]) {
      counts_[share.parts] += kThousandths * requests * share.cards / share.of -
                              kThousandths * before * share.cards / share.of;
    }
  }
}

Worth::Sizes Worth::SizesNow() const {
  CountSizes();
  Sizes sizes;
  for (int parts = 1; parts <= kCardParts; ++parts) {
    if (counts_[parts] > 0) sizes.push_back({parts, Rounded(static_cast<double>(counts_[parts]))});
  }
  return sizes;
}

const Worth::Priced& Worth::PricedNow() const {
  Sizes sizes = SizesNow();
  const auto found = priced_.find(sizes);
  if (found != priced_.end()) return found->second;
  if (priced_.size() == kMostPriced) priced_.clear();
  Priced priced{CardPrices(sizes), 0};
  for (const DemandedSize& size : sizes) {
    priced.cards += size.count / kThousandths * priced.prices.Of(size.parts, 1);
  }
  return priced_.emplace(std::move(sizes), priced).first->second;
}

Worth::Terms Worth::TermsNow() const {
  const Priced& priced = PricedNow();
  Terms terms;
  terms.prices = &priced.prices;
  if (priced.cards <= 0) return terms;
  // Of what all requests ask for, the part of those that count.
  const double part =
      static_cast<double>(supply_.requests()) / static_cast<double>(demand_.requests());
  terms.cpu = part * static_cast<double>(demand_.cpu()) / priced.cards;
  terms.memory = part * static_cast<double>(demand_.memory()) / priced.cards;
  return terms;
}

Rating::Rating(const Worth& worth, const NodeNeeds& needs)
    : supply_(worth.supply()), terms_(worth.TermsNow()), needs_(needs) {
  const auto free = static_cast<double>(supply_.free_parts());
  const auto requests = static_cast<double>(supply_.requests());
  for (const DemandForm& form : supply_.forms()) {
    first_.push_back(upto_.size());
    double sum = 0;
    for (const DemandForm::Kind& kind : form.kinds) {
      const double scarcity =
          free / static_cast<double>(std::max<int64_t>(kind.supply, kCardParts));
      sum += kind.requests / requests * scarcity * scarcity;
      upto_.push_back(sum);
    }
  }
}

double Rating::WeightUpTo(size_t form, int64_t cpu) const {
  const auto& kinds = supply_.forms()[form].kinds;
  if (kinds.back().cpu <= cpu) return upto_[first_[form] + kinds.size() - 1];
  const auto end =
      std::upper_bound(kinds.begin(), kinds.end(), cpu,
                       [](int64_t has, const DemandForm::Kind& kind) { return has < kind.cpu; });
  return end == kinds.begin() ? 0 : upto_[first_[form] + (end - kinds.begin()) - 1];
}

void Rating::Open(const Node& node) {
  rest_ = &supply_.RestOf(node);
  cards_ = lost_by_cpu_ = 0;
  for (const CardRest& card : rest_->cards) cards_ += terms_.prices->Of(card.parts, card.slots);
  users_.clear();
  for (size_t f = 0; f < rest_->usable.size(); ++f) {
    if (rest_->usable[f] == 0) continue;
    const double before = WeightUpTo(f, rest_->free.cpu);
    const double after = WeightUpTo(f, rest_->free.cpu - needs_.cpu);
    lost_by_cpu_ += (before - after) * rest_->usable[f];
    if (after > 0) users_.push_back({f, after});
  }
}

// No more cards than there is cpu and memory for.
double Rating::Sellable(double cards, int64_t cpu, int64_t memory) const {
  if (terms_.cpu > 0) cards = std::min(cards, static_cast<double>(cpu) / terms_.cpu);
  if (terms_.memory > 0) cards = std::min(cards, static_cast<double>(memory) / terms_.memory);
  return cards;
}

void Rating::SetChanges(std::span<const CardPart> way) {
  changes_.clear();
  for (const CardPart& part : way) {
    auto change = std::find_if(changes_.begin(), changes_.end(), [&](const CardChange& each) {
      return each.before.card == part.card;
    });
    if (change == changes_.end()) {
      const auto rest = std::find_if(rest_->cards.begin(), rest_->cards.end(),
                                     [&](const CardRest& each) { return each.card == part.card; });
      change = changes_.insert(change, {*rest, *rest});
    }
    change->after = change->after.Less(part);
  }
}

double Rating::LossBy(std::span<const CardPart> way) {
  SetChanges(way);
  double cards = cards_;
  for (const auto& [before, after] : changes_) {
    cards +=
        terms_.prices->Of(after.parts, after.slots) - terms_.prices->Of(before.parts, before.slots);
  }
  double lost = lost_by_cpu_;
  for (const User& user : users_) {
    const DemandForm& form = supply_.forms()[user.form];
    lost += user.weight * form.LostBy(changes_, rest_->usable[user.form]);
  }
  const int64_t cpu = rest_->free.cpu;
  const int64_t memory = rest_->free.memory.value;
  return Sellable(cards_, cpu, memory) -
         Sellable(cards, cpu - needs_.cpu, memory - needs_.memory.value) +
         kScarcity * lost / kCardParts;
}

}  // namespace vdcu::dcu
