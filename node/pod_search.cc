#include "node/pod_search.h"

#include <algorithm>
#include <utility>

namespace vdcu::node {

namespace {

constexpr base::Duration kRetryDelay{200};

}  // namespace

PodSearch::PodSearch(Sources sources, base::Duration timeout, Callbacks callbacks)
    : sources_(sources),
      callbacks_(std::move(callbacks)),
      timer_(sources.loop.MakeTimer([this] {
        Fail({base::ErrorCode::kUnavailable,
              to_read_.empty() ? "the kubelet did not list its pods in time"
                               : "the API server did not show pod " + *to_read_.begin() +
                                     " in time" + last_error_});
      })),
      retry_timer_(sources.loop.MakeTimer([this] { ReadNext(); })) {
  timer_->Start(timeout);
  sources_.pod_resources.List(timeout, [this, alive = std::weak_ptr(alive_)](auto listing) {
    if (alive.expired()) return;
    if (!listing) return Fail(listing.error());
    listing_ = std::move(*listing);
    Ask();
  });
}

const NodePod* PodSearch::pod(const std::string& key) const {
  if (const auto found = pods_.find(key); found != pods_.end()) return &found->second;
  if (read_.contains(key)) return nullptr;
  return sources_.pods.Get(key).get();
}

void PodSearch::Ask() {
  to_read_ = callbacks_.decide(*this);
  if (to_read_.empty()) return End();
  ReadNext();
}

void PodSearch::ReadNext() {
  const std::string key = *to_read_.begin();
  const size_t slash = key.find('/');
  call_ = sources_.client.Get(kclient::kPods, key.substr(0, slash), key.substr(slash + 1),
                              [this, key](const auto& answer) { OnPod(key, answer); });
}

void PodSearch::OnPod(const std::string& key, const base::Result<kclient::JsonView>& answer) {
  const kclient::CallPtr ended = std::move(call_);  // it is what calls us
  if (!answer && answer.error().code != base::ErrorCode::kNotFound) {
    return ReadLater(answer.error());
  }
  if (answer) {
    auto pod = NodePod::FromJson(*answer);
    if (!pod) return Fail(WithContext(pod.error(), "pod " + key));
    pods_.emplace(key, std::move(*pod));
  }
  read_.insert(key);
  to_read_.erase(key);
  if (to_read_.empty()) return Ask();
  ReadNext();
}

void PodSearch::ReadLater(const base::Error& error) {
  const bool passes =
      error.code == base::ErrorCode::kUnavailable || error.code == base::ErrorCode::kThrottled;
  if (!passes) return Fail(error);
  last_error_ = ": " + error.message;
  retry_timer_->Start(std::max(kRetryDelay, error.retry_after));
}

void PodSearch::Fail(const base::Error& error) {
  callbacks_.fail(error);
  End();
}

// What comes later must find nobody.
void PodSearch::End() {
  alive_.reset();
  timer_->Stop();
  retry_timer_->Stop();
  call_.reset();
  callbacks_.on_end();
}

}  // namespace vdcu::node
