#include "kclient/sync_client.h"

#include <optional>
#include <utility>

namespace vdcu::kclient {

using base::Result;
using nlohmann::json;

Result<json> SyncClient::Apply(const Write& write) {
  return Await([&](auto done) { return client_.Apply(write, std::move(done)); });
}

Result<json> SyncClient::Get(const Resource& resource, std::string_view ns, std::string_view name) {
  return Await([&](auto done) { return client_.Get(resource, ns, name, std::move(done)); });
}

// The view lives no longer than the callback.
Result<json> SyncClient::Await(const std::function<CallPtr(ObjectCallback)>& start) {
  std::optional<Result<json>> answer;
  const CallPtr call = start([&answer](Result<JsonView> view) {
    if (view) {
      answer.emplace(json::parse(view->Text()));
    } else {
      answer.emplace(std::move(view.error()));
    }
  });
  if (loop_.RunUntil([&answer] { return answer.has_value(); }, most_)) return std::move(*answer);
  return base::Error{base::ErrorCode::kUnavailable, "no answer in time"};
}

}  // namespace vdcu::kclient
