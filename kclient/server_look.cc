#include "kclient/server_look.h"

#include <iterator>
#include <utility>

#include "base/backoff.h"
#include "base/log.h"

namespace vdcu::kclient {

namespace {

constexpr base::Backoff kRetry{base::Duration(1'000), base::Duration(30'000)};
constexpr const char* kPaths[] = {"/version", "/apis/admissionregistration.k8s.io/v1",
                                  "/apis/flowcontrol.apiserver.k8s.io"};

}  // namespace

ServerLook::ServerLook(base::Loop& loop, Client& client, base::Random random,
                       std::function<void(const ServerFacts&)> done)
    : client_(client),
      random_(std::move(random)),
      done_(std::move(done)),
      retry_timer_(loop.MakeTimer([this] { Ask(); })) {}

void ServerLook::Ask() {
  call_ = client_.GetPath(kPaths[step_],
                          [this](const base::Result<JsonView>& answer) { OnAnswer(answer); });
}

// What is not there (404) it has not.
base::Status ServerLook::Read(const base::Result<JsonView>& answer) {
  if (!answer) {
    const bool absent = step_ > 0 && answer.error().code == base::ErrorCode::kNotFound;
    return absent ? base::Ok() : base::Status(answer.error());
  }
  if (step_ == 0) return ReadVersion(*answer, facts_);
  step_ == 1 ? ReadAdmission(*answer, facts_) : ReadFlowControl(*answer, facts_);
  return base::Ok();
}

void ServerLook::OnAnswer(const base::Result<JsonView>& answer) {
  const CallPtr ended = std::move(call_);
  if (const base::Status read = Read(answer); !read) {
    if (failures_++ == 0) {
      base::Log(base::Level::kWarning, "cannot see what the API server is, will try again",
                {{"error", read.error().message}});
    }
    return retry_timer_->Start(kRetry.Delay(failures_, random_()));
  }
  failures_ = 0;
  if (++step_ < std::size(kPaths)) return Ask();
  done_(facts_);
}

}  // namespace vdcu::kclient
