/// A bounded buffer that slides over an input, so that a record lies in one piece.
///
///        consumed        bytes()                room
///   |................|#################|.................|
///   0              begin_            end_            capacity_
///
/// Included by the file formats and by gzip.h. Memory follows the largest record asked for, never
/// the size of the file or a length that a file merely claims.
/// Threads   one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "ports/capture/input.h"

namespace uct::capture {

/// A quarter to a half of the L2 cache of server cores: a chunk is still there when its packets are
/// parsed. Sizes from 64 KiB to 1 MiB were measured equally fast with the tracker behind, 16 KiB
/// some 10 % slower.
inline constexpr std::size_t kWindowSize = std::size_t{256} << 10;

class Window {
 public:
  explicit Window(std::unique_ptr<Input> input, std::size_t capacity = kWindowSize);

  /// Gives     the bytes read and not consumed. They stay where they are until require() or skip().
  std::span<const std::byte> bytes() const { return {buffer_.get() + begin_, end_ - begin_}; }

  /// Gives     where bytes() starts, counted from the start of the input.
  std::uint64_t offset() const { return offset_; }

  /// Requires  count <= bytes().size()
  void consume(std::size_t count) {
    begin_ += count;
    offset_ += count;
  }

  /// Reads until bytes() holds at least `count`.
  ///
  /// Gives     false when the input ended or failed before; what came is in bytes().
  /// Cost      memory for what came, at most twice `count`.
  bool require(std::size_t count);

  /// Consumes `count` bytes without keeping them.
  ///
  /// Gives     how many there were; fewer than `count` when the input ended or failed.
  std::uint64_t skip(std::uint64_t count);

  const Input& input() const { return *input_; }

 private:
  bool refill();
  void make_room();

  std::unique_ptr<Input> input_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
  bool ended_ = false;  ///< sticky, so that a terminal or a growing file ends once
};

}  // namespace uct::capture
