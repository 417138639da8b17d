// The controller's part of who leads, on a large cluster: a transport of this program answers its
// lists from generated JSON (bench/objects.h), page by page; its own LeaderState, informers and
// decoders take it from there. Watches stay open and say nothing, and writes change nothing.
#pragma once

#include <cstddef>
#include <memory>

#include "base/loop.h"
#include "base/uv_loop.h"
#include "controller/leader_state.h"

namespace vdcu::bench {

class GeneratedCluster {
 public:
  struct Size {
    size_t nodes = 0;
    size_t bound = 0;    // pods with a slice each, ten a node
    size_t waiting = 0;  // pods that came after those, for kube-scheduler
  };

  // Everything is listed when it returns.
  explicit GeneratedCluster(const Size& size);
  GeneratedCluster(const GeneratedCluster&) = delete;
  GeneratedCluster& operator=(const GeneratedCluster&) = delete;
  ~GeneratedCluster();

  controller::LeaderState& state();
  void RunFor(base::Duration time);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace vdcu::bench
