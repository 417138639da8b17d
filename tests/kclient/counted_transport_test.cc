#include "kclient/counted_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/fakes/fake_transport.h"

namespace vdcu::kclient {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CountedTransportTest : public testing::Test {
 protected:
  CallPtr Send(const std::string& method) {
    HttpRequest request;
    request.method = method;
    return counted_.Send(request, [this](const base::Result<HttpResponse>& response) {
      answers_.push_back(response ? response->status : -1);
    });
  }

  fakes::FakeTransport transport_;
  std::vector<std::string> counted_calls_;
  std::vector<int> answers_;
  CountedTransport counted_{
      transport_, [this](std::string_view verb, int status) {
        counted_calls_.push_back(std::string(verb) + " " + std::to_string(status));
      }};
};

TEST_F(CountedTransportTest, TellsHowEachCallHasEnded) {
  const auto get = Send("GET");
  const auto patch = Send("PATCH");
  const auto post = Send("POST");
  const auto watch = counted_.Stream({}, [](std::string_view) {}, [](const auto&) {});
  EXPECT_THAT(counted_calls_, IsEmpty()) << "none has ended";
  transport_.Answer(1, 409);
  transport_.Answer(0, 200);
  transport_.Fail(2, {base::ErrorCode::kUnavailable, "no route"});
  transport_.Answer(3, 410);
  EXPECT_THAT(counted_calls_, ElementsAre("patch 409", "get 200", "post 0", "watch 410"));
  EXPECT_THAT(answers_, ElementsAre(409, 200, -1)) << "and passes each on";
}

TEST_F(CountedTransportTest, OneThatIsCancelledHasNotEnded) {
  {
    const auto call = Send("GET");
  }
  EXPECT_FALSE(transport_.open(0));
  EXPECT_THAT(counted_calls_, IsEmpty());
}

}  // namespace
}  // namespace vdcu::kclient
