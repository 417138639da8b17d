// The verbs for commands and tests: each call runs the loop until its answer is there.
//
// Errors: those of Client; kUnavailable where there is no answer within `most`, the write may then
// have been carried out. It may not be used within a callback of the loop.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/uv_loop.h"
#include "kclient/api.h"

namespace vdcu::kclient {

class SyncClient {
 public:
  SyncClient(base::UvLoop& loop, Client& client, base::Duration most = std::chrono::seconds(30))
      : loop_(loop), client_(client), most_(most) {}

  base::Result<nlohmann::json> Apply(const Write& write);
  base::Result<nlohmann::json> Get(const Resource& resource, std::string_view ns,
                                   std::string_view name);

 private:
  base::Result<nlohmann::json> Await(const std::function<CallPtr(ObjectCallback)>& start);

  base::UvLoop& loop_;
  Client& client_;
  const base::Duration most_;
};

}  // namespace vdcu::kclient
