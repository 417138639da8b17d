#include "node/slice_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "crds/assignment_json.h"
#include "crds/fields.h"

namespace vdcu::node {

namespace {

constexpr char kCheckpointFolder[] = "/var/lib/vdcu/slices";
constexpr char kProbe[] = "/var/lib/vdcu/slices/.probe.tmp";
constexpr int kFormat = 1;

std::string SliceVdevPath(const std::string& uid) { return SliceFolder(uid) + "/vdev0.conf"; }
std::string CheckpointName(const std::string& uid) { return uid + ".json"; }
std::string CheckpointPath(const std::string& uid) {
  return std::string(kCheckpointFolder) + "/" + CheckpointName(uid);
}

bool IsTemporary(const std::string& name) {
  return name.starts_with(".") && name.ends_with(".tmp");
}

bool IsVdevOrTemporary(const std::string& name) { return IsVdevName(name) || IsTemporary(name); }
bool IsAny(const std::string&) { return true; }
bool IsForeign(const base::Error& error) { return error.code == base::ErrorCode::kAlreadyExists; }

std::string TemporaryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return path.substr(0, slash) + "/." + path.substr(slash + 1) + ".tmp";
}

// The number whose file it is, or would be.
std::optional<int> VdevNumber(std::string name) {
  if (IsTemporary(name)) name = name.substr(1, name.size() - std::string_view("..tmp").size());
  if (!IsVdevName(name) || name.size() > std::string("vdev65535.conf").size()) return std::nullopt;
  const int number = std::stoi(name.substr(std::string("vdev").size()));
  const bool canonical = name == "vdev" + std::to_string(number) + ".conf";
  return canonical && number <= crds::kMaxVdev ? std::optional(number) : std::nullopt;
}

std::string ToText(const Slice& slice) {
  nlohmann::json json{
      {"version", kFormat},
      {"partition", {{"namespace", slice.ns}, {"name", slice.name}, {"uid", slice.uid}}},
      {"assignment", crds::ToJson(slice.assignment)}};
  if (slice.pod) {
    json["pod"] = {
        {"name", slice.pod->name}, {"uid", slice.pod->uid}, {"container", slice.pod->container}};
  }
  if (!slice.lost_since.empty()) json["lostSince"] = slice.lost_since;
  return json.dump(1) + "\n";
}

base::Result<Slice> FromText(const std::string& text) {
  kclient::JsonParser parser;
  ASSIGN_OR_RETURN(const auto json, parser.Parse(text));
  base::Status read;
  crds::Fields root(json, "", read);
  const int version = root.RequiredInt("version", 1, 1 << 20);
  if (read && version != kFormat) {
    return base::Invalid("format " + std::to_string(version) + ": this version reads format " +
                         std::to_string(kFormat));
  }
  Slice slice;
  slice.lost_since = root.String("lostSince");
  if (auto partition = root.Object("partition")) {
    slice.ns = partition->Required("namespace");
    slice.name = partition->Required("name");
    slice.uid = partition->RequiredUid("uid");
  } else {
    root.Fail("partition", "must be there");
  }
  if (auto assignment = root.Object("assignment")) {
    slice.assignment = crds::ReadAssignment(*assignment);
    slice.assignment.node = assignment->Required("node");
  } else {
    root.Fail("assignment", "must be there");
  }
  if (auto pod = root.Object("pod")) {
    slice.pod = crds::PodRef{.name = pod->Required("name"),
                             .uid = pod->RequiredUid("uid"),
                             .container = pod->Required("container")};
  }
  if (!read) return base::Corrupt(read.error().message);
  return slice;
}

}  // namespace

bool IsVdevName(const std::string& name) {
  constexpr std::string_view kStart = "vdev";
  constexpr std::string_view kEnd = ".conf";
  if (!name.starts_with(kStart) || !name.ends_with(kEnd)) return false;
  if (name.size() <= kStart.size() + kEnd.size()) return false;
  const std::string number = name.substr(4, name.size() - kStart.size() - kEnd.size());
  return number.find_first_not_of("0123456789") == std::string::npos;
}

