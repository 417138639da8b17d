#include "tests/fakes/simulated_loop.h"

#include <algorithm>

#include "base/check.h"

namespace vdcu::fakes {

namespace {
// Above this a test posts or starts timers without end.
constexpr size_t kMostCallbacks = 1'000'000;
}  // namespace

class SimulatedLoop::SimulatedTimer : public base::Timer {
 public:
  SimulatedTimer(SimulatedLoop& loop, std::function<void()> callback)
      : loop_(loop), callback_(std::move(callback)) {
    ++loop_.timers_;
  }
  ~SimulatedTimer() override {
    Stop();
    --loop_.timers_;
  }
  SimulatedTimer(const SimulatedTimer&) = delete;
  SimulatedTimer& operator=(const SimulatedTimer&) = delete;

  void Start(base::Duration delay) override {
    Stop();
    slot_ = {loop_.clock_.Now() + std::max(delay, base::Duration(0)), ++loop_.starts_};
    loop_.armed_.emplace(*slot_, this);
  }
  void Stop() override {
    if (slot_) loop_.armed_.erase(*slot_);
    slot_.reset();
  }
  bool armed() const override { return slot_.has_value(); }

  void Fire() {
    Stop();
    const auto callback = callback_;  // it may destroy this timer
    callback();
  }

 private:
  SimulatedLoop& loop_;
  std::function<void()> callback_;
  std::optional<Slot> slot_;
};

SimulatedLoop::~SimulatedLoop() {
  posted_.clear();
  CHECK(timers_ == 0, "a timer outlives its loop");
}

base::TimerPtr SimulatedLoop::MakeTimer(std::function<void()> callback) {
  return std::make_unique<SimulatedTimer>(*this, std::move(callback));
}

void SimulatedLoop::Post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(work));
}

base::Result<std::unique_ptr<base::Subscription>> SimulatedLoop::OnChange(
    const std::string& path, std::function<void(std::string name)> /*callback*/) {
  return base::Error{base::ErrorCode::kUnavailable, "nobody watches " + path, {}};
}

size_t SimulatedLoop::RunPosted() {
  for (size_t ran = 0;;) {
    std::vector<std::function<void()>> work;
    {
      const std::lock_guard lock(mutex_);
      work.swap(posted_);
    }
    if (work.empty()) return ran;
    for (const auto& item : work) item();
    ran += work.size();
    CHECK(ran < kMostCallbacks, "posted work posts without end");
  }
}

void SimulatedLoop::Advance(base::Duration by) {
  RunPosted();
  const base::TimePoint end = clock_.Now() + by;
  for (size_t fired = 0; !armed_.empty() && armed_.begin()->first.first <= end; ++fired) {
    CHECK(fired < kMostCallbacks, "timers start without end");
    const auto [slot, timer] = *armed_.begin();
    clock_.Advance(std::max(slot.first - clock_.Now(), base::Duration(0)));
    timer->Fire();
    RunPosted();
  }
  clock_.Advance(end - clock_.Now());
}

std::optional<base::TimePoint> SimulatedLoop::NextTimer() const {
  if (armed_.empty()) return std::nullopt;
  return armed_.begin()->first.first;
}

}  // namespace vdcu::fakes
