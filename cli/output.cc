#include "cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace uct::cli {

void Output::flush() {
  std::string_view rest = view(text_);
  while (!rest.empty() && !closed_) {
    const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
    if (count >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      closed_ = true;
      if (errno != EPIPE) error_ = std::generic_category().message(errno);
    }
  }
  text_.clear();
}

}  // namespace uct::cli
