#include "dcu/model.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace vdcu::dcu {
namespace {

struct Row {
  std::string_view id;
  std::string_view name;
  int compute_units = 0;
  int64_t mib = 0;
};

constexpr auto kModels = std::to_array<Row>({
    {"51b7", "Z200SM_80"},
    {"52b7", "ZIFANG 8182"},
    {"54b7", "Z100", 60},
    {"55b7", "Z100L", 60, 32768},
    {"55c7", "Z200SM_71"},
    {"55d7", "Z200SM_71_S"},
    {"56b7", "Z200SM_81"},
    {"57b7", "ZIFANG 8185"},
    {"61a7", "K500SM_B"},
    {"61b7", "K500SM"},
    {"61c7", "K500SM_B"},
    {"61d7", "K500SM"},
    {"61e7", "K500SM"},
    {"61f7", "HG Design DCU K500"},
    {"6210", "K100_AI", 120, 65520},
    {"6211", "K100_LC_E_AI", 128},
    {"6212", "K100_LC_AI", 120},
    {"6213", "K100_AI_i"},
    {"6214", "HG Design DCU K500"},
    {"62a0", "K500SM_AI"},
    {"62b0", "K500SM_AI"},
    {"62b7", "K100", 120},
    {"62c7", "K100-LC"},
    {"6370", "BW100"},
});

}  // namespace

Model ModelOf(std::string_view pci_device_id) {
  std::string id(pci_device_id);
  std::transform(id.begin(), id.end(), id.begin(), [](unsigned char c) { return std::tolower(c); });
  if (id.starts_with("0x")) id.erase(0, 2);
  const auto row = std::find_if(kModels.begin(), kModels.end(),
                                [&](const Row& candidate) { return candidate.id == id; });
  if (row == kModels.end()) return {"DCU-" + (id.empty() ? "unknown" : id), 0, MiB{}};
  return {std::string(row->name), row->compute_units, MiB{row->mib}};
}

}  // namespace vdcu::dcu
