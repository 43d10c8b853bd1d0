#include "tap.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace uct::gateway {

Tap::Tap(const std::string& name) {
  if (!set_up(name)) error_ = name + ": " + std::strerror(errno);
}

Tap::~Tap() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool Tap::set_up(const std::string& name) {
  descriptor_ = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (descriptor_ < 0) return false;
  ifreq request{};
  // No IFF_VNET_HDR and no offload: the kernel cuts segments and completes checksums before we see
  // a frame, and verifies those of what we write.
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(descriptor_, TUNSETIFF, &request) != 0) return false;
  if (::ioctl(descriptor_, TUNSETOFFLOAD, 0UL) != 0) return false;
  if (::ioctl(descriptor_, SIOCGIFHWADDR, &request) != 0) return false;
  std::memcpy(kernel_mac_.data(), request.ifr_hwaddr.sa_data, kernel_mac_.size());
  return true;
}

bool Tap::read(Frame& frame) {
  const ssize_t size = ::read(descriptor_, frame.room.data(), frame.room.size());
  frame.size = static_cast<std::size_t>(std::max<ssize_t>(size, 0));
  return size > 0;
}

bool Tap::write(const Frame& frame) {
  return ::write(descriptor_, frame.room.data(), frame.size) == static_cast<ssize_t>(frame.size);
}

}  // namespace uct::gateway
