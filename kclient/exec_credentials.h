// A config completed by its exec plugin.
//
// Promises: the plugin runs beside the loop, once at a time; when its credential is first needed,
// has expired, or was refused. After a failure it is not run again for a second. What it prints is
// never logged.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/uv_loop.h"
#include "kclient/config.h"
#include "kclient/exec_plugin.h"

namespace vdcu::kclient {

class ExecCredentials {
 public:
  // `on_done` runs after each run of the plugin, however it ended.
  ExecCredentials(base::UvLoop& loop, std::function<void()> on_done);

  // From now on; another config than the one before forgets the credential.
  void Use(const std::shared_ptr<const Config>& config);
  // Completed where it must be and can be. Another object whenever it is another config.
  const std::shared_ptr<const Config>& config() const { return completed_; }
  // Requests may be made with config().
  bool Ready() const;
  bool running() const { return run_ != nullptr; }
  // Why the last run brought nothing.
  const std::optional<base::Error>& failure() const { return failure_; }
  // Runs the plugin, unless it runs or has failed a moment ago.
  void Run();
  // `used` was refused. False: another run would bring the same.
  bool OnRefused(const std::shared_ptr<const Config>& used);

 private:
  bool Needed() const { return given_ != nullptr && given_->exec && given_->token.empty(); }
  void OnRun(base::Result<std::string> text);
  void Complete(ExecCredential credential);

  base::UvLoop& loop_;
  const std::function<void()> on_done_;
  std::shared_ptr<const Config> given_;
  std::shared_ptr<const Config> completed_;
  std::optional<ExecCredential> credential_;
  std::optional<base::Error> failure_;
  base::TimePoint ended_;  // the last run
  std::unique_ptr<base::Subscription> run_;
};

}  // namespace vdcu::kclient
