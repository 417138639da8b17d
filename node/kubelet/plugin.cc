#include "node/kubelet/plugin.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <utility>

#include <deviceplugin.grpc.pb.h>
#include "base/log.h"
#include "base/random.h"
#include "node/kubelet/channel.h"
#include "node/kubelet/unary_call.h"

namespace vdcu::kubelet {

namespace {

constexpr char kKubeletSocket[] = "kubelet.sock";
constexpr char kApiVersion[] = "v1beta1";
constexpr std::string_view kSuffix = ".sock";
constexpr size_t kNumberSize = 9;  // "-0badcafe"
constexpr base::Duration kRegisterTimeout{5'000};
// The kubelet's socket is there a moment before anybody answers.
constexpr base::Duration kFirstRegisterRetry{10};
constexpr base::Duration kLastRegisterRetry{1'000};

bool Exists(const std::string& path) {
  std::error_code code;
  return std::filesystem::exists(path, code);
}

bool Remove(const std::filesystem::path& path) {
  std::error_code code;
  return std::filesystem::remove(path, code);
}

// "vdcu-hygon.com_dcunum.sock" -> "vdcu-hygon.com_dcunum-0badcafe.sock"
std::string WithNumber(std::string endpoint) {
  char number[kNumberSize + 1];
  snprintf(number, sizeof number, "-%08x", static_cast<uint32_t>(base::SystemRandom()() * 0x1p32));
  return endpoint.insert(endpoint.size() - kSuffix.size(), number);
}

}  // namespace

class Plugin::Registration {
 public:
  explicit Registration(Plugin& plugin)
      : stub_(v1beta1::Registration::NewStub(
            ConnectTo(plugin.options_.folder + "/" + kKubeletSocket))) {
    request_.set_version(kApiVersion);
    request_.set_endpoint(plugin.endpoint_);
    request_.set_resource_name(plugin.options_.resource);
    request_.mutable_options()->set_pre_start_required(true);
    request_.mutable_options()->set_get_preferred_allocation_available(true);
    call_ = std::make_unique<UnaryCall<v1beta1::Empty>>(
        plugin.loop_, kRegisterTimeout,
        [this](auto& context, auto& response, auto done) {
          stub_->async()->Register(&context, &request_, &response, std::move(done));
        },
        [&plugin](const grpc::Status& status, const v1beta1::Empty&) {
          if (status.ok()) return plugin.OnAnswer(base::Ok());
          plugin.OnAnswer(base::Error{base::ErrorCode::kUnavailable, status.error_message()});
        });
  }

 private:
  const std::unique_ptr<v1beta1::Registration::Stub> stub_;
  v1beta1::RegisterRequest request_;
  std::unique_ptr<UnaryCall<v1beta1::Empty>> call_;
};

Plugin::Plugin(base::UvLoop& loop, Options options, PluginHandler& handler)
    : loop_(loop),
      options_(std::move(options)),
      handler_(handler),
      endpoint_(EndpointOf(options_.resource)),
      retry_timer_(loop.MakeTimer([this] { Register(); })),
      retry_delay_(kFirstRegisterRetry) {}

Plugin::~Plugin() {
  if (server_) Remove(Path());
}

// "vdcu-hygon.com_dcunum.sock"
std::string Plugin::EndpointOf(std::string_view resource) {
  std::string name(resource);
  std::replace(name.begin(), name.end(), '/', '_');
  return "vdcu-" + name + std::string(kSuffix);
}

std::string Plugin::WithoutNumber(std::string endpoint) {
  if (endpoint.size() < kNumberSize + kSuffix.size() || !endpoint.ends_with(kSuffix)) {
    return endpoint;
  }
  const auto end = endpoint.end() - kSuffix.size();
  const auto dash = end - kNumberSize;
  const auto is_hex = [](unsigned char c) { return std::isxdigit(c) != 0; };
  if (*dash == '-' && std::all_of(dash + 1, end, is_hex)) endpoint.erase(dash, end);
  return endpoint;
}

void Plugin::SetDevices(std::vector<Device> devices) {
  if (has_devices_ && devices == devices_) return;
  devices_ = std::move(devices);
  if (server_) server_->SetDevices(devices_);
  if (!std::exchange(has_devices_, true)) Check();
}

void Plugin::Check() {
  if (!has_devices_) return;
  if (!Exists(options_.folder)) {
    watch_.reset();
    return Fail(base::NotFound(options_.folder +
                               " does not exist: want --kubelet-dir to be the folder with the "
                               "device-plugins of a kubelet that has started, /var/lib/kubelet "
                               "whatever its --root-dir"));
  }
  if (!watch_) {
    auto watch =
        loop_.OnChange(options_.folder, [this](const std::string& name) { OnChange(name); });
    if (!watch) return Fail(watch.error());
    watch_ = std::move(*watch);
  }
  if (!server_ || !Exists(Path())) return Listen();
  if (!registered_ && !registration_ && !retry_timer_->armed()) Register();
}

void Plugin::OnChange(const std::string& name) {
  if (name == endpoint_) {
    if (!Exists(Path())) Listen();
  } else if (name == kKubeletSocket && Exists(options_.folder + "/" + name) && server_) {
    retry_delay_ = kFirstRegisterRetry;
    Register();
  }
}

void Plugin::Listen() {
  registered_ = false;
  registration_.reset();
  server_.reset();  // before the new one: its end removes the socket by name
  RemoveSockets();
  endpoint_ = EndpointOf(options_.resource);
  options_.on_watched();
  auto server = PluginServer::Listen(
      loop_,
      {.socket = Path(), .resource = options_.resource, .on_watched = [this] { OnWatched(); }},
      handler_, devices_);
  if (!server) return Fail(server.error());
  server_ = std::move(*server);
  retry_delay_ = kFirstRegisterRetry;
  Register();
}

void Plugin::Register() {
  retry_timer_->Stop();
  if (!Exists(options_.folder + "/" + kKubeletSocket)) {
    return Fail(base::NotFound(options_.folder + "/" + kKubeletSocket + " is not there yet"));
  }
  if (const base::Status may = options_.may_register(); !may) return RetryLater(may.error());
  if (!Rename()) return Fail(base::NotFound(Path() + " is gone"));  // and soon made anew
  options_.on_registering();
  registration_ = std::make_unique<Registration>(*this);
}

bool Plugin::Rename() {
  const std::string name = WithNumber(EndpointOf(options_.resource));
  std::error_code code;
  std::filesystem::rename(Path(), options_.folder + "/" + name, code);
  if (!code) endpoint_ = name;
  return !code;
}

// Ours, and those of a vdcu-node that was killed.
void Plugin::RemoveSockets() const {
  std::error_code code;
  std::filesystem::directory_iterator file(options_.folder, code);
  for (; !code && file != std::filesystem::directory_iterator(); file.increment(code)) {
    if (WithoutNumber(file->path().filename()) == EndpointOf(options_.resource)) {
      Remove(file->path());
    }
  }
}

void Plugin::OnAnswer(const base::Status& answer) {
  const auto ended = std::move(registration_);  // it is what calls us
  if (!answer) return RetryLater(answer.error());
  registered_ = true;
  problem_.clear();
  base::Log(base::Level::kInfo, "registered with the kubelet",
            {{"resource", options_.resource}, {"devices", std::to_string(devices_.size())}});
  options_.on_registered();
}

// A kubelet that goes on without its watch gives out no device until the next registration.
void Plugin::OnWatched() {
  if (watched()) {
    registered_ = true;
    problem_.clear();
  } else if (registered_) {
    Fail({base::ErrorCode::kUnavailable, "the kubelet has ended its watch of the devices"});
  }
  options_.on_watched();
}

void Plugin::RetryLater(const base::Error& error) {
  retry_timer_->Start(retry_delay_);
  retry_delay_ = std::min(2 * retry_delay_, kLastRegisterRetry);
  Fail(error);
}

void Plugin::Fail(const base::Error& error) {
  registered_ = false;
  if (std::exchange(problem_, error.message) == error.message) return;
  base::Log(base::Level::kWarning, "not registered with the kubelet",
            {{"resource", options_.resource}, {"error", error.message}});
}

}  // namespace vdcu::kubelet
