#include "crds/decode.h"

#include "crds/pod_group.h"

namespace vdcu::crds {

template <>
base::Result<kclient::Pod> Decode<kclient::Pod>(kclient::JsonView object) {
  return kclient::Pod::FromJson(object,
                                {"vdcu.io/", "hygon.com/", std::string(kKueueSizeAnnotation)});
}

template <>
base::Result<kclient::Namespace> Decode<kclient::Namespace>(kclient::JsonView object) {
  return kclient::Namespace::FromJson(object, {"vdcu.io/"});
}

}  // namespace vdcu::crds
