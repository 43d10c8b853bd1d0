#include "ports/capture/reader.h"

#include <algorithm>
#include <utility>

#include "ports/capture/format.h"
#include "ports/capture/gzip.h"
#include "ports/capture/input.h"
#include "ports/capture/window.h"

namespace uct::capture {

namespace {

// A small file needs no full window; below a page nothing is saved.
constexpr std::uint64_t kSmallestWindow = 4096;

}  // namespace

struct Reader::Implementation {
  Implementation(std::string file, std::unique_ptr<Window> bytes)
      : name(std::move(file)), window(std::move(bytes)) {}

  // Adds what only the reader knows to a format's words.
  ReadError complete(const ReadError& bare) const {
    return {name + ": byte " + std::to_string(bare.offset) + ": " + bare.message, bare.offset};
  }

  std::string name;
  std::unique_ptr<Window> window;
  std::unique_ptr<Format> format;  ///< reads from `window`
  std::optional<ReadError> error;  ///< set once the last frame before it was given
};

Reader::Reader(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

Outcome<Reader, ReadError> Reader::open(const std::string& path) {
  const std::string name = path == "-" ? "standard input" : path;
  auto input = open_input(path);
  if (!input) return ReadError{name + ": " + input.error(), 0};
  return start(name, std::move(input).value());
}

Outcome<Reader, ReadError> Reader::from_memory(std::span<const std::byte> bytes,
                                               std::size_t piece) {
  return start("memory", input_from_memory(bytes, piece));
}

Outcome<Reader, ReadError> Reader::start(std::string name, std::unique_ptr<Input> input) {
  const std::uint64_t expected = input->size().value_or(kWindowSize);
  const auto capacity = std::clamp<std::uint64_t>(expected, kSmallestWindow, kWindowSize);
  auto window = std::make_unique<Window>(std::move(input), capacity);
  window->require(2);
  if (is_gzip(window->bytes())) {
    window = std::make_unique<Window>(decompress_gzip(std::move(window)));
  }
  auto implementation = std::make_unique<Implementation>(std::move(name), std::move(window));
  auto format = detect_format(*implementation->window);
  if (!format) {
    // The file as a whole is meant, so the message names no byte of it.
    return ReadError{implementation->name + ": " + format.error().message, format.error().offset};
  }
  implementation->format = std::move(format).value();
  return Reader(std::move(implementation));
}

std::size_t Reader::next_burst(std::span<Frame> frames) {
  Implementation& self = *implementation_;
  if (self.error || frames.empty()) return 0;
  const std::size_t count = self.format->next_burst(frames);
  if (count == 0 && self.format->error()) self.error = self.complete(*self.format->error());
  return count;
}

const std::optional<ReadError>& Reader::error() const { return implementation_->error; }

std::uint64_t Reader::bytes_read() const { return implementation_->window->input().position(); }

std::optional<std::uint64_t> Reader::size() const {
  return implementation_->window->input().size();
}

}  // namespace uct::capture
