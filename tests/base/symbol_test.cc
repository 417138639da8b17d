#include "base/symbol.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/interned.h"

namespace vdcu::base {
namespace {

TEST(Symbol, EqualTextsShareOneAllocation) {
  static_assert(sizeof(Symbol) == sizeof(void*));
  const Symbol a("team-a/train-0");
  const Symbol b(std::string("team-a/") + "train-0");
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.view().data(), b.view().data());
  EXPECT_EQ(a.Hash(), b.Hash());
  EXPECT_FALSE(a == Symbol("team-a/train-1"));
  EXPECT_EQ(a, "team-a/train-0");
  EXPECT_EQ(a.str(), "team-a/train-0");
}

TEST(Symbol, TheDefaultOneIsTheEmptyText) {
  EXPECT_TRUE(Symbol().empty());
  EXPECT_EQ(Symbol(), Symbol(""));
  EXPECT_EQ(Symbol().str(), "");
}

TEST(Symbol, IsOrderedAsItsText) {
  std::map<Symbol, int> ordered;
  for (const char* text : {"b", "", "a", "ab"}) ordered.emplace(text, 0);
  std::string texts;
  for (const auto& [symbol, value] : ordered) texts += symbol.str() + ",";
  EXPECT_EQ(texts, ",a,ab,b,");
}

TEST(Symbol, ATextLivesAsLongAsAnyOfItsSymbols) {
  auto first = std::make_optional<Symbol>("kept");
  Symbol copy = *first;
  first.reset();
  EXPECT_EQ(copy, "kept");
  Symbol moved = std::move(copy);
  copy = Symbol("other");
  EXPECT_EQ(moved, "kept");
  moved = copy;
  EXPECT_EQ(moved, "other");
}

TEST(Symbol, ManyAreFoundAgainAndFreed) {
  for (int round = 0; round < 2; ++round) {
    std::unordered_map<Symbol, int> numbers;
    for (int i = 0; i < 5'000; ++i) numbers.emplace(std::to_string(i), i);
    ASSERT_EQ(numbers.size(), 5'000u);
    for (int i = 0; i < 5'000; i += 2) numbers.erase(Symbol(std::to_string(i)));
    for (int i = 0; i < 5'000; ++i) {
      const auto found = numbers.find(Symbol(std::to_string(i)));
      ASSERT_EQ(found != numbers.end(), i % 2 == 1) << i;
      if (found != numbers.end()) {
        ASSERT_EQ(found->second, i);
      }
    }
  }
}

TEST(Interned, EqualValuesAreOneUntilTheLastIsGone) {
  using Value = Interned<std::vector<std::string>>;
  static_assert(sizeof(Value) == sizeof(void*));
  const size_t before = Value::pool_size();
  {
    const Value a({"x", "y"});
    Value b({"x", "y"});
    const Value c({"x"});
    EXPECT_EQ(&*a, &*b);
    EXPECT_NE(&*a, &*c);
    EXPECT_EQ(Value::pool_size(), before + 2);
    b = c;
    EXPECT_EQ(a->size(), 2u);
    EXPECT_EQ(b->size(), 1u);
  }
  EXPECT_EQ(Value::pool_size(), before);
}

}  // namespace
}  // namespace vdcu::base