std::string HostVdevPath(const dcu::Assignment& assignment) {
  if (assignment.whole_card()) return "";
  return std::string(kVdevFolder) + "/vdev" + std::to_string(*assignment.vdev) + ".conf";
}

std::string SliceFolder(const std::string& uid) { return std::string(kSlicesFolder) + "/" + uid; }

base::Result<SliceFiles::Found> SliceFiles::Load() {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(kCheckpointFolder));
  Found found;
  for (const std::string& name : names) {
    if (!name.ends_with(".json") || name.starts_with(".")) continue;
    const std::string path = std::string(kCheckpointFolder) + "/" + name;
    const std::string uid = name.substr(0, name.size() - std::string(".json").size());
    auto text = files_.Read(path);
    if (!text && text.error().code != base::ErrorCode::kCorrupt) return text.error();
    auto slice = text ? FromText(*text) : base::Result<Slice>(text.error());
    if (!slice && slice.error().code == base::ErrorCode::kInvalid) {
      return WithContext(slice.error(), path);
    }
    if (slice && slice->uid != uid) slice = base::Corrupt("is of partition " + slice->uid);
    if (slice) {
      found.slices.emplace(slice->uid, std::move(*slice));
    } else {
      found.corrupt[uid] = path + ": " + slice.error().message;
    }
  }
  return found;
}

base::Result<std::vector<std::string>> SliceFiles::Folders() { return files_.List(kSlicesFolder); }

bool SliceFiles::HasCheckpoint(const std::string& uid) {
  const auto text = files_.Read(CheckpointPath(uid));
  return text || text.error().code != base::ErrorCode::kNotFound;
}

base::Status SliceFiles::WriteIfOther(const std::string& path, const std::string& content) {
  RETURN_IF_ERROR(files_.MakeWay(path));
  const auto there = files_.Read(path);
  if (there && *there == content) return base::Ok();
  RETURN_IF_ERROR(files_.MakeWay(TemporaryOf(path)));
  return files_.Write(path, content);
}

base::Status SliceFiles::Record(const Slice& slice) {
  return WriteIfOther(CheckpointPath(slice.uid), ToText(slice));
}

base::Status SliceFiles::Prepare(const Slice& slice, const std::string& content) {
  RETURN_IF_ERROR(Record(slice));
  if (slice.assignment.whole_card()) return base::Ok();
  RETURN_IF_ERROR(WriteIfOther(SliceVdevPath(slice.uid), content));
  return WriteIfOther(HostVdevPath(slice.assignment), content);
}

base::Status SliceFiles::CheckVdev(const dcu::Assignment& assignment) {
  if (assignment.whole_card()) return base::Ok();
  RETURN_IF_ERROR(files_.MakeWay(HostVdevPath(assignment)));
  return files_.MakeWay(TemporaryOf(HostVdevPath(assignment)));
}

std::map<int, std::string> SliceFiles::OccupiedVdevs() {
  std::map<int, std::string> occupied;
  const auto names = files_.List(kVdevFolder);
  if (!names) return occupied;
  for (const std::string& name : *names) {
    const auto number = VdevNumber(name);
    if (!number) continue;
    const base::Status way = files_.MakeWay(std::string(kVdevFolder) + "/" + name);
    if (!way) occupied.emplace(*number, way.error().message);
  }
  return occupied;
}

std::string SliceFiles::Probe() {
  constexpr size_t kSize = 1024;
  const std::string content(kSize, ' ');
  const std::string folder = SliceFolder(".probe");
  base::Status kept = files_.Write(folder + "/file", content);
  if (kept) kept = files_.RemoveFolder(folder);
  if (kept) kept = files_.Write(kProbe, content);
  if (kept) kept = files_.RemoveFile(kProbe);
  return kept ? "" : kept.error().message;
}

