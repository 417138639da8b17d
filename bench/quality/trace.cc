#include "bench/quality/trace.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <queue>
#include <sstream>
#include <tuple>
#include <utility>

namespace vdcu::bench {

namespace {

using Row = std::vector<std::string>;

// No field of the trace has quotes.
base::Result<std::vector<Row>> ReadCsv(const std::string& path, size_t columns) {
  std::ifstream file(path);
  if (!file) return base::Error{base::ErrorCode::kNotFound, path + ": cannot be read", {}};
  std::vector<Row> rows;
  std::string line;
  for (int number = 0; std::getline(file, line); ++number) {
    Row row;
    std::istringstream fields(line);
    for (std::string field; std::getline(fields, field, ',');) row.push_back(field);
    if (number == 0) continue;
    row.resize(std::max(row.size(), columns));
    rows.push_back(std::move(row));
  }
  return rows;
}

int Number(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

int ModelOf(Trace& trace, const std::string& name) {
  const auto found = std::find(trace.models.begin(), trace.models.end(), name);
  const auto index = static_cast<int>(found - trace.models.begin());
  if (found == trace.models.end()) trace.models.push_back(name);
  return index;
}

// "V100M16|V100M32"; of models that no node has there are none.
uint32_t ModelBits(const Trace& trace, const std::string& text) {
  if (text.empty()) return ~0u;
  uint32_t bits = 0;
  std::istringstream names(text);
  for (std::string name; std::getline(names, name, '|');) {
    const auto found = std::find(trace.models.begin(), trace.models.end(), name);
    if (found != trace.models.end()) bits |= 1u << (found - trace.models.begin());
  }
  return bits;
}

base::Status ReadNodes(const std::string& path, Trace& trace) {
  ASSIGN_OR_RETURN(const auto rows, ReadCsv(path, 5));
  for (const Row& row : rows) {
    const TraceNode node{row[0], Number(row[1]), Number(row[2]), Number(row[3]),
                         ModelOf(trace, row[4])};
    if (node.cards > kMostCards) return base::Error{base::ErrorCode::kCorrupt, path, {}};
    trace.capacity += int64_t{node.cards} * kMilli;
    trace.nodes.push_back(node);
  }
  return base::Ok();
}

base::Status ReadPods(const std::string& path, Trace& trace) {
  ASSIGN_OR_RETURN(const auto rows, ReadCsv(path, 6));
  std::map<std::tuple<int, int, int, int, std::string>, int> known;
  for (const Row& row : rows) {
    PodKind kind;
    kind.cpu = Number(row[1]);
    kind.memory = Number(row[2]);
    kind.cards = Number(row[3]);
    kind.milli = kind.card_memory = kind.cards == 0 ? 0 : Number(row[4]);
    kind.models_text = row[5];
    kind.models = ModelBits(trace, kind.models_text);
    const auto [entry, is_new] = known.try_emplace(
        {kind.cpu, kind.memory, kind.cards, kind.milli, kind.models_text}, trace.kinds.size());
    if (is_new) trace.kinds.push_back(kind);
    ++trace.kinds[entry->second].count;
    trace.pods.push_back(entry->second);
  }
  return base::Ok();
}

}  // namespace

base::Result<Trace> ReadTrace(const std::string& folder, const std::string& list) {
  Trace trace;
  RETURN_IF_ERROR(ReadNodes(folder + "/openb_node_list_gpu_node.csv", trace));
  RETURN_IF_ERROR(ReadPods(folder + "/openb_pod_list_" + list + ".csv", trace));
  return trace;
}

std::vector<int> Arrivals(const Trace& trace, double ratio, std::mt19937_64& random) {
  std::vector<int> arrivals;
  std::vector<int> shuffled = trace.pods;
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  const auto most = static_cast<int64_t>(ratio * static_cast<double>(trace.capacity));
  std::uniform_int_distribution<size_t> any(0, trace.pods.size() - 1);
  double asked = 0;
  for (size_t i = 0; asked <= most; ++i) {
    arrivals.push_back(i < shuffled.size() ? shuffled[i] : trace.pods[any(random)]);
    asked += trace.kinds[arrivals.back()].total();
  }
  return arrivals;
}

void DrawMemory(Trace& trace, std::mt19937_64& random) {
  std::vector<size_t> shared;
  std::vector<int> asked;
  for (size_t i = 0; i < trace.pods.size(); ++i) {
    const PodKind& kind = trace.kinds[trace.pods[i]];
    if (!kind.shared()) continue;
    shared.push_back(i);
    asked.push_back(kind.milli);
  }
  std::shuffle(asked.begin(), asked.end(), random);
  std::map<std::pair<int, int>, int> known;  // by kind and memory
  for (size_t i = 0; i < shared.size(); ++i) {
    int& of_pod = trace.pods[shared[i]];
    --trace.kinds[of_pod].count;
    const auto [entry, is_new] = known.try_emplace({of_pod, asked[i]}, trace.kinds.size());
    if (is_new) {
      trace.kinds.push_back(trace.kinds[of_pod]);
      trace.kinds.back().card_memory = asked[i];
      trace.kinds.back().count = 0;
    }
    of_pod = entry->second;
    ++trace.kinds[of_pod].count;
  }
}

void Multiply(Trace& trace, int copies) {
  const auto nodes = trace.nodes;
  const auto pods = trace.pods;
  for (int copy = 1; copy < copies; ++copy) {
    for (TraceNode node : nodes) {
      node.name += "-" + std::to_string(copy);
      trace.nodes.push_back(node);
    }
    trace.pods.insert(trace.pods.end(), pods.begin(), pods.end());
  }
  trace.capacity *= copies;
  for (PodKind& kind : trace.kinds) kind.count *= copies;
}

std::vector<Event> ArrivalsAndDepartures(const Trace& trace, double lifetimes,
                                         std::mt19937_64& random) {
  double asked = 0;
  for (const int kind : trace.pods) asked += trace.kinds[kind].total();
  const double mean = asked / static_cast<double>(trace.pods.size());
  std::exponential_distribution<double> interval(static_cast<double>(trace.capacity) / mean);
  std::exponential_distribution<double> lifetime(1);
  std::uniform_int_distribution<size_t> any(0, trace.pods.size() - 1);

  using Leaving = std::pair<double, Event>;
  const auto later = [](const Leaving& a, const Leaving& b) {
    return std::pair(a.first, a.second.pod) > std::pair(b.first, b.second.pod);
  };
  std::priority_queue<Leaving, std::vector<Leaving>, decltype(later)> leaving(later);
  std::vector<Event> events;
  int pods = 0;
  const auto arrive = [&](double now, int kind) {
    events.push_back({pods, kind, false});
    leaving.push({now + lifetime(random), {pods++, kind, true}});
  };
  for (const int kind : Arrivals(trace, 1, random)) arrive(0, kind);
  for (double now = interval(random); now < lifetimes; now += interval(random)) {
    for (; leaving.top().first < now; leaving.pop()) events.push_back(leaving.top().second);
    arrive(now, trace.pods[any(random)]);
  }
  return events;
}

}  // namespace vdcu::bench
