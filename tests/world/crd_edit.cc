#include "tests/world/crd_edit.h"

#include "base/check.h"

namespace vdcu::world {

using nlohmann::json;

namespace {
constexpr char kCrds[] = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/";
constexpr char kByField[] =
    "/apis/vdcu.io/v1alpha1/vdcupartitions?fieldSelector=spec.assignment.node%3Dnobody";
}  // namespace

CrdEdit::CrdEdit(const Api& api, const std::string& name,
                 const std::function<void(json& version)>& edit)
    : api_(api), path_(kCrds + name), before_(api.Call("GET", path_).body) {
  json edited = before_;
  edit(edited["spec"]["versions"][0]);
  Put(std::move(edited));
}

CrdEdit::~CrdEdit() { Put(before_); }

void CrdEdit::Put(json crd) const {
  Api::Answer answer;
  // The API server writes its status meanwhile.
  const bool done = Until([&] {
    crd["metadata"]["resourceVersion"] =
        api_.Call("GET", path_).body["metadata"]["resourceVersion"];
    answer = api_.Call("PUT", path_, crd);
    return answer.code != 409;
  });
  CHECK(done && answer.code == 200, answer.body.dump());
}

json& SpecSchema(json& version) {
  return version["schema"]["openAPIV3Schema"]["properties"]["spec"];
}

WithoutSelectableFields::WithoutSelectableFields(const Api& api)
    : api_(api), edit_(std::make_unique<CrdEdit>(api, "vdcupartitions.vdcu.io", [](json& version) {
        version.erase("selectableFields");
      })) {
  Await(400);
}

WithoutSelectableFields::~WithoutSelectableFields() {
  edit_.reset();
  Await(200);
}

void WithoutSelectableFields::Await(int code) const {
  CHECK(Until([&] { return api_.Call("GET", kByField).code == code; }), "the CRD is not taken up");
}

}  // namespace vdcu::world
