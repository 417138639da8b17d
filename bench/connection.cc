#include "bench/connection.h"

#include <memory>
#include <utility>

#include "base/check.h"
#include "kclient/config.h"

namespace vdcu::bench {

namespace {

constexpr size_t kAtOnce = 64;

kclient::Config ConfigOf(const std::string& kubeconfig) {
  auto config = kclient::LoadKubeconfig({kubeconfig});
  CHECK(config.has_value(), config.error().message);
  return std::move(*config);
}

}  // namespace

Connection::Connection(base::UvLoop& loop, const std::string& kubeconfig)
    : loop_(loop), transport_(loop_, ConfigOf(kubeconfig), "vdcu-bench"), client_(transport_) {}

void Connection::Apply(const kclient::Write& write,
                       std::function<void(kclient::JsonView)> on_done) {
  const uint64_t id = next_++;
  calls_[id] = client_.Apply(write, [this, id, write, on_done = std::move(on_done)](
                                        base::Result<kclient::JsonView> answer) {
    const auto finished = std::move(calls_[id]);
    calls_.erase(id);
    // A server that is short of time asks to come back.
    if (!answer && answer.error().code == base::ErrorCode::kThrottled) {
      return Apply(write, on_done);
    }
    if (!answer && answer.error().code == base::ErrorCode::kNotFound &&
        write.verb == kclient::Write::Verb::kDelete) {
      return on_done({});
    }
    CHECK(answer.has_value(), answer.error().message);
    on_done(*answer);
  });
}

void Connection::ForEach(size_t count, size_t at_once, const Job& job) {
  size_t started = 0;
  size_t ended = 0;
  std::function<void()> next = [&] {
    if (started == count) return;
    job(started++, [&] {
      ++ended;
      next();
    });
  };
  while (started < std::min(count, at_once)) next();
  RunUntil("all writes", [&] { return ended == count; }, std::chrono::seconds(600));
}

void Connection::ApplyAll(size_t count, const std::function<kclient::Write(size_t)>& make) {
  ForEach(count, kAtOnce, [&](size_t n, const std::function<void()>& done) {
    Apply(make(n), [done](kclient::JsonView) { done(); });
  });
}

void Connection::RunUntil(const std::string& what, const std::function<bool()>& done,
                          base::Duration most) {
  CHECK(loop_.RunUntil(done, most), "waited too long for " + what);
}

void Connection::RunFor(base::Duration time) {
  const base::TimePoint end = Now() + time;
  RunUntil("time to pass", [&] { return Now() >= end; }, 2 * time + std::chrono::seconds(1));
}

std::string Connection::Request(const std::string& method, const std::string& path) {
  kclient::HttpRequest request;
  request.method = method;
  request.path = path;
  request.timeout = std::chrono::seconds(120);
  request.most_bytes = size_t{256} << 20;
  bool ended = false;
  std::string body;
  const kclient::CallPtr call =
      transport_.Send(std::move(request), [&](base::Result<kclient::HttpResponse> response) {
        CHECK(response.has_value(), response.error().message);
        CHECK(response->status / 100 == 2, response->body);
        body = std::move(response->body);
        ended = true;
      });
  RunUntil(path, [&] { return ended; });
  return body;
}

}  // namespace vdcu::bench
