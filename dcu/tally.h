// Counts, over nodes and cards, why a request fits nowhere.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "dcu/fit.h"

namespace vdcu::dcu {

class Tally {
 public:
  // A node that was not looked into, or whose cards fit.
  void AddNode(const std::string& phrase);
  // A node whose cards do not fit.
  void AddCards(const Node& node, const Fit::Explanation& explanation);

  FitError Finish() const;

 private:
  static constexpr size_t kVerdicts = static_cast<size_t>(CardVerdict::kNotTogether) + 1;
  using Counts = std::array<int, kVerdicts>;

  struct Causes {
    Counts by_verdict{};
    std::map<std::string_view, int> unhealthy;  // kUnhealthy, by the card's own reason
  };

  void AddMostFrequent(Counts& counts, const std::map<std::string_view, int>& unhealthy);
  void Measure(const Need& need, const Card& card, CardVerdict verdict);
  std::string NodePhrase(CardVerdict verdict) const;
  std::string CardPhrase(CardVerdict verdict) const;

  int nodes_ = 0;
  std::map<std::string, int> nodes_by_phrase_;
  Causes nodes_with_cards_;  // each under its most frequent cause
  Causes cards_;
  // Of the cards that are counted under kUnits and kMemory.
  int most_free_units_ = 0;
  MiB most_free_memory_;
  // Of the cards that the selectors let through: the largest, and is one as large as asked?
  int largest_units_ = 0;
  MiB largest_memory_;
  bool units_exist_ = false;
  bool memory_exists_ = false;
};

}  // namespace vdcu::dcu
