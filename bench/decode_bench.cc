// What reading a watch of pods costs: bytes of a stream of 10 KiB pods, in pieces as they come from
// the network, into our Pod values; beside that nlohmann's DOM of the same lines, without any
// decoding of what is in it.
#include <benchmark/benchmark.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/check.h"
#include "bench/objects.h"
#include "crds/decode.h"
#include "kclient/watch_decoder.h"

namespace vdcu::bench {
namespace {

constexpr size_t kPods = 200;
constexpr size_t kPiece = size_t{16} << 10;

const std::string& Stream() {
  static const std::string kStream = [] {
    std::string stream;
    for (size_t n = 0; n < kPods; ++n) {
      stream += R"({"type":"MODIFIED","object":)" + PodJson(n) + "}\n";
    }
    return stream;
  }();
  return kStream;
}

void Report(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * Stream().size()));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kPods));
}

void BM_WatchDecoderAndPod(benchmark::State& state) {
  for (auto _ : state) {
    kclient::WatchDecoder decoder;
    size_t pods = 0;
    const std::string_view bytes = Stream();
    for (size_t at = 0; at < bytes.size(); at += kPiece) {
      const auto fed =
          decoder.Feed(bytes.substr(at, kPiece), [&](const kclient::WatchEvent& event) {
            const auto pod = crds::Decode<kclient::Pod>(event.object);
            if (pod && pod->bound()) ++pods;
            return base::Ok();
          });
      CHECK(fed.has_value(), fed.error().message);
    }
    CHECK(pods == kPods, "pods decoded: " + std::to_string(pods));
  }
  Report(state);
}
BENCHMARK(BM_WatchDecoderAndPod);

void BM_NlohmannDom(benchmark::State& state) {
  for (auto _ : state) {
    const std::string& bytes = Stream();
    for (size_t at = 0; at < bytes.size();) {
      const size_t end = bytes.find('\n', at);
      auto event = nlohmann::json::parse(bytes.data() + at, bytes.data() + end);
      benchmark::DoNotOptimize(event);
      at = end + 1;
    }
  }
  Report(state);
}
BENCHMARK(BM_NlohmannDom);

}  // namespace
}  // namespace vdcu::bench

BENCHMARK_MAIN();
