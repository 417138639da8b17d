#include "dcu/tally.h"

#include <algorithm>

namespace vdcu::dcu {
namespace {

FitError::Counts Sorted(const std::map<std::string, int>& counts) {
  FitError::Counts sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  return sorted;
}

std::string Joined(const FitError::Counts& counts) {
  std::string text;
  for (const auto& [reason, count] : counts) {
    if (!text.empty()) text += ", ";
    text += std::to_string(count) + " " + reason;
  }
  return text;
}

std::string CardsText(const FitError& error) {
  if (error.cards == 0) return "";
  return "; " + std::to_string(error.cards) + (error.cards == 1 ? " card: " : " cards: ") +
         Joined(error.card_reasons);
}

}  // namespace

void Tally::AddNode(const std::string& phrase) {
  ++nodes_;
  ++nodes_by_phrase_[phrase];
}

void Tally::AddCards(const Node& node, const Fit::Explanation& explanation) {
  ++nodes_;
  Counts counts{};
  std::map<std::string_view, int> unhealthy;
  auto verdict = explanation.verdicts.begin();
  for (const Card& card : node.cards) {
    if (!card.reported) continue;
    if (*verdict == CardVerdict::kUnhealthy) ++unhealthy[*card.reason];
    ++counts[static_cast<size_t>(*verdict)];
    Measure(*explanation.need, card, *verdict++);
  }
  if (explanation.verdicts.empty()) {
    ++nodes_by_phrase_["node has no DCU cards"];
    return;
  }
  for (size_t i = 0; i < counts.size(); ++i) cards_.by_verdict[i] += counts[i];
  for (const auto& [reason, count] : unhealthy) cards_.unhealthy[reason] += count;
  AddMostFrequent(counts, unhealthy);
}

// Each reason of unhealthy cards stands for itself.
void Tally::AddMostFrequent(Counts& counts, const std::map<std::string_view, int>& unhealthy) {
  const auto by_count = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto worst = std::max_element(unhealthy.begin(), unhealthy.end(), by_count);
  counts[static_cast<size_t>(CardVerdict::kUnhealthy)] = unhealthy.empty() ? 0 : worst->second;
  const size_t most = std::max_element(counts.begin(), counts.end()) - counts.begin();
  if (static_cast<CardVerdict>(most) == CardVerdict::kUnhealthy) {
    ++nodes_with_cards_.unhealthy[worst->first];
  } else {
    ++nodes_with_cards_.by_verdict[most];
  }
}

void Tally::Measure(const Need& need, const Card& card, CardVerdict verdict) {
  if (verdict == CardVerdict::kOtherModel || verdict == CardVerdict::kOtherUuid) return;
  largest_units_ = std::max(largest_units_, card.type->compute_units);
  largest_memory_ = std::max(largest_memory_, card.sliceable);
  units_exist_ |= need.whole || card.type->compute_units >= need.units[card.type->id];
  memory_exists_ |= need.whole || card.sliceable >= need.memory;
  if (verdict == CardVerdict::kUnits) {
    most_free_units_ = std::max(most_free_units_, card.free_units);
  } else if (verdict == CardVerdict::kMemory) {
    most_free_memory_ = std::max(most_free_memory_, card.FreeMemory());
  }
}

std::string Tally::NodePhrase(CardVerdict verdict) const {
  const std::string larger = "larger than any card: largest ";
  switch (verdict) {
    case CardVerdict::kUnits:
      if (!units_exist_) return larger + std::to_string(largest_units_) + " compute units";
      return "too few free compute units (most free " + std::to_string(most_free_units_) + ")";
    case CardVerdict::kMemory:
      if (!memory_exists_) return larger + std::to_string(largest_memory_.value) + " MiB";
      return "too little card memory (most free " + std::to_string(most_free_memory_.value) +
             " MiB)";
    case CardVerdict::kNoPipe:
      return "no free slice (" + std::to_string(kMaxSlicesPerCard) + " in use)";
    case CardVerdict::kInUse:
      return "card in use";
    case CardVerdict::kShared:
      return "card(s) shared with other namespaces";
    case CardVerdict::kCordoned:
      return "card cordoned";
    case CardVerdict::kMig:
      return "card in MIG mode";
    default:
      return CardPhrase(verdict);
  }
}

std::string Tally::CardPhrase(CardVerdict verdict) const {
  switch (verdict) {
    case CardVerdict::kUnits:
      return units_exist_ ? "too few compute units" : "too small";
    case CardVerdict::kMemory:
      return memory_exists_ ? "too little memory" : "too small";
    case CardVerdict::kNoPipe:
      return "no free slice";
    case CardVerdict::kInUse:
      return "in use";
    case CardVerdict::kShared:
      return "shared with other namespaces";
    case CardVerdict::kCordoned:
      return "cordoned";
    case CardVerdict::kMig:
      return "in MIG mode";
    case CardVerdict::kOtherModel:
      return "other model";
    case CardVerdict::kOtherUuid:
      return "uuid not selected";
    default:
      return "room for only some of the slices";
  }
}

FitError Tally::Finish() const {
  std::map<std::string, int> nodes = nodes_by_phrase_;
  std::map<std::string, int> cards;
  int card_count = 0;
  for (size_t i = 0; i < cards_.by_verdict.size(); ++i) {
    const auto verdict = static_cast<CardVerdict>(i);
    card_count += cards_.by_verdict[i];
    if (verdict == CardVerdict::kUnhealthy) continue;
    if (const int count = nodes_with_cards_.by_verdict[i]) nodes[NodePhrase(verdict)] += count;
    if (const int count = cards_.by_verdict[i]) cards[CardPhrase(verdict)] += count;
  }
  for (const auto& [reason, count] : nodes_with_cards_.unhealthy) {
    nodes["card unhealthy (" + std::string(reason) + ")"] += count;
  }
  for (const auto& [reason, count] : cards_.unhealthy) {
    cards["unhealthy (" + std::string(reason) + ")"] += count;
  }
  return {nodes_, Sorted(nodes), card_count, Sorted(cards)};
}

std::string FitError::Message() const {
  if (nodes == 0) return "0/0 nodes fit: no node has reported DCU cards";
  return "0/" + std::to_string(nodes) + " nodes fit: " + Joined(node_reasons) + CardsText(*this);
}

std::string FitError::NodeMessage() const { return node_reasons.front().first + CardsText(*this); }

}  // namespace vdcu::dcu
