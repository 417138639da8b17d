#include "node/slice_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "dcu/vdev.h"
#include "tests/node/temp_folder.h"

namespace vdcu::node {
namespace {

using testing::IsEmpty;

Slice MakeSlice(const std::string& uid, int vdev) {
  Slice slice{uid, "team", "p-" + uid, {}, crds::PodRef{"pod", "pod-uid", "main"}, ""};
  slice.assignment.node = "n";
  slice.assignment.device = "DCU-0";
  slice.assignment.pci_bus_id = "0000:33:00.0";
  slice.assignment.units = dcu::CuMask(0x1ff, 0);
  slice.assignment.compute_units = 9;
  slice.assignment.memory = {2000};
  slice.assignment.pipe = 0;
  slice.assignment.vdev = vdev;
  return slice;
}

Slice MakeWhole(const std::string& uid) {
  Slice slice = MakeSlice(uid, 0);
  slice.assignment.pipe.reset();
  slice.assignment.vdev.reset();
  return slice;
}

std::string ContentOf(const Slice& slice) {
  if (slice.assignment.whole_card()) return "";
  return dcu::Render(dcu::MakeVdevFile(slice.assignment, "0000:33:00.0"));
}

std::map<std::string, std::string> ContentsOf(const Slices& slices) {
  std::map<std::string, std::string> contents;
  for (const auto& [uid, slice] : slices) contents[uid] = ContentOf(slice);
  return contents;
}

// Every file below the folder, with its bytes.
using Disk = std::map<std::string, std::string>;
Disk ReadDisk(const base::Root& root) {
  Disk disk;
  const std::string top = root.Resolve("");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(top)) {
    const std::string path = entry.path().string().substr(top.size());
    if (entry.is_regular_file()) disk[path] = root.Read(path).value_or("unreadable");
    if (entry.is_directory() && entry.path().parent_path().filename() == "slices") disk[path] = "";
  }
  return disk;
}

// Ends the "process" at the given step: that step is done in part, and nothing after it.
class CrashingFileOps : public RootFileOps {
 public:
  CrashingFileOps(const base::Root& root, int last_step)
      : RootFileOps(root), root_(root), last_step_(last_step) {}

  bool crashed() const { return steps_ > last_step_; }

  base::Status Write(const std::string& path, std::string_view content) override {
    if (++steps_ < last_step_) return RootFileOps::Write(path, content);
    if (steps_ > last_step_) return Dead();
    const size_t slash = path.rfind('/');
    EXPECT_TRUE(root_.MakeFolder(path.substr(0, slash)));
    EXPECT_TRUE(root_.WriteAtomic(path.substr(0, slash) + "/." + path.substr(slash + 1) + ".tmp",
                                  content.substr(0, content.size() / 2)));
    return Die();
  }
  base::Status RemoveFile(const std::string& path) override {
    if (++steps_ < last_step_) return RootFileOps::RemoveFile(path);
    return steps_ > last_step_ ? Dead() : Die();
  }
  base::Status RemoveFolder(const std::string& path) override {
    if (++steps_ < last_step_) return RootFileOps::RemoveFolder(path);
    if (steps_ > last_step_) return Dead();
    const auto names = List(path);
    for (const std::string& name : *names) EXPECT_TRUE(root_.RemoveFile(path + "/" + name));
    return Die();
  }

 private:
  base::Status Die() {
    ++steps_;
    return Dead();
  }
  static base::Status Dead() { return base::Error{base::ErrorCode::kCancelled, "ended here"}; }

