#include "ports/capture/format.h"

#include <algorithm>
#include <string_view>

#include "ports/capture/classic.h"
#include "ports/capture/pcapng.h"

namespace uct::capture {

namespace {

struct KnownStart {
  std::string_view bytes;
  const char* advice;
};

// Files that are often taken for captures, by their first bytes.
constexpr KnownStart kKnownStarts[] = {
    {"\x28\xb5\x2f\xfd", "it is compressed with zstd: try zstd -dc FILE and read from \"-\""},
    {"\xfd\x37\x7a\x58", "it is compressed with xz: try xz -dc FILE and read from \"-\""},
    {"BZh", "it is compressed with bzip2: try bzip2 -dc FILE and read from \"-\""},
    {"PK\x03\x04", "it is a zip archive: unpack it first"},
    {"snoop", "it is a Solaris snoop file: try editcap -F pcap FILE OUT"},
    {"GMBU", "it is a Microsoft Network Monitor file: try editcap -F pcap FILE OUT"},
};

ReadError no_capture(std::span<const std::byte> bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string message = "is no capture file: it starts with";
  for (const std::byte byte : bytes.first(std::min<std::size_t>(bytes.size(), 4))) {
    const auto value = std::to_integer<unsigned>(byte);
    message += {' ', digits[value >> 4], digits[value & 15]};
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const KnownStart& known : kKnownStarts) {
    if (text.starts_with(known.bytes)) message += std::string("; ") + known.advice;
  }
  return {message, 0};
}

}  // namespace

void Format::fail_short(const std::string& what, std::uint64_t offset, std::uint64_t wanted,
                        std::uint64_t present) {
  const std::string& failure = window_.input().failure();
  const std::string counted = " claims " + std::to_string(wanted) + " bytes, the file ends after " +
                              std::to_string(present);
  fail(offset, failure.empty() ? what + counted : failure);
}

FormatOutcome detect_format(Window& window) {
  if (!window.require(4)) {
    if (!window.input().failure().empty()) return ReadError{window.input().failure(), 0};
    if (window.bytes().empty()) return ReadError{"is empty", 0};
    return no_capture(window.bytes());
  }
  if (PcapngFormat::starts(window.bytes())) return PcapngFormat::open(window);
  if (ClassicFormat::starts(window.bytes())) return ClassicFormat::open(window);
  window.require(8);  // enough for every known start; a shorter file simply has less
  return no_capture(window.bytes());
}

}  // namespace uct::capture
