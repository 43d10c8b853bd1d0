#include "ports/capture/gzip.h"

// zlib then takes its input as const.
#define ZLIB_CONST  // NOLINT: zlib chose the name
#include <zlib.h>

#include <algorithm>
#include <new>
#include <string>
#include <utility>

namespace uct::capture {

namespace {

// 15 bits of history, the most that deflate has; 16 more ask zlib for a gzip header.
constexpr int kWindowBits = 15 + 16;

class GzipInput final : public Input {
 public:
  explicit GzipInput(std::unique_ptr<Window> compressed) : compressed_(std::move(compressed)) {
    if (inflateInit2(&stream_, kWindowBits) != Z_OK) throw std::bad_alloc();
  }
  ~GzipInput() override { inflateEnd(&stream_); }
  GzipInput(const GzipInput&) = delete;
  GzipInput& operator=(const GzipInput&) = delete;

  std::size_t read(std::span<std::byte> room) override {
    while (failure_.empty()) {
      if (between_members_ && !next_member()) return 0;
      if (!compressed_->require(1)) {
        ends_early();
        return 0;
      }
      const std::size_t produced = inflate_into(room);
      if (produced != 0) return produced;
    }
    return 0;
  }

  std::uint64_t position() const override { return compressed_->offset(); }
  std::optional<std::uint64_t> size() const override { return compressed_->input().size(); }

 private:
  // zlib gives what it could decompress before it reports an error, and reports it again next time.
  std::size_t inflate_into(std::span<std::byte> room) {
    const std::span<const std::byte> bytes = compressed_->bytes();
    stream_.next_in = reinterpret_cast<const Bytef*>(bytes.data());
    stream_.avail_in = static_cast<uInt>(bytes.size());
    stream_.next_out = reinterpret_cast<Bytef*>(room.data());
    stream_.avail_out = static_cast<uInt>(room.size());
    const int code = inflate(&stream_, Z_NO_FLUSH);
    compressed_->consume(bytes.size() - stream_.avail_in);
    const std::size_t produced = room.size() - stream_.avail_out;
    if (code == Z_STREAM_END) {
      between_members_ = true;
    } else if (code != Z_OK && code != Z_BUF_ERROR && produced == 0) {
      failure_ = "the gzip data is corrupt near compressed byte " + std::to_string(position());
      if (stream_.msg != nullptr) failure_ += std::string(" (") + stream_.msg + ")";
    }
    return produced;
  }

  // Goes on with the member that follows, if one does. Zeros are the padding of tapes (gzip(1)).
  bool next_member() {
    while (compressed_->require(1) && compressed_->bytes().front() == std::byte{0}) {
      compressed_->consume(1);
    }
    compressed_->require(2);
    if (compressed_->bytes().empty()) {
      failure_ = compressed_->input().failure();
      return false;
    }
    if (!is_gzip(compressed_->bytes())) {
      failure_ = "what follows the gzip data at compressed byte " + std::to_string(position()) +
                 " is no gzip data";
      return false;
    }
    between_members_ = false;
    return inflateReset(&stream_) == Z_OK;
  }

  void ends_early() {
    failure_ = compressed_->input().failure();
    if (!failure_.empty()) return;
    failure_ =
        "the gzip data ends early, after " + std::to_string(position()) + " compressed bytes";
  }

  std::unique_ptr<Window> compressed_;
  z_stream stream_{};
  bool between_members_ = false;
};

}  // namespace

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

std::unique_ptr<Input> decompress_gzip(std::unique_ptr<Window> compressed) {
  return std::make_unique<GzipInput>(std::move(compressed));
}

}  // namespace uct::capture
