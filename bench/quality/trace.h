// The openb trace (Alibaba's clusterdata, USENIX ATC '23): nodes with cards, lists of pods, and an
// order in which they arrive. Source and licence: bench/data/openb/README.md.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/result.h"

namespace vdcu::bench {

inline constexpr int kMilli = 1000;  // of one card
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
  int milli = 0;            // of each card; below kMilli only with one card
  uint32_t models = ~0u;    // bits: which models may serve it
  int count = 0;            // in the list
  std::string models_text;  // "V100M16|V100M32"; empty: any

  int total() const { return cards * milli; }
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

// Kinds in the order of their arrival, until more than `ratio` of the capacity is asked for: all
// pods shuffled, then pods drawn with replacement.
std::vector<int> Arrivals(const Trace& trace, double ratio, std::mt19937_64& random);

}  // namespace vdcu::bench
