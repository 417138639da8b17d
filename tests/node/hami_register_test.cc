#include "node/hami_register.h"

#include <gtest/gtest.h>

namespace vdcu::node {
namespace {

using crds::Hami;
using nlohmann::json;

constexpr char kDcu[] = "hami.io/node-dcu-register";
constexpr char kHcu[] = "hami.io/node-hcu-register";
constexpr char kShakesDcu[] = "hami.io/node-handshake-dcu";
constexpr char kShakesHcu[] = "hami.io/node-handshake-hcu";

std::vector<dcu::Device> Cards() {
  dcu::Device card;
  card.uuid = "DCU-A";
  card.model = "Z100L";
  card.memory = dcu::MiB{32768};
  card.numa_node = 1;
  return {card};
}

struct Row {
  const char* sentence;
  kclient::Labels annotations;
  json want;
};

TEST(HamiRegister, IsWrittenWhereItDiffersAndAnsweredWhereSomebodyAsks) {
  const auto now = *base::ParseTime("2026-01-28T11:25:27Z");
  const std::string ours = "DCU-0,4,32768,100,DCU-Z100L,1,true,0,vdcu:";
  const std::string as_hcu = "HCU-A,4,32768,100,HCU-Z100L,1,true,0,vdcu:";
  const std::string reported = "Reported 2026-01-28 11:25:27 +0000 UTC";
  const std::string long_ago = "Reported 2025-01-28 11:25:27 +0000 UTC";
  const Row rows[] = {
      {"a new node", {}, {{kDcu, ours}, {kShakesDcu, reported}}},
      {"as it is", {{kDcu, ours}, {kShakesDcu, long_ago}}, json::object()},
      {"a card has changed",
       {{kDcu, "DCU-0,4,32768,100,DCU-Z100L,1,false,0,vdcu:"}, {kShakesDcu, long_ago}},
       {{kDcu, ours}}},
      {"a HAMi scheduler asks",
       {{kDcu, ours}, {kShakesDcu, "Requesting_2026-01-28 11:25:20"}},
       {{kShakesDcu, reported}}},
      {"a HAMi scheduler has given the node up",
       {{kDcu, ours}, {kShakesDcu, "Deleted_2026-01-28 11:25:20"}},
       json::object()},
      {"it was the other family",
       {{kHcu, as_hcu}, {kShakesHcu, long_ago}},
       {{kHcu, nullptr}, {kShakesHcu, nullptr}, {kDcu, ours}, {kShakesDcu, reported}}},
      {"another plugin's stays",
       {{kHcu, "HCU-A,4,32768,100,HCU-Z100L,1,true,0,hami:"},
        {kDcu, ours},
        {kShakesDcu, "Reported"}},
       json::object()},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(HamiChanges(Hami::kDcu, row.annotations, Cards(), now), row.want) << row.sentence;
  }
  EXPECT_EQ(HamiChanges(Hami::kHcu, {{kHcu, as_hcu}, {kShakesHcu, long_ago}}, {}, now),
            (json{{kHcu, nullptr}}))
      << "no card is left";
  EXPECT_EQ(HamiRequest(Hami::kDcu, {{kShakesDcu, "Requesting_x"}}), "Requesting_x");
  EXPECT_EQ(HamiRequest(Hami::kDcu, {{kShakesDcu, long_ago}}), "");
  EXPECT_EQ(HamiRequest(Hami::kDcu, {}), "");
}

}  // namespace
}  // namespace vdcu::node
