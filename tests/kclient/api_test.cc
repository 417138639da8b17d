#include "kclient/api.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/fakes/fake_transport.h"

namespace vdcu::kclient {
namespace {

using base::ErrorCode;

constexpr auto kIgnore = [](const base::Result<JsonView>&) {};

struct WriteCase {
  const char* description;
  Write write;
  const char* want_method;
  const char* want_path;
  const char* want_content_type;
};

const WriteCase kWrites[] = {
    {"a create", MakeCreate(kPods, "team-a", "p1", {}), "POST", "/api/v1/namespaces/team-a/pods",
     "application/json"},
    {"a create of a cluster-scoped object", MakeCreate(kNodes, "", "n1", {}), "POST",
     "/api/v1/nodes", "application/json"},
    {"a patch of a subresource", MakePatch(kPods, "team-a", "p1", "status", {}, "u", "7"), "PATCH",
     "/api/v1/namespaces/team-a/pods/p1/status", "application/merge-patch+json"},
    {"a delete in a named group", MakeDelete(kLeases, "team-a", "l1", "u", ""), "DELETE",
     "/apis/coordination.k8s.io/v1/namespaces/team-a/leases/l1", "application/json"},
    {"a binding", MakeBind("team-a", "p1", "u", "n1"), "POST",
     "/api/v1/namespaces/team-a/pods/p1/binding", "application/json"},
    {"an eviction", MakeEviction("team-a", "p1", "u"), "POST",
     "/api/v1/namespaces/team-a/pods/p1/eviction", "application/json"},
};

TEST(Client, EachWriteIsARequest) {
  for (const WriteCase& test : kWrites) {
    SCOPED_TRACE(test.description);
    fakes::FakeTransport transport;
    Client client(transport);
    const CallPtr call = client.Apply(test.write, kIgnore);
    const HttpRequest& request = transport.requests().at(0);
    EXPECT_EQ(request.method, test.want_method);
    EXPECT_EQ(request.path, std::string(test.want_path) + "?timeout=5000ms");
    EXPECT_EQ(request.content_type, test.want_content_type);
    EXPECT_EQ(request.body, test.write.body.dump());
  }
}

TEST(Client, BytesThatAreNotUtf8DoNotThrow) {
  fakes::FakeTransport transport;
  Client client(transport);
  const CallPtr call = client.Apply(MakeCreate(kPods, "a", "b", {{"text", "\xff"}}), kIgnore);
  EXPECT_NE(transport.requests().at(0).body.find("\xef\xbf\xbd"), std::string::npos);
}

TEST(Client, OptionsAreEscapedInTheQuery) {
  fakes::FakeTransport transport;
  Client client(transport);
  ListOptions list;
  list.limit = 500;
  list.continue_token = "a+b/c=&";
  list.field_selector = "spec.nodeName=ä";
  const CallPtr listed = client.List(kPods, "", list, kIgnore);
  EXPECT_EQ(transport.requests().at(0).path,
            "/api/v1/pods?limit=500&continue=a%2Bb%2Fc%3D%26&fieldSelector=spec.nodeName%3D%C3%A4");
  WatchOptions watch;
  watch.resource_version = "12";
  watch.label_selector = "a in (b)";
  watch.timeout_seconds = 301;
  const CallPtr watched =
      client.Watch(kPods, "team-a", watch, [](std::string_view) {}, [](const base::Status&) {});
  EXPECT_EQ(transport.requests().at(1).path,
            "/api/v1/namespaces/team-a/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=301"
            "&labelSelector=a%20in%20%28b%29&resourceVersion=12");
  EXPECT_GT(transport.requests().at(1).timeout, std::chrono::seconds(301));
}

TEST(Client, AnswersAreJsonOrErrorsThatSayWhatWasDone) {
  fakes::FakeTransport transport;
  Client client(transport);
  std::optional<base::Result<std::string>> answer;
  const auto keep = [&answer](const base::Result<JsonView>& view) {
    answer.emplace(view ? base::Result<std::string>(view->Text()) : view.error());
  };
  const auto get = [&](int status, const std::string& body) {
    const CallPtr call = client.Get(kPods, "team-a", "p1", keep);
    transport.Answer(transport.last(), status, body);
  };
  get(200, R"({"kind":"Pod"})");
  EXPECT_EQ(**answer, R"({"kind":"Pod"})");
  get(404, R"({"kind":"Status","message":"gone","reason":"NotFound","code":404})");
  EXPECT_EQ(answer->error().code, ErrorCode::kNotFound);
  EXPECT_EQ(answer->error().message, "get pods team-a/p1: HTTP 404 NotFound: gone");
  get(200, "<html>");
  EXPECT_EQ(answer->error().code, ErrorCode::kCorrupt);
  const CallPtr call = client.Apply(MakeBind("team-a", "p1", "u", "n"), keep);
  transport.Fail(transport.last(), {ErrorCode::kUnavailable, "no route", {}});
  EXPECT_EQ(answer->error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(answer->error().message, "create pods/binding team-a/p1: no route");
}

TEST(Client, ACallThatIsDestroyedIsCancelled) {
  fakes::FakeTransport transport;
  Client client(transport);
  CallPtr call = client.Get(kPods, "a", "b", [](const auto&) { FAIL(); });
  EXPECT_TRUE(transport.open(0));
  call.reset();
  EXPECT_FALSE(transport.open(0));
}

TEST(Client, MayBeDestroyedInACallback) {
  fakes::FakeTransport transport;
  auto client = std::make_unique<Client>(transport);
  std::string name;
  const CallPtr call = client->Get(kPods, "a", "b", [&](const base::Result<JsonView>& view) {
    client.reset();
    name = GetStringOr(*view, "kind");
  });
  transport.Answer(0, 200, R"({"kind":"Pod"})");
  EXPECT_EQ(name, "Pod");
}

}  // namespace
}  // namespace vdcu::kclient
