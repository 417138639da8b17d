#include "demo/card_picture.h"

#include <algorithm>
#include <string_view>
#include <tuple>

#include "dcu/assignment.h"

namespace vdcu::demo {

namespace {

constexpr int kUnitsPerRow = 64;
constexpr std::string_view kReset = "\x1b[0m";

struct Slice {
  std::string holder;
  const dcu::Assignment* assignment;
};

std::string HolderOf(const crds::VdcuPartition& partition) {
  const auto& pod = partition.spec.pod_ref ? partition.spec.pod_ref : partition.status.used_by;
  return partition.meta.key() + (pod ? ", pod " + pod->name : "");
}

std::vector<Slice> SlicesOf(const crds::DcuNode& node, const dcu::Device& card,
                            const std::vector<crds::VdcuPartition>& partitions) {
  std::vector<Slice> slices;
  for (const auto& partition : partitions) {
    const auto& assignment = partition.spec.assignment;
    if (assignment && assignment->node == node.meta.name && assignment->device == card.uuid) {
      slices.push_back({HolderOf(partition), &*assignment});
    }
  }
  for (const auto& held : node.status.held) {
    if (held.assignment.device == card.uuid) {
      slices.push_back({"still held by pod " + held.pod_uid, &held.assignment});
    }
  }
  std::sort(slices.begin(), slices.end(), [](const Slice& a, const Slice& b) {
    return std::tie(a.assignment->pipe, a.holder) < std::tie(b.assignment->pipe, b.holder);
  });
  return slices;
}

char Letter(size_t slice) { return static_cast<char>('a' + slice % 26); }

std::string Painted(size_t slice, const std::string& text, bool colour) {
  static constexpr std::string_view kColours[] = {"\x1b[30;42m", "\x1b[30;43m", "\x1b[30;46m",
                                                  "\x1b[30;45m"};
  if (!colour) return text;
  return std::string(kColours[slice % std::size(kColours)]) + text + std::string(kReset);
}

// The units from..to-1, neighbours of one slice painted together.
std::string Row(const std::vector<Slice>& slices, int from, int to, bool colour) {
  const auto holder = [&](int unit) -> size_t {
    size_t found = slices.size();
    for (size_t i = 0; i < slices.size(); ++i) {
      if (!slices[i].assignment->units.Has(unit)) continue;
      found = found == slices.size() ? i : slices.size() + 1;
    }
    return found;
  };
  std::string row;
  for (int unit = from; unit < to;) {
    const size_t slice = holder(unit);
    int end = unit + 1;
    while (end < to && holder(end) == slice) ++end;
    const auto count = static_cast<size_t>(end - unit);
    if (slice < slices.size()) {
      row += Painted(slice, std::string(count, Letter(slice)), colour);
    } else {
      row.append(count, slice == slices.size() ? '.' : '!');
    }
    unit = end;
  }
  return row;
}

std::string Amount(int units, dcu::MiB memory) {
  return std::to_string(units) + " units, " + std::to_string(memory.value) + " MiB";
}

std::string Legend(const Slice& slice, size_t number, bool colour) {
  const dcu::Assignment& granted = *slice.assignment;
  std::string line = "      " + Painted(number, {Letter(number)}, colour) + " " + slice.holder +
                     ": " + Amount(granted.compute_units, granted.memory);
  if (granted.whole_card()) return line + ", the whole card\n";
  return line + ", pipe " + std::to_string(granted.pipe.value_or(0)) + ", vdev " +
         std::to_string(granted.vdev.value_or(0)) + "\n";
}

std::string DrawCard(const dcu::Device& card, const std::vector<Slice>& slices, bool colour) {
  std::string picture = "  card " + std::to_string(card.index) + "  " + card.model + "  " +
                        card.uuid + ": " + Amount(card.compute_units, card.memory) +
                        (slices.empty() ? ", all free" : "") +
                        (card.healthy ? "" : ", not healthy: " + card.reason) + "\n";
  if (slices.empty()) return picture;
  for (int from = 0; from < card.compute_units; from += kUnitsPerRow) {
    const int to = std::min(from + kUnitsPerRow, card.compute_units);
    picture += "    " + Row(slices, from, to, colour) + "\n";
  }
  for (size_t i = 0; i < slices.size(); ++i) picture += Legend(slices[i], i, colour);
  return picture;
}

}  // namespace

std::string DrawCards(const std::vector<crds::DcuNode>& nodes,
                      const std::vector<crds::VdcuPartition>& partitions, bool colour) {
  std::string picture;
  for (const auto& node : nodes) {
    picture += node.meta.name + "\n";
    for (const auto& card : node.status.devices) {
      picture += DrawCard(card, SlicesOf(node, card, partitions), colour);
    }
  }
  return picture;
}

}  // namespace vdcu::demo
