// The openb trace (Alibaba's clusterdata, USENIX ATC '23): nodes with cards, lists of pods, and the
// order in which they arrive and leave. Source and licence: bench/data/openb/README.md.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/result.h"

namespace vdcu::bench {

inline constexpr int kMilli = 1000;  // of one card: of its units, or of its memory
inline constexpr int kMostCards = 8;

struct TraceNode {
  std::string name;
  int cpu = 0;     // milli
  int memory = 0;  // MiB
  int cards = 0;
  int model = 0;  // index into Trace::models
};

// What pods that ask for the same ask for.
struct PodKind {
  int cpu = 0;              // milli
  int memory = 0;           // MiB
  int cards = 0;            // 0: none
  int milli = 0;            // of each card's units; below kMilli only with one card
  int card_memory = 0;      // milli of each card's memory; the lists know none: as of units
  uint32_t models = ~0u;    // bits: which models may serve it
  int count = 0;            // in the list
  std::string models_text;  // "V100M16|V100M32"; empty: any

  // Milli of cards that it asks for, units and memory alike.
  double total() const { return cards * (milli + card_memory) / 2.0; }
  bool shared() const { return cards == 1 && milli < kMilli; }
};

struct Trace {
  std::vector<std::string> models;
  std::vector<TraceNode> nodes;
  std::vector<PodKind> kinds;
  std::vector<int> pods;  // the kind of each
  int64_t capacity = 0;   // milli of all cards
};

// `list`: "default", "gpushare40" or "gpuspec33". Errors: kNotFound, kCorrupt; both name the file.
base::Result<Trace> ReadTrace(const std::string& folder, const std::string& list);

// Draws what pods that share cards ask of memory apart from what they ask of units: of each that of
// another.
void DrawMemory(Trace& trace, std::mt19937_64& random);
// So many nodes and pods for each.
void Multiply(Trace& trace, int copies);

// Kinds in the order of their arrival, until more than `ratio` of the capacity is asked for: all
// pods shuffled, then pods drawn with replacement.
std::vector<int> Arrivals(const Trace& trace, double ratio, std::mt19937_64& random);

struct Event {
  int pod = 0;  // 0, 1, 2, ... in order of arrival
  int kind = 0;
  bool leaves = false;
};
// Poisson arrivals at a load of 100 % and exponential lifetimes, for so many mean lifetimes after
// as much as there is was asked for at once.
std::vector<Event> ArrivalsAndDepartures(const Trace& trace, double lifetimes,
                                         std::mt19937_64& random);

}  // namespace vdcu::bench
