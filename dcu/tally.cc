#include "dcu/tally.h"

#include <algorithm>

namespace vdcu::dcu {
namespace {

Refusal::Counts Sorted(const std::map<std::string, int>& counts) {
  Refusal::Counts sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return sorted;
}

std::string Joined(const Refusal::Counts& counts) {
  std::string text;
  for (const auto& [reason, count] : counts) {
    if (!text.empty()) text += ", ";
    text += std::to_string(count) + " " + reason;
  }
  return text;
}

}  // namespace

void Tally::AddNode(const std::string& phrase) {
  ++nodes_;
  ++nodes_by_phrase_[phrase];
}

void Tally::AddCards(const Node& node, const Fit::Explanation& explanation) {
  ++nodes_;
  std::map<Cause, int> causes;
  auto verdict = explanation.verdicts.begin();
  for (const Card& card : node.cards) {
    if (!card.reported) continue;
    const bool sick = *verdict == Verdict::kUnhealthy;
    ++causes[{*verdict, sick ? std::string_view(*card.reason) : std::string_view()}];
    Measure(*explanation.need, card, *verdict++);
  }
  if (causes.empty()) {
    ++nodes_by_phrase_["node has no DCU cards"];
    return;
  }
  const auto most =
      std::max_element(causes.begin(), causes.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  ++nodes_by_cause_[most->first];
  for (const auto& [cause, count] : causes) {
    cards_by_cause_[cause] += count;
    cards_ += count;
  }
}

void Tally::Measure(const Need& need, const Card& card, Verdict verdict) {
  if (verdict == Verdict::kOtherModel || verdict == Verdict::kOtherUuid) return;
  largest_units_ = std::max(largest_units_, card.type->compute_units);
  largest_memory_ = std::max(largest_memory_, card.sliceable);
  units_exist_ |= need.whole || card.type->compute_units >= need.units[card.type->id];
  memory_exists_ |= need.whole || card.sliceable >= need.memory;
  if (verdict == Verdict::kUnits) {
    most_free_units_ = std::max(most_free_units_, card.FreeUnits().Count());
  } else if (verdict == Verdict::kMemory) {
    most_free_memory_ = std::max(most_free_memory_, card.FreeMemory());
  }
}

std::string Tally::NodePhrase(const Cause& cause) const {
  const std::string larger = "larger than any card: largest ";
  switch (cause.first) {
    case Verdict::kUnits:
      if (!units_exist_) return larger + std::to_string(largest_units_) + " compute units";
      return "too few free compute units (most free " + std::to_string(most_free_units_) + ")";
    case Verdict::kMemory:
      if (!memory_exists_) return larger + std::to_string(largest_memory_.value) + " MiB";
      return "too little card memory (most free " + std::to_string(most_free_memory_.value) +
             " MiB)";
    case Verdict::kNoPipe:
      return "no free slice (" + std::to_string(kMaxSlicesPerCard) + " in use)";
    case Verdict::kInUse:
      return "card in use";
    case Verdict::kUnhealthy:
      return "card unhealthy (" + std::string(cause.second) + ")";
    case Verdict::kCordoned:
      return "card cordoned";
    case Verdict::kMig:
      return "card in MIG mode";
    default:
      return CardPhrase(cause);
  }
}

std::string Tally::CardPhrase(const Cause& cause) const {
  switch (cause.first) {
    case Verdict::kUnits:
      return units_exist_ ? "too few compute units" : "too small";
    case Verdict::kMemory:
      return memory_exists_ ? "too little memory" : "too small";
    case Verdict::kNoPipe:
      return "no free slice";
    case Verdict::kInUse:
      return "in use";
    case Verdict::kUnhealthy:
      return "unhealthy (" + std::string(cause.second) + ")";
    case Verdict::kCordoned:
      return "cordoned";
    case Verdict::kMig:
      return "in MIG mode";
    case Verdict::kOtherModel:
      return "other model";
    case Verdict::kOtherUuid:
      return "uuid not selected";
    case Verdict::kNotTogether:
    case Verdict::kFits:
      break;
  }
  return "room for only some of the slices";
}

Refusal Tally::Finish() const {
  std::map<std::string, int> nodes = nodes_by_phrase_;
  std::map<std::string, int> cards;
  for (const auto& [cause, count] : nodes_by_cause_) nodes[NodePhrase(cause)] += count;
  for (const auto& [cause, count] : cards_by_cause_) cards[CardPhrase(cause)] += count;
  return {nodes_, Sorted(nodes), cards_, Sorted(cards)};
}

std::string Refusal::Message() const {
  if (nodes == 0) return "0/0 nodes fit: no node has reported DCU cards";
  std::string text = "0/" + std::to_string(nodes) + " nodes fit: " + Joined(node_reasons);
  if (cards > 0)
    text +=
        "; " + std::to_string(cards) + (cards == 1 ? " card: " : " cards: ") + Joined(card_reasons);
  return text;
}

}  // namespace vdcu::dcu