  const base::Root& root_;
  const int last_step_;
  int steps_ = 0;
};

// What a new process makes of the disk.
Slices Restart(const base::Root& root) {
  RootFileOps files(root);
  SliceFiles slice_files(files);
  auto found = slice_files.Load();
  EXPECT_TRUE(found) << found.error().message;
  EXPECT_THAT(found->corrupt, IsEmpty());
  EXPECT_EQ(slice_files.Repair(found->slices, ContentsOf(found->slices)), DiskState());
  return found->slices;
}

// Runs `change` from `before` with a crash at each of its steps; after each the restarted process
// must find `before` or `after`, disk and checkpoints alike.
template <class Change>
void ExpectOldOrNew(const Slices& before, const Slices& after, Change change) {
  const auto disk_of = [](const Slices& slices) {
    const TempFolder folder;
    const base::Root root(folder.path());
    RootFileOps files(root);
    EXPECT_EQ(SliceFiles(files).Repair(slices, ContentsOf(slices)), DiskState());
    return ReadDisk(root);
  };
  const Disk old_disk = disk_of(before);
  const Disk new_disk = disk_of(after);
  bool crashed = true;
  int step = 1;
  for (; crashed; ++step) {
    SCOPED_TRACE("crash at step " + std::to_string(step));
    const TempFolder folder;
    const base::Root root(folder.path());
    RootFileOps files(root);
    ASSERT_EQ(SliceFiles(files).Repair(before, ContentsOf(before)), DiskState());
    CrashingFileOps crashing(root, step);
    SliceFiles slice_files(crashing);
    const base::Status done = change(slice_files);
    crashed = crashing.crashed();
    EXPECT_EQ(done.has_value(), !crashed);
    const Slices found = Restart(root);
    EXPECT_TRUE(found == before || found == after);
    EXPECT_EQ(ReadDisk(root), found == before ? old_disk : new_disk);
    EXPECT_TRUE(crashed || found == after);
    EXPECT_EQ(Restart(root), found) << "a second restart changes nothing";
  }
  EXPECT_GT(step, 2) << "no step was tried";
}

TEST(SliceFiles, CrashWhilePreparingLeavesTheOldOrTheNewState) {
  const Slice other = MakeSlice("a", 3);
  for (const Slice& added : {MakeSlice("b", 4), MakeWhole("b")}) {
    ExpectOldOrNew({{"a", other}}, {{"a", other}, {"b", added}},
                   [&](SliceFiles& files) { return files.Prepare(added, ContentOf(added)); });
  }
}

TEST(SliceFiles, CrashWhileRemovingLeavesTheOldOrTheNewState) {
  const Slice other = MakeSlice("a", 3);
  for (const Slice& removed : {MakeSlice("b", 4), MakeWhole("b")}) {
    ExpectOldOrNew({{"a", other}, {"b", removed}}, {{"a", other}},
                   [&](SliceFiles& files) { return files.Remove(removed); });
  }
}

TEST(SliceFiles, CrashWhileRecordingLeavesTheOldOrTheNewState) {
  const Slice before = MakeSlice("a", 3);
  Slice after = before;
  after.lost_since = "2026-01-02T03:04:05Z";
  after.pod.reset();
  ExpectOldOrNew({{"a", before}}, {{"a", after}},
                 [&](SliceFiles& files) { return files.Record(after); });
}

TEST(SliceFiles, WritesTheSameBytesForContainerAndHost) {
  const TempFolder folder;
  const base::Root root(folder.path());
  RootFileOps files(root);
  const Slice slice = MakeSlice("a", 4);
  ASSERT_TRUE(SliceFiles(files).Prepare(slice, ContentOf(slice)));
  EXPECT_EQ(root.Read("/etc/vdev/vdev4.conf").value(), ContentOf(slice));
  EXPECT_EQ(root.Read("/etc/vdev/slices/a/vdev0.conf").value(), ContentOf(slice));
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(root.Resolve("/etc/vdev/slices/a")).permissions(), perms(0755));
  EXPECT_EQ(std::filesystem::status(root.Resolve("/etc/vdev/slices/a/vdev0.conf")).permissions(),
            perms(0644));
}

TEST(SliceFiles, WritesNothingThatIsThereAlready) {
  const TempFolder folder;
  const base::Root root(folder.path());
  RootFileOps files(root);
  const Slice slice = MakeSlice("a", 4);
  ASSERT_TRUE(SliceFiles(files).Prepare(slice, ContentOf(slice)));
  CrashingFileOps no_writes(root, 1);
  EXPECT_TRUE(SliceFiles(no_writes).Prepare(slice, ContentOf(slice)));
  EXPECT_EQ(SliceFiles(no_writes).Repair({{"a", slice}}, {{"a", ContentOf(slice)}}), DiskState());
  EXPECT_FALSE(no_writes.crashed());
}

TEST(SliceFiles, RemovesTwiceWithoutError) {
  const TempFolder folder;
  const base::Root root(folder.path());
  RootFileOps files(root);
  SliceFiles slice_files(files);
  const Slice slice = MakeSlice("a", 4);
  ASSERT_TRUE(slice_files.Prepare(slice, ContentOf(slice)));
  EXPECT_TRUE(slice_files.Remove(slice));
  EXPECT_TRUE(slice_files.Remove(slice));
  EXPECT_THAT(ReadDisk(root), IsEmpty());
}

