#include "node/stages.h"

namespace vdcu::node {

namespace {

const char* NameOf(Stage stage) {
  switch (stage) {
    case Stage::kPrepared:
      return "prepared";
    case Stage::kBound:
      return "bound";
    case Stage::kAllocated:
      return "allocated";
    case Stage::kStarted:
      return "started";
    default:
      return "";
  }
}

}  // namespace

void Stages::Reach(const std::string& pod_uid, Stage stage) {
  Last& last = pods_[pod_uid];
  if (last.stage >= stage) return;
  const base::TimePoint now = clock_.Now();
  if (last.stage != Stage::kNone) metrics_.OnStage(NameOf(stage), now - last.at);
  last = {stage, now};
}

}  // namespace vdcu::node
