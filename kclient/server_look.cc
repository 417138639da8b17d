#include "kclient/server_look.h"

#include <iterator>
#include <utility>

#include "base/backoff.h"
#include "base/log.h"

namespace vdcu::kclient {

namespace {

constexpr base::Backoff kLookRetry{base::Duration(1'000), base::Duration(30'000)};
constexpr const char* kPaths[] = {"/version", "/apis/admissionregistration.k8s.io/v1",
                                  "/apis/flowcontrol.apiserver.k8s.io"};
constexpr size_t kWebhookStep = std::size(kPaths);
constexpr int kWebhookTries = 5;

}  // namespace

ServerLook::ServerLook(base::Loop& loop, Client& client, base::Random random,
                       std::function<void(const ServerFacts&)> done, const WebhookName& webhook)
    : client_(client),
      webhook_path_(std::string(kPaths[1]) + "/validatingwebhookconfigurations/" +
                    webhook.configuration),
      webhook_(webhook),
      random_(std::move(random)),
      done_(std::move(done)),
      retry_timer_(loop.MakeTimer([this] { Ask(); })) {}

void ServerLook::Ask() {
  call_ = client_.GetPath(step_ < kWebhookStep ? kPaths[step_] : webhook_path_,
                          [this](const base::Result<JsonView>& answer) { OnAnswer(answer); });
}

// What is not there (404) it has not. Who may not see the webhook (403) was given none.
bool ServerLook::IsAbsent(const base::Error& error) const {
  const bool not_found = error.code == base::ErrorCode::kNotFound;
  if (step_ < kWebhookStep) return step_ > 0 && not_found;
  return error.code == base::ErrorCode::kForbidden || (not_found && failures_ >= kWebhookTries);
}

base::Status ServerLook::Read(const base::Result<JsonView>& answer) {
  if (!answer) return IsAbsent(answer.error()) ? base::Ok() : base::Status(answer.error());
  switch (step_) {
    case 0:
      return ReadVersion(*answer, facts_);
    case 1:
      ReadAdmission(*answer, facts_);
      break;
    case 2:
      ReadFlowControl(*answer, facts_);
      break;
    default:
      ReadWebhooks(*answer, webhook_, facts_);
      break;
  }
  return base::Ok();
}

bool ServerLook::IsLast() const {
  return step_ == kWebhookStep || (step_ + 1 == kWebhookStep && facts_.validating_policies);
}

void ServerLook::OnAnswer(const base::Result<JsonView>& answer) {
  const CallPtr ended = std::move(call_);
  if (const base::Status read = Read(answer); !read) {
    if (failures_++ == 0) {
      base::Log(base::Level::kWarning, "cannot see what the API server is, will try again",
                {{"error", read.error().message}});
    }
    return retry_timer_->Start(kLookRetry.Delay(failures_, random_()));
  }
  failures_ = 0;
  if (IsLast()) return done_(facts_);
  ++step_;
  Ask();
}

}  // namespace vdcu::kclient
