#include "node/plugin/pod_search.h"

#include <algorithm>
#include <utility>

namespace vdcu::node {

namespace {

constexpr base::Duration kRetryDelay{200};
// The kubelet answers 100 requests a second, of all who ask.
constexpr base::Duration kLookDelay{200};
// A busy node may need as long for its list: the last look is to end in time.
constexpr base::Duration kLookTime{2'000};

}  // namespace

PodSearch::PodSearch(Sources sources, base::Duration timeout, Callbacks callbacks)
    : sources_(sources),
      callbacks_(std::move(callbacks)),
      deadline_(sources.loop.clock().Now() + timeout),
      timer_(sources.loop.MakeTimer([this] {
        Fail({base::ErrorCode::kUnavailable,
              to_read_.empty() ? "the kubelet did not list its pods in time"
                               : "the API server did not show pod " + *to_read_.begin() +
                                     " in time" + last_error_});
      })),
      retry_timer_(sources.loop.MakeTimer([this] { ReadNext(); })),
      look_timer_(sources.loop.MakeTimer([this] { List(); })) {
  timer_->Start(timeout);
  List();
}

void PodSearch::List() {
  const base::Duration left = deadline_ - sources_.loop.clock().Now();
  list_call_ =
      sources_.pod_resources.List(left, [this](auto listing) { OnListing(std::move(listing)); });
}

void PodSearch::OnListing(base::Result<std::shared_ptr<const kubelet::Listing>> listing) {
  if (!listing) return Fail(listing.error());
  listing_ = std::move(*listing);
  // What was read is older than the list.
  read_.clear();
  pods_.clear();
  Ask();
}

bool PodSearch::has_time_to_look_again() const {
  return sources_.loop.clock().Now() + kLookDelay + kLookTime <= deadline_;
}

const NodePod* PodSearch::pod(const std::string& key) const {
  if (const auto found = pods_.find(key); found != pods_.end()) return &found->second;
  if (read_.contains(key)) return nullptr;
  return sources_.pods.Get(key).get();
}

void PodSearch::Ask() {
  Next next = callbacks_.decide(*this);
  if (next.look_again) return look_timer_->Start(kLookDelay);
  to_read_ = std::move(next.read);
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

// What comes later must find nobody: on_end may destroy this object, or keep it.
void PodSearch::End() {
  timer_->Stop();
  retry_timer_->Stop();
  look_timer_->Stop();
  list_call_.reset();
  call_.reset();
  const auto on_end = std::move(callbacks_.on_end);
  on_end();
}

void PodSearches::Start(base::Duration timeout, PodSearch::Decide decide,
                        std::function<void(const base::Error&)> fail) {
  const uint64_t number = ++count_;
  const auto on_end = [this, number] {
    searches_.erase(number);
    on_end_();
  };
  searches_[number] = std::make_unique<PodSearch>(
      sources_, timeout, PodSearch::Callbacks{std::move(decide), std::move(fail), on_end});
}

}  // namespace vdcu::node
