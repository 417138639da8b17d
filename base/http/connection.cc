#include "base/http/connection.h"

#include <charconv>
#include <string>
#include <utility>

namespace vdcu::base {

uint64_t ContentLength(MHD_Connection* handle) {
  const char* text =
      MHD_lookup_connection_value(handle, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
  uint64_t length = 0;
  if (text != nullptr) std::from_chars(text, text + std::char_traits<char>::length(text), length);
  return length;
}

MHD_Response* MakeResponse(HttpAnswer answer) {
  auto* body = new std::string(std::move(answer.body));
  MHD_Response* response = MHD_create_response_from_buffer_with_free_callback_cls(
      body->size(), body->data(), [](void* owner) { delete static_cast<std::string*>(owner); },
      body);
  if (response == nullptr) {
    delete body;
    return nullptr;
  }
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.content_type.c_str());
  for (const auto& [name, value] : answer.headers) {
    MHD_add_response_header(response, name.c_str(), value.c_str());
  }
  return response;
}

}  // namespace vdcu::base
