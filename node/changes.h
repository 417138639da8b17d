// What has become other on this node since it was last looked at. Whatever changes a part of the
// node's state notes it here and tells nobody; one pass of the daemon takes the notes, has the keys
// that they concern processed (keys.h) and lets the fronts read the state anew.
//
// Promises: `wake` is called at the first note after a Take, and not again before the next one.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>

namespace vdcu::node {

struct Noted {
  std::set<std::string> partitions = {};  // keys of objects that the watch shows other
  // UIDs of pods of which something has changed: what the API says, that their last process has
  // ended, that the kubelet has lost or found a device of theirs.
  std::set<std::string> pods = {};
  std::set<std::string> released = {};  // UIDs of the pods, "" for none, whose slices are free now
  bool cards = false;
  bool slices = false;   // one more is held, or one less, or what is recorded of one
  bool disk = false;     // what is in the way of our files
  bool tokens = false;   // which device ids containers have
  bool serving = false;  // the kubelet gives out devices, from now on or anew
  bool dcunode = false;  // the object of this node, or the time to write it has come
  bool node = false;

  friend bool operator==(const Noted&, const Noted&) = default;
};

class Changes {
 public:
  explicit Changes(std::function<void()> wake = [] {}) : wake_(std::move(wake)) {}
  Changes(const Changes&) = delete;
  Changes& operator=(const Changes&) = delete;

  void NotePartition(const std::string& key) { Note().partitions.insert(key); }
  void NotePod(const std::string& uid) { Note().pods.insert(uid); }
  void NoteRelease(const std::string& pod_uid) { Note().released.insert(pod_uid); }
  void NoteCards() { Note().cards = true; }
  void NoteSlices() { Note().slices = true; }
  void NoteDisk() { Note().disk = true; }
  void NoteTokens() { Note().tokens = true; }
  void NoteServing() { Note().serving = true; }
  void NoteDcuNode() { Note().dcunode = true; }
  void NoteNode() { Note().node = true; }

  Noted Take() {
    woken_ = false;
    return std::exchange(noted_, {});
  }

 private:
  Noted& Note() {
    if (!std::exchange(woken_, true)) wake_();
    return noted_;
  }

  const std::function<void()> wake_;
  bool woken_ = false;  // since the last Take
  Noted noted_;
};

}  // namespace vdcu::node
