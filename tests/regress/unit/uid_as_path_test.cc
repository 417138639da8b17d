// metadata.uid was taken as it came, and became a part of paths that the daemon, as root, writes
// and removes. A UID is letters, digits and "-"; an object with another one is unreadable.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crds/dcunode.h"
#include "crds/vdcupartition.h"
#include "kclient/core/pod.h"
#include "kclient/core/uid.h"
#include "tests/crds/json.h"

namespace vdcu {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string kBad[] = {"../../../etc",         "a/b", ".", "..", "a.b", std::string(65, 'a'),
                            std::string("a\0b", 3), "a b", "ü", "a\n"};

template <class T>
void ExpectUnreadable(const json& object, const std::string& field) {
  const auto parsed = crds::Parse<T>(object);
  ASSERT_FALSE(parsed) << object.dump(-1, ' ', true);
  EXPECT_THAT(parsed.error().message, HasSubstr(field));
}

TEST(UidAsPath, OnlyLettersDigitsAndDashesAreAUid) {
  EXPECT_TRUE(kclient::IsUid("7a2c1f5e-5a54-4b0e-8d1e-0a4f3a4f8f00"));
  EXPECT_TRUE(kclient::IsUid(std::string(64, 'Z')));
  EXPECT_FALSE(kclient::IsUid(""));
  for (const std::string& uid : kBad) EXPECT_FALSE(kclient::IsUid(uid)) << uid;
}

TEST(UidAsPath, AnObjectOfAnotherUidIsUnreadable) {
  for (const std::string& uid : kBad) {
    const json meta{{"name", "x"}, {"namespace", "ns"}, {"uid", uid}};
    ExpectUnreadable<kclient::Pod>({{"metadata", meta}, {"spec", json::object()}}, "metadata.uid");
    ExpectUnreadable<crds::VdcuPartition>({{"metadata", meta}, {"spec", json::object()}},
                                          "metadata.uid");
  }
}

TEST(UidAsPath, NorMayAnotherObjectBeNamedByOne) {
  const json meta{{"name", "x"}, {"namespace", "ns"}, {"uid", "u"}};
  for (const std::string& uid : kBad) {
    const json ref{{"name", "p"}, {"uid", uid}, {"container", "c"}};
    ExpectUnreadable<crds::VdcuPartition>({{"metadata", meta}, {"spec", {{"podRef", ref}}}},
                                          "spec.podRef.uid");
    ExpectUnreadable<crds::VdcuPartition>({{"metadata", meta}, {"status", {{"usedBy", ref}}}},
                                          "status.usedBy.uid");
    const json held{{"partitionUID", uid}, {"podUID", uid}};
    ExpectUnreadable<crds::DcuNode>(
        {{"metadata", meta}, {"status", {{"held", json::array({held})}}}}, "partitionUID");
  }
}

}  // namespace
}  // namespace vdcu
