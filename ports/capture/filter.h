/// Capture filter expressions, as tcpdump takes them: "tcp and port 80" (pcap-filter(7)).
///
/// Included by the command line. libpcap compiles the expression; what it becomes depends on the
/// link type, so that a file of several interfaces needs several programs.
/// Threads   one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ports/capture/frame.h"
#include "ports/capture/outcome.h"

namespace uct::capture {

class Filter {
 public:
  /// Takes an expression that at least one common link type can be filtered with; an empty one
  /// matches everything.
  ///
  /// Errors    libpcap's words about the expression, as Ethernet sees it
  /// Cost      names of hosts in the expression are looked up, which may take seconds.
  static Outcome<Filter> compile(const std::string& expression);

  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;
  ~Filter();

  /// Gives     true when the frame is one that the expression describes. False for every frame of a
  ///           link type the expression cannot be compiled for; error() then says so.
  /// Cost      compiles at the first frame of a link type.
  bool matches(const Frame& frame);

  /// Gives     why frames could not be judged, naming the first such link type.
  const std::optional<std::string>& error() const;

 private:
  struct Implementation;
  explicit Filter(std::unique_ptr<Implementation> implementation);

  std::unique_ptr<Implementation> implementation_;
};

}  // namespace uct::capture
