#include "crds/pod_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/crds/json.h"

namespace vdcu::crds {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A pod whose containers c0, c1, … have these resources; init likewise.
kclient::Pod MakePod(const json& resources, const json& annotations = json::object(),
                     const json& init = json::array()) {
  json pod{{"apiVersion", "v1"},
           {"kind", "Pod"},
           {"metadata", {{"name", "p"}, {"namespace", "ns"}, {"annotations", annotations}}},
           {"spec", {{"containers", json::array()}, {"initContainers", json::array()}}}};
  for (const auto& [key, names] : {std::pair{"containers", resources}, {"initContainers", init}}) {
    for (const json& item : names) {
      json& list = pod["spec"][key];
      const std::string name = (key[0] == 'c' ? "c" : "i") + std::to_string(list.size());
      list.push_back({{"name", name}, {"resources", item}});
    }
  }
  auto parsed = Parse<kclient::Pod>(pod);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return std::move(*parsed);
}

json Limits(const json& limits) { return json::array({{{"limits", limits}}}); }

ContainerRequest Asked(std::optional<int64_t> memory, std::optional<int> percent, int cards = 1) {
  ContainerRequest request{.container = "c0", .slice = {}, .cards = cards};
  if (memory) request.slice.memory = dcu::MiB{*memory};
  request.slice.percent = percent;
  return request;
}

struct GoodRow {
  const char* sentence;
  json resources;
  std::vector<ContainerRequest> want;
};

void PrintTo(const GoodRow& row, std::ostream* out) { *out << row.sentence; }

class GoodRequest : public testing::TestWithParam<GoodRow> {};

TEST_P(GoodRequest, IsUnderstood) {
  const auto request = ParsePodRequest(MakePod(GetParam().resources));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->containers, GetParam().want);
  EXPECT_EQ(request->partition, "");
  EXPECT_EQ(request->policy, std::nullopt);
}

ContainerRequest Second(ContainerRequest request) {
  request.container = "c1";
  return request;
}

INSTANTIATE_TEST_SUITE_P(
    Table, GoodRequest,
    testing::Values(
        GoodRow{"nothing", Limits(json::object()), {}},
        GoodRow{"cpu only", Limits({{"cpu", "1"}}), {}},
        GoodRow{"no card", Limits({{"hygon.com/dcunum", 0}}), {}},
        GoodRow{"one whole card", Limits({{"hygon.com/dcunum", 1}}), {Asked({}, {})}},
        GoodRow{"two whole cards", Limits({{"hygon.com/dcunum", "2"}}), {Asked({}, {}, 2)}},
        GoodRow{"a slice",
                Limits({{"hygon.com/dcunum", "1"},
                        {"hygon.com/dcumem", "2000"},
                        {"hygon.com/dcucores", "15"}}),
                {Asked(2000, 15)}},
        GoodRow{"numbers as the API writes them",
                Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", "2k"}}),
                {Asked(2000, {})}},
        GoodRow{"memory only",
                Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 64}}),
                {Asked(64, {})}},
        GoodRow{"most memory",
                Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 1048576}}),
                {Asked(1048576, {})}},
        GoodRow{"cores only",
                Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcucores", 1}}),
                {Asked({}, 1)}},
        GoodRow{"all cores",
                Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcucores", 100}}),
                {Asked({}, 100)}},
        GoodRow{"the newer names",
                Limits({{"hygon.com/hcunum", 1},
                        {"hygon.com/hcumem", 2000},
                        {"hygon.com/hcucores", 15}}),
                {Asked(2000, 15)}},
        GoodRow{"requests where there are no limits",
                json::array({{{"requests", {{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 70}}}}}),
                {Asked(70, {})}},
        GoodRow{"limits before requests",
                json::array({{{"requests", {{"hygon.com/dcumem", 70}}},
                              {"limits", {{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 80}}}}}),
                {Asked(80, {})}},
        GoodRow{"requests for what limits do not say",
                json::array({{{"requests", {{"hygon.com/dcumem", 70}}},
                              {"limits", {{"hygon.com/dcunum", 1}}}}}),
                {Asked(70, {})}},
        GoodRow{"two containers of two families",
                json::array({{{"limits", {{"hygon.com/dcunum", 1}}}},
                             {{"limits", {{"hygon.com/hcunum", 1}, {"hygon.com/hcumem", 500}}}}}),
                {Asked({}, {}), Second(Asked(500, {}))}},
        GoodRow{"the second of two containers",
                json::array({json::object(), {{"limits", {{"hygon.com/dcunum", 1}}}}}),
                {Second(Asked({}, {}))}}));

struct BadRow {
  const char* sentence;
  json resources;
  json annotations;
  json init;
  const char* want_message;
};

void PrintTo(const BadRow& row, std::ostream* out) { *out << row.sentence; }

class BadRequest : public testing::TestWithParam<BadRow> {};

TEST_P(BadRequest, IsRefusedByName) {
  const BadRow& row = GetParam();
  const kclient::Pod pod = MakePod(row.resources, row.annotations, row.init);
  const auto request = ParsePodRequest(pod);
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().code, base::ErrorCode::kInvalid);
  EXPECT_THAT(request.error().message, HasSubstr(row.want_message));
}

