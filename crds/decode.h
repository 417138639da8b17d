// Objects from JSON, Kubernetes' own with those of their annotations that mean something to us:
// vdcu.io/* and, of pods, hygon.com/*.
#pragma once

#include "base/result.h"
#include "kclient/core/affinity.h"
#include "kclient/core/json.h"
#include "kclient/core/pod.h"

namespace vdcu::crds {

template <class T>
base::Result<T> Decode(kclient::JsonView object) {
  return T::FromJson(object);
}
template <>
base::Result<kclient::Pod> Decode<kclient::Pod>(kclient::JsonView object);
template <>
base::Result<kclient::Namespace> Decode<kclient::Namespace>(kclient::JsonView object);

}  // namespace vdcu::crds
