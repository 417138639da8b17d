#include "kclient/core/quantity.h"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/kclient/core/parsed.h"

namespace vdcu::kclient {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

struct Case {
  std::string text;
  int64_t want_whole;
  int64_t want_milli;
};

// Those without saturation were compared with apimachinery's ParseQuantity (Value, MilliValue).
const std::vector<Case> kGood = {
    {"0", 0, 0},
    {"1", 1, 1000},
    {"+1", 1, 1000},
    {"-1", -1, -1000},
    {"007", 7, 7000},
    {"1.", 1, 1000},
    {".5", 1, 500},
    {"0.5", 1, 500},
    {"-0.5", -1, -500},
    {"1.5", 2, 1500},
    {"1.0000", 1, 1000},
    {"1.0001", 2, 1001},
    {"100m", 1, 100},
    {"1000m", 1, 1000},
    {"1001m", 2, 1001},
    {"0.1m", 1, 1},
    {"1u", 1, 1},
    {"1n", 1, 1},
    {"0n", 0, 0},
    {"1500000u", 2, 1500},
    {"1k", 1000, 1'000'000},
    {"1M", 1'000'000, 1'000'000'000},
    {"1G", 1'000'000'000, 1'000'000'000'000},
    {"1T", 1'000'000'000'000, 1'000'000'000'000'000},
    {"1P", 1'000'000'000'000'000, 1'000'000'000'000'000'000},
    {"1E", 1'000'000'000'000'000'000, kMost},
    {"1Ki", 1024, 1'024'000},
    {"1Mi", 1'048'576, 1'048'576'000},
    {"1Gi", 1'073'741'824, 1'073'741'824'000},
    {"1Ti", 1'099'511'627'776, 1'099'511'627'776'000},
    {"1Pi", 1'125'899'906'842'624, 1'125'899'906'842'624'000},
    {"1Ei", 1'152'921'504'606'846'976, kMost},
    {"2000Mi", 2'097'152'000, 2'097'152'000'000},
    {"1.5Gi", 1'610'612'736, 1'610'612'736'000},
    {"0.1Ki", 103, 102'400},
    {"1.1Ki", 1127, 1'126'400},
    {"-1.5Ki", -1536, -1'536'000},
    {".001Ki", 2, 1024},
    {"1e3", 1000, 1'000'000},
    {"1E3", 1000, 1'000'000},
    {"1e+3", 1000, 1'000'000},
    {"1e-3", 1, 1},
    {"15e-1", 2, 1500},
    {"1.5e3", 1500, 1'500'000},
    {"12E0", 12, 12'000},
    {"0e99", 0, 0},
    {"9223372036854775807", kMost, kMost},
    {"9223372036854775808", kMost, kMost},
    {"-9223372036854775809", -kMost, -kMost},
    {"7Ei", 8'070'450'532'247'928'832, kMost},
    {"8Ei", kMost, kMost},
    {"10E", kMost, kMost},
    {"1e19", kMost, kMost},
    {"1e999999999999999999", kMost, kMost},
    {"1e-999999999999999999", 1, 1},
    {"9223372036854775806.5", kMost, kMost},
    {"0.00000000000000000000000000001", 1, 1},
};

TEST(Quantity, GoodTextsRoundUpToWholeNumbersAndThousandths) {
  for (const auto& [text, want_whole, want_milli] : kGood) {
    const auto whole = ParseQuantity(text);
    ASSERT_TRUE(whole) << text << ": " << whole.error().message;
    EXPECT_EQ(*whole, want_whole) << text;
    const auto milli = ParseMilliQuantity(text);
    ASSERT_TRUE(milli) << text;
    EXPECT_EQ(*milli, want_milli) << text;
  }
}

TEST(Quantity, OtherTextsAreInvalidWithTheTextAndAnExample) {
  for (const std::string text :
       {"",    " ",     "abc",   "1 ",   " 1",   "1 Gi",  "1gi",    "1i",      "1K",
        "1g",  "1mi",   "1MI",   "1GiB", "1Mim", "1.1.M", "1+1.0M", "0.1am",   ".5i",
        ".",   "+",     "-",     "Ki",   "m",    "--1",   "+-1",    "1e",      "1e+",
        "1e-", "1e1.5", "1e+-3", "1e3k", "1e3.", "0x10",  "1_000",  "1,5",     "NaN",
        "Inf", "1\n",   "1m1",   "e3",   "1ee3", "1Ee3",  "5%",     "\xc2\xb5"}) {
    const auto whole = ParseQuantity(text);
    ASSERT_FALSE(whole) << text << " gave " << *whole;
    EXPECT_EQ(whole.error().code, base::ErrorCode::kInvalid);
    EXPECT_NE(whole.error().message.find('"' + text + '"'), std::string::npos);
    EXPECT_NE(whole.error().message.find("\"1.5Gi\""), std::string::npos);
    EXPECT_FALSE(ParseMilliQuantity(text)) << text;
  }
}

TEST(Quantity, ANulIsNotTheEnd) {
  EXPECT_FALSE(ParseQuantity(std::string_view("1\0", 2)));
  EXPECT_FALSE(ParseQuantity(std::string_view("1e3\0", 4)));
}

TEST(ResourceList, CpuIsInThousandthsAndAllElseIsWhole) {
  const Parsed json(R"({"requests": {"cpu": "1500m", "memory": "64Mi", "hygon.com/dcunum": "1",
      "ephemeral-storage": "1.5k", "number": 3, "fraction": 0.5, "bad": "x", "wrong": [1]}})");
  const ResourceList want{{"cpu", 1500},   {"memory", 67'108'864}, {"hygon.com/dcunum", 1},
                          {"fraction", 1}, {"number", 3},          {"ephemeral-storage", 1500}};
  EXPECT_EQ(ParseResourceList(json.view(), "requests"), want);
  EXPECT_TRUE(ParseResourceList(json.view(), "limits").empty());
}

TEST(ResourceList, ACpuThatIsANumberIsCores) {
  const Parsed json(R"({"requests": {"cpu": 2}, "limits": {"cpu": 0.25}})");
  EXPECT_EQ(ParseResourceList(json.view(), "requests"), (ResourceList{{"cpu", 2000}}));
  EXPECT_EQ(ParseResourceList(json.view(), "limits"), (ResourceList{{"cpu", 250}}));
}

TEST(ResourceList, AddSumsByNameAndSaturates) {
  ResourceList sum{{"cpu", 100}, {"memory", kMost - 1}};
  Add(sum, {{"cpu", 200}, {"memory", 5}, {"pods", 1}});
  EXPECT_EQ(sum, (ResourceList{{"cpu", 300}, {"memory", kMost}, {"pods", 1}}));
}

TEST(ResourceList, TakeMaxKeepsTheGreaterByName) {
  ResourceList most{{"cpu", 100}, {"memory", 10}};
  TakeMax(most, {{"cpu", 50}, {"memory", 20}, {"zero", 0}});
  EXPECT_EQ(most, (ResourceList{{"cpu", 100}, {"memory", 20}, {"zero", 0}}));
}

}  // namespace
}  // namespace vdcu::kclient