TEST(SliceFiles, MendRewritesWrongBytesAndRemovesOnlyWhatIsOurs) {
  const TempFolder folder;
  const base::Root root(folder.path());
  RootFileOps files(root);
  SliceFiles slice_files(files);
  const Slice slice = MakeSlice("a", 4);
  ASSERT_TRUE(slice_files.Prepare(slice, ContentOf(slice)));
  const Disk right = ReadDisk(root);
  for (const char* stranger : {"/etc/vdev/docker.conf", "/etc/vdev/vdev.conf",
                               "/etc/vdev/vdev4.conf.bak", "/etc/vdev/vdevx.conf"}) {
    ASSERT_TRUE(root.WriteAtomic(stranger, "an administrator's"));
  }
  Disk want = ReadDisk(root);
  for (const char* wrong :
       {"/etc/vdev/vdev4.conf", "/etc/vdev/slices/a/vdev0.conf", "/etc/vdev/vdev7.conf",
        "/etc/vdev/.vdev9.conf.tmp", "/etc/vdev/slices/a/.vdev0.conf.tmp",
        "/etc/vdev/slices/a/vdev1.conf", "/var/lib/vdcu/slices/.x.json.tmp"}) {
    ASSERT_TRUE(root.WriteAtomic(wrong, "wrong"));
  }
  ASSERT_TRUE(files.Write("/etc/vdev/slices/unknown/vdev0.conf", "wrong"));
  ASSERT_EQ(slice_files.Repair({{"a", slice}}, {{"a", ContentOf(slice)}}), DiskState());
  EXPECT_EQ(ReadDisk(root), want);
}

TEST(SliceFiles, KeepsTheFilesOfASliceWhoseCardIsAway) {
  const TempFolder folder;
  const base::Root root(folder.path());
  RootFileOps files(root);
  SliceFiles slice_files(files);
  const Slice slice = MakeSlice("a", 4);
  ASSERT_TRUE(slice_files.Prepare(slice, ContentOf(slice)));
  const Disk before = ReadDisk(root);
  ASSERT_EQ(slice_files.Repair({{"a", slice}}, {}), DiskState());
  EXPECT_EQ(ReadDisk(root), before);
}

TEST(SliceFiles, LoadGivesBackWhatWasPrepared) {
  const TempFolder folder;
  const base::Root root(folder.path());
  RootFileOps files(root);
  SliceFiles slice_files(files);
  Slice reserved = MakeSlice("b", 5);
  reserved.pod.reset();
  Slice lost = MakeSlice("c", 6);
  lost.lost_since = "2026-01-02T03:04:05Z";
  const Slices slices{
      {"a", MakeSlice("a", 4)}, {"b", reserved}, {"c", lost}, {"d", MakeWhole("d")}};
  for (const auto& [uid, slice] : slices) {
    ASSERT_TRUE(slice_files.Prepare(slice, ContentOf(slice)));
  }
  const auto found = slice_files.Load();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->slices, slices);
}

TEST(SliceFiles, NamesCorruptCheckpointsAndReadsTheOthers) {
  const TempFolder folder;
  const base::Root root(folder.path());
  RootFileOps files(root);
  SliceFiles slice_files(files);
  ASSERT_TRUE(slice_files.Record(MakeSlice("a", 4)));
  const std::string good = root.Read("/var/lib/vdcu/slices/a.json").value();
  for (const auto& [name, text] :
       std::map<std::string, std::string>{{"cut", good.substr(0, good.size() / 2)},
                                          {"empty", ""},
                                          {"other", good},  // says that it is of "a"
                                          {"list", "[]"},
                                          {"memory", [&] {
                                             std::string text = good;
                                             return text.replace(text.find("2000Mi"), 6, "lots");
                                           }()}}) {
    ASSERT_TRUE(root.WriteAtomic("/var/lib/vdcu/slices/" + name + ".json", text));
  }
  const auto found = slice_files.Load();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->slices.size(), 1u);
  EXPECT_EQ(found->corrupt.size(), 5u);
}

TEST(SliceFiles, RefusesCheckpointsOfANewerVersion) {
  const TempFolder folder;
  const base::Root root(folder.path());
  RootFileOps files(root);
  SliceFiles slice_files(files);
  ASSERT_TRUE(files.Write("/var/lib/vdcu/slices/a.json", R"({"version": 2})"));
  const auto found = slice_files.Load();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, base::ErrorCode::kInvalid);
}

}  // namespace
}  // namespace vdcu::node
