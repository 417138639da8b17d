// One look at the API server, at the start: which version it is, and whether it has what guarantees
// rest on. It holds nothing up: what fails is tried again until there is an answer. Where there are
// no admission policies, it looks for a webhook in their place, and waits half a minute for one
// that it may see and that is not there, as an installation makes it last.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/loop.h"
#include "base/random.h"
#include "kclient/api.h"
#include "kclient/core/server_facts.h"

namespace vdcu::kclient {

class ServerLook {
 public:
  // `done` runs once. It may not destroy this.
  ServerLook(base::Loop& loop, Client& client, base::Random random,
             std::function<void(const ServerFacts&)> done, const WebhookName& webhook);
  ServerLook(const ServerLook&) = delete;
  ServerLook& operator=(const ServerLook&) = delete;

  void Start() { Ask(); }

 private:
  void Ask();
  void OnAnswer(const base::Result<JsonView>& answer);
  base::Status Read(const base::Result<JsonView>& answer);
  bool IsAbsent(const base::Error& error) const;
  bool IsLast() const;

  Client& client_;
  const std::string webhook_path_;
  const WebhookName webhook_;
  const base::Random random_;
  const std::function<void(const ServerFacts&)> done_;
  const base::TimerPtr retry_timer_;
  ServerFacts facts_;
  size_t step_ = 0;
  int failures_ = 0;  // in a row
  CallPtr call_;
};

}  // namespace vdcu::kclient
