#include "node/slice_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "crds/assignment_json.h"
#include "crds/fields.h"

namespace vdcu::node {

namespace {

constexpr char kCheckpointFolder[] = "/var/lib/vdcu/slices";
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
  simdjson::dom::parser parser;
  kclient::JsonView json;
  if (const auto error = parser.parse(text).get(json)) {
    return base::Corrupt(simdjson::error_message(error));
  }
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
    slice.uid = partition->Required("uid");
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
                             .uid = pod->Required("uid"),
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
    auto text = files_.Read(path);
    if (!text && text.error().code != base::ErrorCode::kCorrupt) return text.error();
    auto slice = text ? FromText(*text) : base::Result<Slice>(text.error());
    if (!slice && slice.error().code == base::ErrorCode::kInvalid) {
      return WithContext(slice.error(), path);
    }
    if (slice && CheckpointName(slice->uid) != name) {
      slice = base::Corrupt("is of partition " + slice->uid);
    }
    if (slice) {
      found.slices.emplace(slice->uid, std::move(*slice));
    } else {
      found.corrupt.push_back(path + ": " + slice.error().message);
    }
  }
  return found;
}

base::Result<std::vector<std::string>> SliceFiles::Folders() { return files_.List(kSlicesFolder); }

base::Status SliceFiles::WriteIfOther(const std::string& path, const std::string& content) {
  const auto there = files_.Read(path);
  if (there && *there == content) return base::Ok();
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

base::Status SliceFiles::Remove(const Slice& slice) {
  if (!slice.assignment.whole_card()) {
    RETURN_IF_ERROR(files_.RemoveFile(HostVdevPath(slice.assignment)));
    RETURN_IF_ERROR(files_.RemoveFolder(SliceFolder(slice.uid)));
  }
  return files_.RemoveFile(CheckpointPath(slice.uid));
}

// Removes what is `ours` in the folder and not `wanted`.
base::Status SliceFiles::RemoveUnless(const std::string& folder,
                                      bool (*ours)(const std::string& name),
                                      const std::vector<std::string>& wanted, bool folders) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(folder));
  for (const std::string& name : names) {
    if (!ours(name) || std::find(wanted.begin(), wanted.end(), name) != wanted.end()) continue;
    const std::string path = folder + "/" + name;
    RETURN_IF_ERROR(folders ? files_.RemoveFolder(path) : files_.RemoveFile(path));
  }
  return base::Ok();
}

base::Status SliceFiles::Mend(const Slices& slices,
                              const std::map<std::string, std::string>& contents) {
  std::vector<std::string> vdevs;
  std::vector<std::string> folders;
  std::vector<std::string> checkpoints;
  for (const auto& [uid, slice] : slices) {
    checkpoints.push_back(CheckpointName(uid));
    if (slice.assignment.whole_card()) continue;
    folders.push_back(uid);
    vdevs.push_back("vdev" + std::to_string(*slice.assignment.vdev) + ".conf");
  }
  RETURN_IF_ERROR(RemoveUnless(kVdevFolder, IsVdevOrTemporary, vdevs, false));
  RETURN_IF_ERROR(RemoveUnless(kSlicesFolder, IsAny, folders, true));
  for (const std::string& uid : folders) {
    RETURN_IF_ERROR(RemoveUnless(SliceFolder(uid), IsAny, {"vdev0.conf"}, false));
  }
  RETURN_IF_ERROR(RemoveUnless(kCheckpointFolder, IsAny, checkpoints, false));
  for (const auto& [uid, slice] : slices) {
    const auto content = contents.find(uid);
    if (content != contents.end()) RETURN_IF_ERROR(Prepare(slice, content->second));
  }
  return base::Ok();
}

}  // namespace vdcu::node