base::Status SliceFiles::RemoveFile(const std::string& path) {
  RETURN_IF_ERROR(files_.MakeWay(path));
  return files_.RemoveFile(path);
}

base::Status SliceFiles::RemoveFolder(const std::string& path) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(path));
  base::Status removed;
  for (const std::string& name : names) {
    const base::Status one = RemoveFile(path + "/" + name);
    if (removed) removed = one;
  }
  return removed ? files_.RemoveFolder(path) : removed;
}

base::Status SliceFiles::Remove(const Slice& slice) {
  const auto ours = [](base::Status removed) {
    return !removed && IsForeign(removed.error()) ? base::Ok() : removed;
  };
  if (!slice.assignment.whole_card()) {
    RETURN_IF_ERROR(ours(RemoveFile(HostVdevPath(slice.assignment))));
    RETURN_IF_ERROR(ours(RemoveFolder(SliceFolder(slice.uid))));
  }
  return ours(RemoveFile(CheckpointPath(slice.uid)));
}

// Removes what is `ours` in the folder and not `wanted`.
SliceFiles::Errors SliceFiles::RemoveUnless(const std::string& folder,
                                            bool (*ours)(const std::string& name),
                                            const std::set<std::string>& wanted, RemoveOne remove) {
  const auto names = files_.List(folder);
  if (!names) return {names.error()};
  Errors errors;
  for (const std::string& name : *names) {
    if (!ours(name) || wanted.contains(name)) continue;
    const base::Status removed = (this->*remove)(folder + "/" + name);
    if (!removed) errors.push_back(removed.error());
  }
  return errors;
}

SliceFiles::Errors SliceFiles::RemoveOthers(const Slices& slices,
                                            const std::set<std::string>& kept) {
  std::set<std::string> vdevs;
  std::set<std::string> folders = kept;
  std::set<std::string> checkpoints;
  for (const std::string& uid : kept) checkpoints.insert(CheckpointName(uid));
  for (const auto& [uid, slice] : slices) {
    checkpoints.insert(CheckpointName(uid));
    if (slice.assignment.whole_card()) continue;
    folders.insert(uid);
    vdevs.insert("vdev" + std::to_string(*slice.assignment.vdev) + ".conf");
  }
  Errors errors = RemoveUnless(kVdevFolder, IsVdevOrTemporary, vdevs, &SliceFiles::RemoveFile);
  std::erase_if(errors, IsForeign);  // these are OccupiedVdevs
  const auto add = [&errors](const Errors& more) {
    errors.insert(errors.end(), more.begin(), more.end());
  };
  add(RemoveUnless(kSlicesFolder, IsAny, folders, &SliceFiles::RemoveFolder));
  for (const std::string& uid : folders) {
    add(RemoveUnless(SliceFolder(uid), IsAny, {"vdev0.conf"}, &SliceFiles::RemoveFile));
  }
  add(RemoveUnless(kCheckpointFolder, IsAny, checkpoints, &SliceFiles::RemoveFile));
  return errors;
}

DiskState SliceFiles::Repair(const Slices& slices,
                             const std::map<std::string, std::string>& contents,
                             const std::set<std::string>& kept) {
  DiskState disk;
  for (const char* folder : {kSlicesFolder, kCheckpointFolder}) {
    const base::Status made = files_.MakeFolder(folder);
    if (!made) disk.failure = made.error().message;
  }
  Errors errors = RemoveOthers(slices, kept);
  for (const auto& [uid, slice] : slices) {
    const auto content = contents.find(uid);
    if (content == contents.end()) continue;
    const base::Status prepared = Prepare(slice, content->second);
    if (!prepared) errors.push_back(prepared.error());
  }
  for (const base::Error& error : errors) disk.problems.push_back(error.message);
  if (disk.failure.empty() && !std::all_of(errors.begin(), errors.end(), IsForeign)) {
    disk.failure = Probe();
  }
  disk.occupied_vdevs = OccupiedVdevs();
  return disk;
}

}  // namespace vdcu::node
