#include "kclient/informer.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/fakes/fake_transport.h"
#include "tests/fakes/simulated_loop.h"

namespace vdcu::kclient {
namespace {

using Strings = std::vector<std::string>;

// Decodes all objects but those with "bad": true.
struct Thing {
  static base::Result<Thing> FromJson(JsonView object) {
    ASSIGN_OR_RETURN(ObjectMeta meta, ParseMeta(object, {true, {}}));
    if (GetBool(object, "bad").value_or(false)) return base::Corrupt("bad: must be false");
    return Thing{std::move(meta), GetStringOr(object, "node")};
  }

  ObjectMeta meta;
  std::string node;
};

std::string Object(const std::string& name, const std::string& uid, int version,
                   const std::string& more = "") {
  return R"({"metadata":{"name":")" + name + R"(","namespace":"ns","uid":")" + uid +
         R"(","resourceVersion":")" + std::to_string(version) + R"("})" + more + "}";
}
std::string Page(const std::string& items, const std::string& rest = "") {
  return R"({"metadata":{"resourceVersion":"10","continue":")" + rest + R"("},"items":[)" + items +
         "]}";
}
std::string Event(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}

class InformerTest : public testing::Test {
 protected:
  InformerTest() {
    informer_.AddHandler([this](const auto& old_thing, const auto& new_thing) {
      const auto show = [](const auto& thing) {
        return thing == nullptr ? std::string("-")
                                : thing->meta.uid + "@" + thing->meta.resource_version;
      };
      told_.push_back(show(old_thing) + ">" + show(new_thing));
      const auto& some = new_thing ? new_thing : old_thing;
      EXPECT_EQ(informer_.store().Get(some->meta.key()), new_thing) << "told before it was stored";
    });
    informer_.OnSynced([this] { told_.emplace_back("synced"); });
  }

  void List(const std::string& items, const std::string& rest = "") {
    transport_.Answer(transport_.last(), 200, Page(items, rest));
  }
  void Watch(const std::string& events) { transport_.Data(transport_.last(), events); }
  void Expire() {
    loop_.Advance(std::chrono::minutes(3));
    Watch(Event("ERROR", R"({"kind":"Status","code":410,"reason":"Expired"})"));
    loop_.Advance(base::Duration(0));
  }
  Strings Told() { return std::exchange(told_, {}); }
  // How many objects are logged as not decoding meanwhile.
  static int Bad(const std::function<void()>& action) {
    testing::internal::CaptureStdout();
    action();
    const std::string log = testing::internal::GetCapturedStdout();
    const std::string line = "an object does not decode";
    int count = 0;
    for (size_t at = log.find(line); at != std::string::npos; at = log.find(line, at + 1)) ++count;
    return count;
  }
  void StartWith(const std::string& items) {
    informer_.Start();
    List(items);
    Told();
  }

  fakes::FakeTransport transport_;
  fakes::SimulatedLoop loop_;
  Client client_{transport_};
  Strings told_;
  Informer<Thing> informer_{client_, loop_, {kPods, "", "", ""}, [] { return 0.5; }};
};

TEST_F(InformerTest, IsSyncedAfterTheWholeFirstList) {
  informer_.Start();
  List(Object("a", "A", 1), "next");
  EXPECT_FALSE(informer_.synced());
  EXPECT_EQ(Told(), Strings{"->A@1"});
  List(Object("b", "B", 2));
  EXPECT_TRUE(informer_.synced());
  EXPECT_EQ(Told(), (Strings{"->B@2", "synced"}));
  Expire();
  List(Object("a", "A", 1) + "," + Object("b", "B", 2));
  EXPECT_EQ(Told(), Strings{}) << "on_synced runs once";
}

TEST_F(InformerTest, TellsAChainOfStatesForEachObject) {
  StartWith("");
  Watch(Event("ADDED", Object("a", "A", 11)));
  Watch(Event("MODIFIED", Object("a", "A", 12)));
  Watch(Event("DELETED", Object("a", "A", 13)));
  EXPECT_EQ(Told(), (Strings{"->A@11", "A@11>A@12", "A@12>-"}));
  EXPECT_EQ(informer_.store().size(), 0u);
  Watch(Event("DELETED", Object("a", "A", 14)));
  EXPECT_EQ(Told(), Strings{}) << "it was gone already";
}

TEST_F(InformerTest, AListAfterAGapTellsOnlyWhatDiffers) {
  StartWith(Object("same", "S", 1) + "," + Object("changed", "C", 2) + "," +
            Object("gone", "G", 3));
  Expire();
  List(Object("changed", "C", 12) + "," + Object("new", "N", 13) + "," + Object("same", "S", 1));
  EXPECT_EQ(Told(), (Strings{"C@2>C@12", "->N@13", "G@3>-"}));
}

