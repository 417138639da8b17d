#include "kclient/api.h"

#include <utility>

#include "kclient/api_error.h"

namespace vdcu::kclient {

namespace {

using base::Duration;
using base::Result;

// Of one page; who lists asks for shorter pages where they are longer.
constexpr size_t kMostListBytes = size_t{32} << 20;
constexpr Duration kListTimeout{60'000};
// How much longer than its own time-out a watch may live.
constexpr Duration kWatchGrace{30'000};
// Answers above this are parsed with a parser of their own, which does not stay that big.
constexpr size_t kSmallAnswer = size_t{64} << 10;

std::string Escape(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      escaped += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      ((escaped += '%') += kHex[byte >> 4]) += kHex[byte & 15];
    }
  }
  return escaped;
}

HttpRequest ToRequest(const Write& write) {
  HttpRequest request;
  const bool names_itself = write.verb == Write::Verb::kCreate && write.subresource.empty();
  request.path = ResourcePath(write.resource, write.ns,
                              names_itself ? std::string_view() : write.name, write.subresource);
  // Bytes that are not UTF-8 (from a pod's message, say) must not throw here.
  request.body = write.body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  request.content_type = "application/json";
  switch (write.verb) {
    case Write::Verb::kCreate:
      request.method = "POST";
      break;
    case Write::Verb::kMergePatch:
      request.method = "PATCH";
      request.content_type = "application/merge-patch+json";
      break;
    case Write::Verb::kStrategicMergePatch:
      request.method = "PATCH";
      request.content_type = "application/strategic-merge-patch+json";
      break;
    case Write::Verb::kDelete:
      request.method = "DELETE";
      break;
  }
  return request;
}

std::string Describe(std::string_view verb, const Resource& resource, std::string_view ns,
                     std::string_view name = "") {
  std::string text(verb);
  (text += ' ') += resource.plural;
  if (!ns.empty() || !name.empty()) text += ' ';
  if (!ns.empty()) (text += ns) += '/';
  return text += name;
}

Result<JsonView> Parse(const HttpResponse& response, JsonParser& parser) {
  if (response.status / 100 != 2) return ErrorFromResponse(response);
  const auto view = parser.Parse(response.body);
  if (!view) return base::Corrupt("the answer is not JSON: " + view.error().message);
  return *view;
}

}  // namespace

std::string EncodeQuery(
    const std::vector<std::pair<std::string_view, std::string_view>>& parameters) {
  std::string query;
  for (const auto& [key, value] : parameters) {
    if (value.empty()) continue;
    if (!query.empty()) query += '&';
    ((query += key) += '=') += Escape(value);
  }
  return query;
}

Client::Client(Transport& transport)
    : transport_(transport), parser_(std::make_shared<JsonParser>()) {}

CallPtr Client::Send(HttpRequest request, std::string context, ObjectCallback on_done) {
  // The callback may destroy this client, so the parser is shared with it.
  auto done = [parser = parser_, context = std::move(context),
               on_done = std::move(on_done)](Result<HttpResponse> response) {
    if (!response) return on_done(base::WithContext(std::move(response.error()), context));
    JsonParser own;
    auto view = Parse(*response, response->body.size() > kSmallAnswer ? own : *parser);
    if (!view) return on_done(base::WithContext(std::move(view.error()), context));
    on_done(*view);
  };
  return transport_.Send(std::move(request), std::move(done));
}

CallPtr Client::Apply(const Write& write, ObjectCallback on_done) {
  HttpRequest request = ToRequest(write);
  request.timeout = kWriteTimeout;
  request.path += "?timeout=" + std::to_string(kWriteTimeout.count()) + "ms";
  return Send(std::move(request), write.Describe(), std::move(on_done));
}

CallPtr Client::Get(const Resource& resource, std::string_view ns, std::string_view name,
                    ObjectCallback on_done) {
  HttpRequest request;
  request.path = ResourcePath(resource, ns, name);
  return Send(std::move(request), Describe("get", resource, ns, name), std::move(on_done));
}

CallPtr Client::GetPath(std::string path, ObjectCallback on_done) {
  HttpRequest request;
  request.path = std::move(path);
  std::string context = "get " + request.path;
  return Send(std::move(request), std::move(context), std::move(on_done));
}

CallPtr Client::List(const Resource& resource, std::string_view ns, const ListOptions& options,
                     ObjectCallback on_done) {
  HttpRequest request;
  const std::string limit = options.limit > 0 ? std::to_string(options.limit) : "";
  const std::string query = EncodeQuery({{"limit", limit},
                                         {"continue", options.continue_token},
                                         {"fieldSelector", options.field_selector},
                                         {"labelSelector", options.label_selector},
                                         {"resourceVersion", options.resource_version},
                                         {"resourceVersionMatch", options.resource_version_match}});
  request.path = ResourcePath(resource, ns) + (query.empty() ? "" : "?" + query);
  request.timeout = kListTimeout;
  request.most_bytes = kMostListBytes;
  return Send(std::move(request), Describe("list", resource, ns), std::move(on_done));
}

CallPtr Client::Watch(const Resource& resource, std::string_view ns, const WatchOptions& options,
                      DataCallback on_data, std::function<void(base::Status)> on_end) {
  HttpRequest request;
  request.path = ResourcePath(resource, ns) + "?" +
                 EncodeQuery({{"watch", "true"},
                              {"allowWatchBookmarks", options.bookmarks ? "true" : ""},
                              {"timeoutSeconds", std::to_string(options.timeout_seconds)},
                              {"fieldSelector", options.field_selector},
                              {"labelSelector", options.label_selector},
                              {"resourceVersion", options.resource_version}});
  request.timeout = std::chrono::seconds(options.timeout_seconds) + kWatchGrace;
  auto ended = [context = Describe("watch", resource, ns),
                on_end = std::move(on_end)](Result<HttpResponse> response) {
    if (!response) return on_end(base::WithContext(std::move(response.error()), context));
    if (response->status / 100 == 2) return on_end(base::Ok());
    on_end(base::WithContext(ErrorFromResponse(*response), context));
  };
  return transport_.Stream(std::move(request), std::move(on_data), std::move(ended));
}

}  // namespace vdcu::kclient
