#include "tests/dcu/vdev_parser.h"

#include <charconv>
#include <vector>

#include "base/text.h"

namespace vdcu::dcu {
namespace {

constexpr size_t kLines = 9;

base::Error LineError(size_t line, std::string_view text, std::string_view want) {
  return base::Corrupt("vdev file, line " + std::to_string(line) + ": " + base::Quote(text) +
                       ": want " + std::string(want));
}

// The lines of the file, or an error unless there are nine, each ended.
base::Result<std::vector<std::string_view>> SplitLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty() && lines.size() <= kLines) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      return LineError(lines.size() + 1, text, "a line feed at its end");
    }
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  if (lines.size() != kLines) {
    return base::Corrupt("vdev file: " + std::string(lines.size() > kLines ? "more" : "fewer") +
                         " than nine lines");
  }
  return lines;
}

// Reads the lines in order and remembers the first error, so that the caller reads as the format.
class Reader {
 public:
  explicit Reader(std::vector<std::string_view> lines) : lines_(std::move(lines)) {}

  std::string_view Text(std::string_view key) {
    const std::string prefix = std::string(key) + ": ";
    const std::string_view line = lines_[next_++];
    if (!line.starts_with(prefix)) {
      Fail("\"" + prefix + "...\"");
      return {};
    }
    return line.substr(prefix.size());
  }

  int64_t Number(std::string_view key, int64_t least, int64_t most, std::string_view unit = "") {
    std::string_view text = Text(key);
    const std::string want = "a number from " + std::to_string(least) + " to " +
                             std::to_string(most) + std::string(unit);
    const bool has_unit = text.ends_with(unit);
    if (has_unit) text.remove_suffix(unit.size());
    const bool plain = !text.empty() && text.size() <= 18 &&
                       text.find_first_not_of("0123456789") == std::string_view::npos &&
                       (text.size() == 1 || text[0] != '0');
    int64_t number = least;
    if (plain) std::from_chars(text.data(), text.data() + text.size(), number);
    if (!has_unit || !plain || number < least || number > most) Fail(want);
    return number;
  }

  // Says that the line read last is wrong.
  void Fail(std::string_view want) {
    if (ok_) error_ = LineError(next_, lines_[next_ - 1], want);
    ok_ = false;
  }

  bool ok() const { return ok_; }
  const base::Error& error() const { return error_; }

 private:
  std::vector<std::string_view> lines_;
  size_t next_ = 0;
  bool ok_ = true;
  base::Error error_{base::ErrorCode::kCorrupt, ""};
};

// As the C format %04x:%02x:%02x.%x writes it: "0000:33:00.0"; a domain may need more digits.
bool IsBusId(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  if (text.size() < 12 || text.size() > 16) return false;
  const size_t domain = text.size() - 8;
  if (domain > 4 && text[0] == '0') return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t from_end = text.size() - i;
    if (from_end == 8 || from_end == 5) {
      if (text[i] != ':') return false;
    } else if (from_end == 2) {
      if (text[i] != '.') return false;
    } else if (kHex.find(text[i]) == std::string_view::npos) {
      return false;
    }
  }
  return text.back() <= '7';
}

CuMask ReadMask(Reader& reader) {
  const std::string_view low = reader.Text("cu_mask");
  if (!CuMask::Parse(low, "0x0000000000000000")) reader.Fail("0x and 16 lower-case hex digits");
  const std::string_view high = reader.Text("cu_mask");
  base::Result<CuMask> mask = CuMask::Parse(low, high);
  if (!mask) reader.Fail("0x and 16 lower-case hex digits");
  return mask.value_or(CuMask());
}

}  // namespace

base::Result<VdevFile> ParseVdevFile(std::string_view text) {
  ASSIGN_OR_RETURN(auto lines, SplitLines(text));
  Reader reader(std::move(lines));
  VdevFile file;
  file.pci_bus_id = reader.Text("PciBusId");
  if (!IsBusId(file.pci_bus_id)) reader.Fail("a PCI bus id as 0000:33:00.0");
  file.units = ReadMask(reader);
  file.cu_count = static_cast<int>(reader.Number("cu_count", 1, kMaxComputeUnits));
  if (file.cu_count != file.units.Count()) {
    reader.Fail("the number of units in cu_mask, " + std::to_string(file.units.Count()));
  }
  constexpr int64_t kMostMemory = int64_t{1} << 40;
  file.memory.value = reader.Number("mem", 1, kMostMemory, " MiB");
  file.device_id = static_cast<int>(reader.Number("device_id", 0, 0));
  file.vdev_id = static_cast<int>(reader.Number("vdev_id", 0, 1'000'000));
  file.pipe_id = static_cast<int>(reader.Number("pipe_id", 0, kMaxSlicesPerCard - 1));
  file.enable = reader.Number("enable", 0, 1) == 1;
  if (!reader.ok()) return reader.error();
  return file;
}

}  // namespace vdcu::dcu
