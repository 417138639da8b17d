// A CRD as an older Kubernetes would have it, for one test: without rules, without what that does
// not know.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/world/api.h"

namespace vdcu::world {

class CrdEdit {
 public:
  // `name` as in "vdcupartitions.vdcu.io". The API server takes it up a moment after; what was
  // there before is put back by the destructor.
  CrdEdit(const Api& api, const std::string& name,
          const std::function<void(nlohmann::json& version)>& edit);
  ~CrdEdit();
  CrdEdit(const CrdEdit&) = delete;
  CrdEdit& operator=(const CrdEdit&) = delete;

 private:
  void Put(nlohmann::json crd) const;

  const Api& api_;
  const std::string path_;
  const nlohmann::json before_;
};

// The schema of "spec", of a CRD's version.
nlohmann::json& SpecSchema(nlohmann::json& version);

// VDCUPartitions cannot be selected by their node (Kubernetes before 1.31: HTTP 400).
class WithoutSelectableFields {
 public:
  explicit WithoutSelectableFields(const Api& api);
  ~WithoutSelectableFields();

 private:
  void Await(int code) const;

  const Api& api_;
  std::unique_ptr<CrdEdit> edit_;
};

}  // namespace vdcu::world