const json kNone = json::object();
const json kNoInit = json::array();
const json kOneCard = Limits({{"hygon.com/dcunum", 1}});

INSTANTIATE_TEST_SUITE_P(
    Resources, BadRequest,
    testing::Values(
        BadRow{"memory without a card", Limits({{"hygon.com/dcumem", 2000}}), kNone, kNoInit,
               "container c0: hygon.com/dcumem: set hygon.com/dcunum: 1 with it"},
        BadRow{"cores without a card", Limits({{"hygon.com/dcucores", 15}}), kNone, kNoInit,
               "container c0: hygon.com/dcucores: set hygon.com/dcunum: 1 with it"},
        BadRow{"the newer memory without a card", Limits({{"hygon.com/hcumem", 2000}}), kNone,
               kNoInit, "hygon.com/hcumem: set hygon.com/hcunum: 1 with it"},
        BadRow{"memory of no card", Limits({{"hygon.com/dcunum", 0}, {"hygon.com/dcumem", 1}}),
               kNone, kNoInit, "hygon.com/dcunum 0: must be 1, as hygon.com/dcumem is set"},
        BadRow{"cores of no card", Limits({{"hygon.com/dcunum", 0}, {"hygon.com/dcucores", 1}}),
               kNone, kNoInit, "hygon.com/dcunum 0: must be 1, as hygon.com/dcucores is set"},
        BadRow{"memory of two cards", Limits({{"hygon.com/dcunum", 2}, {"hygon.com/dcumem", 1}}),
               kNone, kNoInit, "hygon.com/dcunum 2: several cards are whole cards only"},
        BadRow{"cores of two cards", Limits({{"hygon.com/dcunum", 2}, {"hygon.com/dcucores", 1}}),
               kNone, kNoInit, "leave out hygon.com/dcucores, or set it to 1"},
        BadRow{"more cards than an int", Limits({{"hygon.com/dcunum", "5G"}}), kNone, kNoInit,
               "hygon.com/dcunum 5000000000: at most 64, the cards of a node"},
        BadRow{"no memory", Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 0}}), kNone,
               kNoInit, "hygon.com/dcumem 0: counts MiB"},
        BadRow{"memory in GiB", Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 63}}), kNone,
               kNoInit, "container c0: hygon.com/dcumem 63: counts MiB (--memory-unit): must be"},
        BadRow{"memory in bytes", Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", "2Gi"}}),
               kNone, kNoInit,
               "hygon.com/dcumem 2147483648: counts MiB (--memory-unit): must be a plain number "
               "from 64 "
               "to 1048576, for example 2000"},
        BadRow{"no cores", Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcucores", 0}}), kNone,
               kNoInit, "hygon.com/dcucores 0: percent of a card: must be from 1 to 100"},
        BadRow{"cores above 100", Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcucores", 101}}),
               kNone, kNoInit, "hygon.com/dcucores 101: percent of a card"},
        BadRow{"both families", Limits({{"hygon.com/dcunum", 1}, {"hygon.com/hcunum", 1}}), kNone,
               kNoInit, "hygon.com/dcunum and hygon.com/hcunum: two names of the same cards"},
        BadRow{"a part of the other family",
               Limits({{"hygon.com/dcunum", 1}, {"hygon.com/hcumem", 1}}), kNone, kNoInit,
               "two names of the same cards"},
        BadRow{"the second container",
               json::array({{{"limits", {{"hygon.com/dcunum", 1}}}},
                            {{"limits", {{"hygon.com/dcumem", 1}}}}}),
               kNone, kNoInit, "container c1: hygon.com/dcumem"},
        BadRow{"an init container", kOneCard, kNone, kOneCard,
               "container i0: hygon.com/dcunum 1: init containers and sidecars may not ask"},
        BadRow{"an init container by requests", Limits(json::object()), kNone,
               json::array({{{"requests", {{"hygon.com/hcumem", 500}}}}}),
               "container i0: hygon.com/hcumem 5"}));

const json kPartition{{"vdcu.io/partition", "reserved"}};

INSTANTIATE_TEST_SUITE_P(
    Annotations, BadRequest,
    testing::Values(
        BadRow{"an unknown policy",
               kOneCard,
               {{"vdcu.io/policy", "binpack"}},
               kNoInit,
               "annotation vdcu.io/policy: \"binpack\": must be BinPack, Spread or "
               "FragmentationAware"},
        BadRow{"an empty policy", kOneCard, {{"vdcu.io/policy", ""}}, kNoInit, "must be BinPack"},
        BadRow{"a partition without a name",
               kOneCard,
               {{"vdcu.io/partition", ""}},
               kNoInit,
               "annotation vdcu.io/partition: \"\": must be the name of a VDCUPartition"},
        BadRow{"a partition of another namespace",
               kOneCard,
               {{"vdcu.io/partition", "a/b"}},
               kNoInit,
               "\"a/b\": must be the name"},
        BadRow{"a partition, and nobody asks", Limits(json::object()), kPartition, kNoInit,
               "exactly one container must ask for it with hygon.com/dcunum: 1, and 0 ask"},
        BadRow{"a partition for two containers",
               json::array({{{"limits", {{"hygon.com/dcunum", 1}}}},
                            {{"limits", {{"hygon.com/dcunum", 1}}}}}),
               kPartition, kNoInit, "and 2 ask for cards"},
        BadRow{"a partition for two cards", Limits({{"hygon.com/dcunum", 2}}), kPartition, kNoInit,
               "is one slice, and container c0 asks for 2 cards"},
        BadRow{"a partition and a size",
               Limits({{"hygon.com/dcunum", 1}, {"hygon.com/dcumem", 500}}), kPartition, kNoInit,
               "the partition says how much of which card"},
        BadRow{"a partition and a model",
               kOneCard,
               {{"vdcu.io/partition", "reserved"}, {"hygon.com/use-dcutype", "Z100L"}},
               kNoInit,
               "the partition says how much of which card"}));

