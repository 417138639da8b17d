#include "node/container_edits.h"

#include "node/slice_files.h"

namespace vdcu::node {

namespace {

// Where the driver's library looks for a slice, in a container.
constexpr char kVdevInContainer[] = "/etc/vdev/docker";
constexpr char kDtkInContainer[] = "/opt/hygondriver";
constexpr char kHyhal[] = "/opt/hyhal";

}  // namespace

kubelet::ContainerEdits EditsFor(const std::vector<Slice>& slices,
                                 const std::vector<const dcu::Device*>& devices,
                                 const std::string& dtk_dir,
                                 const std::function<bool(const std::string& path)>& exists) {
  kubelet::ContainerEdits edits;
  for (const char* node : {"/dev/kfd", "/dev/mkfd"}) {
    if (exists(node)) edits.devices.push_back({node, "rw"});
  }
  for (const dcu::Device* device : devices) {
    edits.devices.push_back({"/dev/dri/card" + std::to_string(device->drm_card_minor), "rw"});
    edits.devices.push_back({"/dev/dri/renderD" + std::to_string(device->drm_render_minor), "rw"});
  }
  for (const Slice& slice : slices) {
    if (slice.assignment.whole_card()) continue;
    edits.mounts.push_back({kVdevInContainer, SliceFolder(slice.uid)});
  }
  if (exists(dtk_dir)) edits.mounts.push_back({kDtkInContainer, dtk_dir});
  if (exists(kHyhal)) edits.mounts.push_back({kHyhal, kHyhal});
  return edits;
}

}  // namespace vdcu::node
