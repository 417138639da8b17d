// Counts, over nodes and cards, why a request fits nowhere.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "dcu/fit.h"

namespace vdcu::dcu {

class Tally {
 public:
  // A node that was not looked into, or whose cards fit.
  void AddNode(const std::string& phrase);
  // A node whose cards do not fit.
  void AddCards(const Node& node, const Fit::Explanation& explanation);

  Refusal Finish() const;

 private:
  // With the card's own reason where it is not healthy.
  using Cause = std::pair<Verdict, std::string_view>;

  void Measure(const Need& need, const Card& card, Verdict verdict);
  std::string NodePhrase(const Cause& cause) const;
  std::string CardPhrase(const Cause& cause) const;

  int nodes_ = 0;
  int cards_ = 0;
  std::map<std::string, int> nodes_by_phrase_;
  std::map<Cause, int> nodes_by_cause_;
  std::map<Cause, int> cards_by_cause_;
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
