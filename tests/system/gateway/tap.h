/// A TAP device: the wire of a network interface of the kernel, in this program's hands.
///
/// What the kernel sends on the interface is read here, and what is written here it receives. The
/// device is made in the network namespace of the program, may be moved to another one, and goes
/// with the object.
/// Relies on wire.h and Linux.
/// Threads   one thread at a time.
#pragma once

#include <string>

#include "wire.h"

namespace uct::gateway {

class Tap {
 public:
  /// Makes the device, or takes one that is there and free. error() says what went wrong.
  explicit Tap(const std::string& name);
  ~Tap();
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  const std::string& error() const { return error_; }
  int descriptor() const { return descriptor_; }

  /// The address of the kernel's end, which is our neighbour.
  const Mac& kernel_mac() const { return kernel_mac_; }

  /// Gives     false when nothing waits.
  bool read(Frame& frame);

  /// Gives     false when the kernel does not take it: its end is down.
  bool write(const Frame& frame);

 private:
  bool set_up(const std::string& name);

  int descriptor_ = -1;
  Mac kernel_mac_{};
  std::string error_;
};

}  // namespace uct::gateway