TEST_F(InformerTest, AnObjectMadeAnewIsToldAsGoneAndAdded) {
  StartWith(Object("a", "A", 1));
  Expire();
  List(Object("a", "B", 12));
  EXPECT_EQ(Told(), (Strings{"A@1>-", "->B@12"}));
  Watch(Event("MODIFIED", Object("a", "C", 13)));
  EXPECT_EQ(Told(), (Strings{"B@12>-", "->C@13"}));
}

TEST_F(InformerTest, AnAbortedListRemovesNothing) {
  StartWith(Object("a", "A", 1) + "," + Object("b", "B", 2));
  Expire();
  List(Object("a", "A", 1), "next");
  transport_.Answer(transport_.last(), 500, "");
  EXPECT_EQ(Told(), Strings{});
  loop_.Advance(std::chrono::seconds(30));
  List(Object("b", "B", 2));
  EXPECT_EQ(Told(), Strings{"A@1>-"}) << "what the aborted list had counts no more";
}

TEST_F(InformerTest, AnObjectThatDoesNotDecodeIsLeftOutAndLoggedOnceAVersion) {
  const std::string bad = R"(,"bad":true)";
  StartWith(Object("a", "A", 1));
  EXPECT_EQ(Bad([&] { Watch(Event("MODIFIED", Object("a", "A", 11, bad))); }), 1);
  EXPECT_EQ(Told(), Strings{"A@1>-"});
  EXPECT_EQ(informer_.store().Get("ns/a"), nullptr);
  Expire();
  EXPECT_EQ(Bad([&] { List(Object("a", "A", 11, bad)); }), 0) << "the same version";
  EXPECT_EQ(Bad([&] { Watch(Event("MODIFIED", Object("a", "A", 12, bad))); }), 1);
  EXPECT_EQ(Told(), Strings{});
  Watch(Event("MODIFIED", Object("a", "A", 13)));
  EXPECT_EQ(Told(), Strings{"->A@13"});
  Watch(Event("MODIFIED", Object("a", "A", 14, bad)) + Event("DELETED", Object("a", "A", 15, bad)));
  EXPECT_EQ(Told(), Strings{"A@13>-"});
}

// Has a stand-in for what does not decode.
struct Doubtful : Thing {
  static base::Result<Doubtful> FromJson(JsonView object) {
    ASSIGN_OR_RETURN(Thing thing, Thing::FromJson(object));
    return Doubtful{std::move(thing)};
  }
  static base::Result<Doubtful> Unreadable(JsonView object) {
    Doubtful doubtful;
    ASSIGN_OR_RETURN(doubtful.meta, ParseMeta(object, {true, {}}));
    doubtful.node = "unreadable";
    return doubtful;
  }
};

TEST(Informer, HasTheStandInOfAnObjectThatDoesNotDecode) {
  fakes::FakeTransport transport;
  fakes::SimulatedLoop loop;
  Client client(transport);
  Informer<Doubtful> informer(client, loop, {kPods, "", "", ""}, [] { return 0.5; });
  informer.Start();
  transport.Answer(transport.last(), 200,
                   Page(Object("a", "A", 1, R"(,"bad":true)") + R"(,{"bad":true})"));
  EXPECT_EQ(informer.store().size(), 1u) << "without metadata there is nothing";
  ASSERT_NE(informer.store().Get("ns/a"), nullptr);
  EXPECT_EQ(informer.store().Get("ns/a")->node, "unreadable");
  transport.Data(transport.last(), Event("MODIFIED", Object("a", "A", 11)));
  EXPECT_EQ(informer.store().Get("ns/a")->node, "");
  transport.Data(transport.last(), Event("DELETED", Object("a", "A", 12, R"(,"bad":true)")));
  EXPECT_EQ(informer.store().size(), 0u);
}

TEST(Informer, KeepsItsObjectsInTheSinkThatItIsGivenAndHasNoStoreThen) {
  fakes::FakeTransport transport;
  fakes::SimulatedLoop loop;
  Client client(transport);
  Store<Thing> sink;
  Informer<Thing> informer(client, loop, {kPods, "", "", ""}, [] { return 0.5; }, sink);
  informer.Start();
  transport.Answer(transport.last(), 200, Page(Object("a", "A", 1) + "," + Object("b", "B", 2)));
  ASSERT_NE(sink.Get("ns/a"), nullptr);
  EXPECT_DEATH(informer.store(), "");
  transport.Data(transport.last(), Event("DELETED", Object("a", "A", 11)));
  EXPECT_EQ(sink.Get("ns/a"), nullptr);
  EXPECT_EQ(sink.size(), 1u);
}

TEST(Informer, DestroyedStopsWithoutFurtherCalls) {
  fakes::FakeTransport transport;
  fakes::SimulatedLoop loop;
  Client client(transport);
  auto informer = std::make_unique<Informer<Thing>>(
      client, loop, ReflectorOptions{kPods, "", "", ""}, [] { return 0.5; });
  informer->Start();
  informer.reset();
  EXPECT_FALSE(transport.open(0));
  loop.Advance(std::chrono::minutes(5));
  EXPECT_EQ(transport.requests().size(), 1u);
}

}  // namespace
}  // namespace vdcu::kclient
