#include "cli/capture_copy.h"

#include <utility>

namespace uct::cli {

bool CaptureCopy::fail(std::string error) {
  if (error_.empty()) error_ = std::move(error);
  return false;
}

bool CaptureCopy::write(const capture::Frame& frame) {
  if (!error_.empty()) return false;
  if (!writer_) {
    dlt_ = frame.dlt;
    auto created = capture::Writer::create(path_, {.dlt = dlt_, .nanoseconds = true});
    if (!created) return fail(created.error() + "; give --write another file");
    writer_.emplace(std::move(created).value());
  }
  if (frame.dlt != dlt_) {
    return fail("packet " + std::to_string(frame.number) +
                " has another link type than those before, and a pcap file has one; choose "
                "packets of one interface with --filter, --from or --to");
  }
  if (!writer_->write(frame.bytes, frame.time, frame.wire_size)) {
    return fail(writer_->error().value_or(path_ + ": cannot be written"));
  }
  ++packets_;
  return true;
}

bool CaptureCopy::close() {
  if (!writer_) return error_.empty();
  if (!writer_->close()) fail(writer_->error().value_or(path_ + ": cannot be written"));
  return error_.empty();
}

}  // namespace uct::cli
