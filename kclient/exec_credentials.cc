#include "kclient/exec_credentials.h"

#include <chrono>
#include <utility>

#include "base/program_call.h"

namespace vdcu::kclient {

namespace {

constexpr std::chrono::seconds kPause{1};
// A credential that is refused sooner is no better the next time.
constexpr std::chrono::seconds kFresh{5};

}  // namespace

ExecCredentials::ExecCredentials(base::UvLoop& loop, std::function<void()> on_done)
    : loop_(loop), on_done_(std::move(on_done)) {}

void ExecCredentials::Use(const std::shared_ptr<const Config>& config) {
  if (given_ == config) return;
  given_ = config;
  completed_ = config;
  credential_.reset();
  failure_.reset();
  run_.reset();
}

bool ExecCredentials::Ready() const {
  if (!Needed()) return true;
  return credential_ && (!credential_->expires || loop_.clock().Wall() < *credential_->expires);
}

void ExecCredentials::Run() {
  if (run_ || (failure_ && loop_.clock().Now() - ended_ < kPause)) return;
  const ExecPlugin& plugin = *given_->exec;
  run_ = base::StartProgram(
      loop_,
      {.file = plugin.command, .arguments = plugin.arguments, .environment = plugin.environment},
      [this](base::Result<std::string> text) { OnRun(std::move(text)); });
}

bool ExecCredentials::OnRefused(const std::shared_ptr<const Config>& used) {
  if (!Needed()) return false;
  if (used != completed_ || run_) return true;
  if (loop_.clock().Now() - ended_ < kFresh) return false;
  credential_.reset();
  Run();
  return true;
}

void ExecCredentials::OnRun(base::Result<std::string> text) {
  const auto run = std::move(run_);
  ended_ = loop_.clock().Now();
  const ExecPlugin& plugin = *given_->exec;
  base::Result<ExecCredential> credential =
      text ? ParseExecCredential(plugin, *text)
           : base::Result<ExecCredential>(base::WithContext(text.error(), plugin.where));
  if (credential) {
    failure_.reset();
    Complete(std::move(*credential));
  } else {
    failure_ = std::move(credential.error());
    const bool hint = failure_->code == base::ErrorCode::kNotFound;
    if (hint && !plugin.install_hint.empty()) failure_->message += ": " + plugin.install_hint;
    failure_->code = base::ErrorCode::kUnavailable;
  }
  on_done_();
}

void ExecCredentials::Complete(ExecCredential credential) {
  auto config = std::make_shared<Config>(*given_);
  config->token = credential.token;
  if (!credential.cert_data.empty()) {
    config->cert_data = credential.cert_data;
    config->key_data = credential.key_data;
  }
  completed_ = std::move(config);
  credential_ = std::move(credential);
}

}  // namespace vdcu::kclient
