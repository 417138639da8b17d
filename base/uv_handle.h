// UvHandle<T>: a libuv handle on the heap that is closed when its owner goes and freed in its close
// callback, as libuv demands (libuv docs, handle.rst: memory may only be released in or after
// close_cb).
#pragma once

#include <uv.h>

namespace vdcu::base {

template <class T>
class UvHandle {
 public:
  explicit UvHandle(void* owner) : handle_(new T) { handle_->data = owner; }
  UvHandle(const UvHandle&) = delete;
  UvHandle& operator=(const UvHandle&) = delete;
  // The callbacks of a closed handle find no owner.
  ~UvHandle() {
    handle_->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle_),
             [](uv_handle_t* closed) { delete reinterpret_cast<T*>(closed); });
  }

  T* get() const { return handle_; }

 private:
  T* handle_;
};

}  // namespace vdcu::base
