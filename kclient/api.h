// The verbs of the Kubernetes API: requests out of values, answers as JSON or as Errors.
//
// Promises: Transport's. A JsonView given to a callback is valid until that callback returns.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "kclient/core/json.h"
#include "kclient/transport.h"
#include "kclient/write.h"

namespace vdcu::kclient {

struct ListOptions {
  int limit = 0;  // objects a page; 0: all in one
  std::string continue_token;
  std::string field_selector;
  std::string label_selector;
  std::string resource_version;  // empty: a consistent read of what etcd has
  std::string resource_version_match;
};

struct WatchOptions {
  std::string field_selector;
  std::string label_selector;
  std::string resource_version;
  int timeout_seconds = 300;  // the server ends the watch then
  bool bookmarks = true;
};

// How long a write may take; the server gives up after it too, so that none is committed much
// later.
inline constexpr base::Duration kWriteTimeout{5'000};

using ObjectCallback = std::function<void(base::Result<JsonView>)>;

class Client {
 public:
  explicit Client(Transport& transport);

  // The answer is the object as it is stored now (of a delete also a Status).
  [[nodiscard]] CallPtr Apply(const Write& write, ObjectCallback on_done);
  [[nodiscard]] CallPtr Get(const Resource& resource, std::string_view ns, std::string_view name,
                            ObjectCallback on_done);
  // What is no object: "/version", a group of the API.
  [[nodiscard]] CallPtr GetPath(std::string path, ObjectCallback on_done);
  // An empty namespace lists (and watches) all.
  [[nodiscard]] CallPtr List(const Resource& resource, std::string_view ns,
                             const ListOptions& options, ObjectCallback on_done);
  // on_data gets the bytes for a WatchDecoder; on_end an error, or Ok where the server closed the
  // stream as it should.
  [[nodiscard]] CallPtr Watch(const Resource& resource, std::string_view ns,
                              const WatchOptions& options, DataCallback on_data,
                              std::function<void(base::Status)> on_end);

 private:
  CallPtr Send(HttpRequest request, std::string context, ObjectCallback on_done);

  Transport& transport_;
  std::shared_ptr<JsonParser> parser_;
};

// "key=value" joined with "&" and escaped; pairs with an empty value are left out.
std::string EncodeQuery(
    const std::vector<std::pair<std::string_view, std::string_view>>& parameters);

}  // namespace vdcu::kclient
