#include "node/card_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <string>
#include <vector>

namespace vdcu::node {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

dcu::Device Card(const std::string& uuid, bool healthy) {
  dcu::Device card;
  card.uuid = uuid;
  card.model = "Z100L";
  card.compute_units = 60;
  card.memory = dcu::MiB{32768};
  card.healthy = healthy;
  return card;
}

Slice OfPod(const std::string& uid, const std::string& card, int units, int64_t mebibytes) {
  Slice slice;
  slice.uid = uid;
  slice.ns = "team";
  slice.name = "part-" + uid;
  slice.assignment.device = card;
  slice.assignment.compute_units = units;
  slice.assignment.memory = dcu::MiB{mebibytes};
  slice.pod = crds::PodRef{.name = "pod-" + uid, .uid = "u", .container = "main"};
  return slice;
}

const std::string kNode = "n1";

std::string Text(const Slices& slices, bool names_pods,
                 const std::map<std::string, Readings>& readings = {}) {
  const std::vector<dcu::Device> cards{Card("DCU-1", true), Card("DCU-2", false)};
  return prometheus::TextSerializer().Serialize(CardMetrics({.node = kNode,
                                                             .devices = cards,
                                                             .slices = slices,
                                                             .readings = readings,
                                                             .names_pods = names_pods}));
}

std::string OfCard(const std::string& name, const std::string& card, const std::string& value) {
  return name + R"({node="n1",card=")" + card + R"(",model="Z100L"} )" + value + "\n";
}

TEST(CardMetrics, SayWhatOfEachCardIsGrantedAndFree) {
  Slices slices{{"a", OfPod("a", "DCU-1", 9, 2000)}, {"b", OfPod("b", "DCU-1", 6, 1000)}};
  EXPECT_THAT(Text(slices, false),
              AllOf(HasSubstr(OfCard("vdcu_card_compute_units", "DCU-1", "60")),
                    HasSubstr(OfCard("vdcu_card_granted_compute_units", "DCU-1", "15")),
                    HasSubstr(OfCard("vdcu_card_free_compute_units", "DCU-1", "45")),
                    HasSubstr(OfCard("vdcu_card_memory_bytes", "DCU-1", "34359738368")),
                    HasSubstr(OfCard("vdcu_card_granted_memory_bytes", "DCU-1", "3145728000")),
                    HasSubstr(OfCard("vdcu_card_free_memory_bytes", "DCU-1", "31214010368")),
                    HasSubstr(OfCard("vdcu_card_slices", "DCU-1", "2")),
                    HasSubstr(OfCard("vdcu_card_slices", "DCU-2", "0")),
                    HasSubstr(OfCard("vdcu_card_healthy", "DCU-1", "1")),
                    HasSubstr(OfCard("vdcu_card_healthy", "DCU-2", "0"))));
}

TEST(CardMetrics, SayWhatTheDriverShowsAndNothingWhereItShowsNothing) {
  const Readings shown{.celsius = {{"edge", 41.5}, {"junction", 60}},
                       .watts = 62.25,
                       .busy = 0.5,
                       .memory_used = 1048576};
  EXPECT_THAT(
      Text({}, false, {{"DCU-1", shown}, {"DCU-2", {.watts = 7}}}),
      AllOf(HasSubstr("vdcu_card_temperature_celsius{node=\"n1\",card=\"DCU-1\",model=\"Z100L\","
                      "sensor=\"edge\"} 41.5\n"),
            HasSubstr("sensor=\"junction\"} 60\n"),
            HasSubstr(OfCard("vdcu_card_power_watts", "DCU-1", "62.25")),
            HasSubstr(OfCard("vdcu_card_power_watts", "DCU-2", "7")),
            HasSubstr(OfCard("vdcu_card_busy_ratio", "DCU-1", "0.5")),
            HasSubstr(OfCard("vdcu_card_used_memory_bytes", "DCU-1", "1048576")),
            Not(HasSubstr("vdcu_card_busy_ratio{node=\"n1\",card=\"DCU-2\""))));
  EXPECT_THAT(Text({}, false), AllOf(Not(HasSubstr("celsius")), Not(HasSubstr("watts")),
                                     Not(HasSubstr("busy")), Not(HasSubstr("used_memory"))));
}

TEST(CardMetrics, CountSlicesByState) {
  Slices slices{{"a", OfPod("a", "DCU-1", 9, 2000)},
                {"b", OfPod("b", "DCU-1", 6, 1000)},
                {"c", OfPod("c", "DCU-1", 6, 1000)}};
  slices["b"].pod.reset();
  slices["c"].lost_since = "2026-01-01T00:00:00Z";
  EXPECT_THAT(Text(slices, false),
              AllOf(HasSubstr("vdcu_slices{node=\"n1\",state=\"used\"} 1\n"),
                    HasSubstr("vdcu_slices{node=\"n1\",state=\"lost\"} 1\n"),
                    HasSubstr("vdcu_slices{node=\"n1\",state=\"reserved\"} 1\n")));
}

TEST(CardMetrics, NamePodsOnlyWhereThatIsAskedFor) {
  Slices slices{{"a", OfPod("a", "DCU-1", 9, 2000)}, {"b", OfPod("b", "DCU-1", 6, 1000)}};
  slices["b"].pod.reset();
  EXPECT_THAT(Text(slices, false), Not(HasSubstr("pod-a")));
  const std::string labels =
      R"({node="n1",card="DCU-1",namespace="team",pod="pod-a",container="main",partition="part-a"} )";
  EXPECT_THAT(Text(slices, true),
              AllOf(HasSubstr("vdcu_slice_compute_units" + labels + "9\n"),
                    HasSubstr("vdcu_slice_memory_bytes" + labels + "2097152000\n"),
                    Not(HasSubstr("part-b"))));
}

}  // namespace
}  // namespace vdcu::node
