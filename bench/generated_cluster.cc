#include "bench/generated_cluster.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "base/random.h"
#include "bench/objects.h"
#include "kclient/transport.h"

namespace vdcu::bench {
namespace {

// Answers lists; watches stay open and say nothing.
class GeneratedLists : public kclient::Transport {
 public:
  GeneratedLists(base::Loop& loop, const GeneratedCluster::Size& size) : loop_(loop), size_(size) {}

  kclient::CallPtr Send(kclient::HttpRequest request, kclient::ResponseCallback on_done) override {
    const bool list = request.method == "GET";
    loop_.Post([this, list, path = request.path, on_done = std::move(on_done)] {
      on_done(kclient::HttpResponse{.status = 200, .body = list ? Page(path) : "{}"});
    });
    return std::make_unique<kclient::Call>();
  }
  kclient::CallPtr Stream(kclient::HttpRequest, kclient::DataCallback,
                          kclient::ResponseCallback) override {
    ++watches_;
    return std::make_unique<kclient::Call>();
  }
  size_t watches() const { return watches_; }

 private:
  struct Kind {
    size_t count;
    std::function<std::string(size_t)> make;
  };

  Kind KindOf(const std::string& path) const {
    const auto is = [&](const char* part) { return path.find(part) != std::string::npos; };
    if (is("/dcunodes")) return {size_.nodes, DcuNodeJson};
    if (is("/vdcupartitions")) return {size_.bound, PartitionJson};
    if (is("/nodes")) return {size_.nodes, NodeJson};
    if (is("/pods")) {
      return {size_.bound + size_.waiting,
              [this](size_t n) { return n < size_.bound ? PodJson(n) : WaitingPodJson(n); }};
    }
    if (is("/namespaces")) return {1, [](size_t) { return NamespaceJson(); }};
    return {0, nullptr};
  }

  std::string Page(const std::string& path) const {
    constexpr size_t kPage = 500;
    const Kind kind = KindOf(path);
    const size_t at = path.find("continue=");
    const size_t from = at == std::string::npos ? 0 : std::stoul(path.substr(at + 9));
    const size_t to = std::min(kind.count, from + kPage);
    std::string page = R"({"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":"9")";
    if (to < kind.count) page += R"(,"continue":")" + std::to_string(to) + "\"";
    page += R"(},"items":[)";
    for (size_t n = from; n < to; ++n) page += (n == from ? "" : ",") + kind.make(n);
    return page + "]}";
  }

  base::Loop& loop_;
  const GeneratedCluster::Size size_;
  size_t watches_ = 0;
};

}  // namespace

struct GeneratedCluster::Parts {
  explicit Parts(const Size& size) : transport(loop, size) {}

  base::UvLoop loop;
  GeneratedLists transport;
  kclient::Client client{transport};
  kclient::EventRecorder events{loop,
                                client,
                                {.reporting_controller = "vdcu.io/controller",
                                 .reporting_instance = "bench",
                                 .idle = [] { return true; }},
                                base::SystemRandom()};
  controller::Metrics metrics;
  controller::LeaderState state{
      loop, client, events, metrics, {}, [] { return true; }, base::SystemRandom()};
  // Posted work alone does not keep a loop going.
  base::TimerPtr alive = loop.MakeTimer([] {});
};

GeneratedCluster::GeneratedCluster(const Size& size) : parts_(std::make_unique<Parts>(size)) {
  parts_->alive->Start(std::chrono::hours(1));
  parts_->state.Start();
  while (!parts_->state.NotReady().empty() || parts_->transport.watches() < 7) {
    parts_->loop.RunOnce();
  }
}

GeneratedCluster::~GeneratedCluster() = default;

controller::LeaderState& GeneratedCluster::state() { return parts_->state; }

void GeneratedCluster::RunFor(base::Duration time) {
  const base::TimePoint end = parts_->loop.clock().Now() + time;
  parts_->alive->Start(time);
  while (parts_->loop.clock().Now() < end) parts_->loop.RunOnce();
  parts_->alive->Start(std::chrono::hours(1));
}

}  // namespace vdcu::bench
