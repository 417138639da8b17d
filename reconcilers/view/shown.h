// What the watches say: takes it in, keeps it packed where it is at rest, and is the only one to
// keep it, so that the informers need no store of their own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "kclient/core/node.h"
#include "kclient/core/pod.h"
#include "kclient/core/quota.h"
#include "reconcilers/view/claims.h"
#include "reconcilers/view/commits.h"
#include "reconcilers/view/dcu_nodes.h"
#include "reconcilers/view/evictions.h"
#include "reconcilers/view/holds.h"
#include "reconcilers/view/namespaces.h"
#include "reconcilers/view/objects.h"
#include "reconcilers/view/overlay.h"
#include "reconcilers/view/volumes.h"

namespace vdcu::reconcilers {

class Shown {
 public:
  template <class T>
  using Ptr = std::shared_ptr<const T>;
  using Visit = std::function<void(std::string_view)>;

  struct Parts {
    const Settings& settings;
    Namespaces& namespaces;
    Volumes& volumes;
    Changes& changes;
    Rooms& rooms;
    Holds& holds;
    Claims& claims;
    Evictions& evictions;
    Commits& commits;
    Objects& objects;
    DcuNodes& dcu_nodes;
    Overlay& overlay;
    kclient::Setbacks<Key>& setbacks;
  };

  explicit Shown(Parts parts) : parts_(parts) {}

  // The state before and the one after; null: not there.
  void Set(const Ptr<kclient::Pod>& before, const Ptr<kclient::Pod>& after, base::TimePoint now);
  void Set(const Ptr<crds::VdcuPartition>& before, const Ptr<crds::VdcuPartition>& after,
           base::TimePoint now);
  void Set(const Ptr<kclient::Node>& before, const Ptr<kclient::Node>& after, base::TimePoint now);
  void Set(const Ptr<crds::DcuNode>& before, const Ptr<crds::DcuNode>& after, base::TimePoint now);
  void Set(const Ptr<kclient::PersistentVolumeClaim>& before,
           const Ptr<kclient::PersistentVolumeClaim>& after, base::TimePoint now);
  void Set(const Ptr<kclient::PersistentVolume>& before,
           const Ptr<kclient::PersistentVolume>& after, base::TimePoint now);
  void Set(const Ptr<kclient::Namespace>& before, const Ptr<kclient::Namespace>& after,
           base::TimePoint now);
  void Set(const Ptr<kclient::ResourceQuota>& before, const Ptr<kclient::ResourceQuota>& after,
           base::TimePoint now);

  // What was shown last, of kinds that are kept here; null: not there.
  template <class T>
  Ptr<T> Get(std::string_view key) const;
  // Also of what only a write of ours says.
  template <class T>
  void ForEachKey(const Visit& visit) const;

 private:
  PodEntry WithShown(const PodEntry* before, const Ptr<kclient::Pod>& pod) const;
  void JudgePromises(const kclient::Pod* before, const kclient::Pod& pod, bool gone);

  const Parts parts_;
};

template <>
Shown::Ptr<kclient::Pod> Shown::Get(std::string_view key) const;
template <>
Shown::Ptr<crds::VdcuPartition> Shown::Get(std::string_view key) const;
template <>
Shown::Ptr<kclient::Node> Shown::Get(std::string_view key) const;
template <>
Shown::Ptr<crds::DcuNode> Shown::Get(std::string_view key) const;
template <>
Shown::Ptr<kclient::PersistentVolumeClaim> Shown::Get(std::string_view key) const;
template <>
Shown::Ptr<kclient::PersistentVolume> Shown::Get(std::string_view key) const;
template <>
Shown::Ptr<kclient::Namespace> Shown::Get(std::string_view key) const;
template <>
void Shown::ForEachKey<kclient::Pod>(const Visit& visit) const;
template <>
void Shown::ForEachKey<crds::VdcuPartition>(const Visit& visit) const;
template <>
void Shown::ForEachKey<kclient::Node>(const Visit& visit) const;
template <>
void Shown::ForEachKey<crds::DcuNode>(const Visit& visit) const;
template <>
void Shown::ForEachKey<kclient::PersistentVolumeClaim>(const Visit& visit) const;
template <>
void Shown::ForEachKey<kclient::PersistentVolume>(const Visit& visit) const;
template <>
void Shown::ForEachKey<kclient::Namespace>(const Visit& visit) const;

}  // namespace vdcu::reconcilers