// Of the documents of the vendor's Volcano.
TEST(ParsePodRequest, CountsGiBWhereItIsToldTo) {
  const auto read = [](int64_t memory) {
    return ParsePodRequest(MakePod(Limits({{"hygon.com/hcunum", 1}, {"hygon.com/hcumem", memory}})),
                           MemoryUnit::kGi);
  };
  EXPECT_EQ(read(1)->containers.front().slice.memory, dcu::MiB{1024});
  EXPECT_EQ(read(1024)->containers.front().slice.memory, dcu::MiB{1048576});
  for (const int64_t wrong : {0, 1025, 2000}) {
    EXPECT_EQ(
        read(wrong).error().message,
        "container c0: hygon.com/hcumem " + std::to_string(wrong) +
            ": counts GiB (--memory-unit): must be a plain number from 1 to 1024, for example "
            "2");
  }
}

TEST(ParsePodRequest, ReadsSelectorsOfBothFamilies) {
  const auto request = ParsePodRequest(MakePod(kOneCard, {{"hygon.com/use-dcutype", "K100_AI, z1"},
                                                          {"hygon.com/use-hcutype", " bw ,,"},
                                                          {"hygon.com/nouse-dcutype", "K100_LC"},
                                                          {"hygon.com/nouse-hcutype", "K500"},
                                                          {"hygon.com/use-gpuuuid", "DCU-1,DCU-2"},
                                                          {"hygon.com/use-hcuuuid", "DCU-3"},
                                                          {"hygon.com/nouse-gpuuuid", "DCU-4"},
                                                          {"hygon.com/nouse-hcuuuid", "DCU-5"}}));
  ASSERT_TRUE(request) << request.error().message;
  const dcu::DeviceSelector& devices = *request->containers.front().slice.devices;
  EXPECT_THAT(devices.model_parts, ElementsAre("K100_AI", "z1", "bw"));
  EXPECT_THAT(devices.exclude_model_parts, ElementsAre("K100_LC", "K500"));
  EXPECT_THAT(devices.uuids, ElementsAre("DCU-1", "DCU-2", "DCU-3"));
  EXPECT_THAT(devices.exclude_uuids, ElementsAre("DCU-4", "DCU-5"));
  EXPECT_THAT(devices.models, IsEmpty());
  EXPECT_THAT(devices.exclude_models, IsEmpty());
}

TEST(ParsePodRequest, EveryContainerGetsTheSelectors) {
  const auto request = ParsePodRequest(
      MakePod(json::array({kOneCard[0], kOneCard[0]}), {{"hygon.com/use-dcutype", "Z100L"}}));
  ASSERT_TRUE(request) << request.error().message;
  for (const ContainerRequest& container : request->containers) {
    EXPECT_THAT(container.slice.devices->model_parts, ElementsAre("Z100L")) << container.container;
  }
}

TEST(ParsePodRequest, AnEmptySelectorSelectsAll) {
  const auto request = ParsePodRequest(MakePod(kOneCard, {{"hygon.com/use-dcutype", " , "}}));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(*request->containers.front().slice.devices, dcu::DeviceSelector());
}

TEST(ParsePodRequest, ReadsPolicyAndPartition) {
  const auto request = ParsePodRequest(
      MakePod(kOneCard, {{"vdcu.io/policy", "Spread"}, {"vdcu.io/partition", "reserved.1"}}));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->policy, dcu::Policy::kSpread);
  EXPECT_EQ(request->partition, "reserved.1");
  EXPECT_EQ(request->containers.size(), 1U);
}

TEST(Resources, PartsAreInNoNodesAllocatable) {
  for (const ResourceNames& family : kResourceNames) {
    EXPECT_FALSE(IsPartResource(family.count));
    EXPECT_TRUE(IsPartResource(family.memory));
    EXPECT_TRUE(IsPartResource(family.cores));
    EXPECT_TRUE(IsDcuResource(family.count));
    EXPECT_TRUE(IsDcuResource(family.memory));
  }
  EXPECT_FALSE(IsDcuResource("hygon.com/other"));
  EXPECT_FALSE(IsDcuResource("cpu"));
}

}  // namespace
}  // namespace vdcu::crds
