#include "nat/prefix.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "nat/address_set.h"

namespace uct {

AddressRange prefix_range(const Address& address, unsigned bits) {
  AddressRange range{address, address};
  for (unsigned byte = 0; byte < core::bytes_of(address.family); ++byte) {
    const unsigned kept = bits > byte * 8 ? std::min(bits - byte * 8, 8U) : 0;
    const auto rest = static_cast<std::uint8_t>(0xff >> kept);
    range.first.bytes[byte] = static_cast<std::uint8_t>(range.first.bytes[byte] & ~rest);
    range.last.bytes[byte] = static_cast<std::uint8_t>(range.last.bytes[byte] | rest);
  }
  return range;
}

}  // namespace uct

namespace uct::core {

namespace {

using Bytes = std::array<std::uint8_t, 16>;

std::size_t size_of(const NatRange& range) { return bytes_of(range.first.family); }

std::uint32_t word_at(const Bytes& bytes, std::size_t word) {
  return std::uint32_t{bytes[2 * word]} << 8 | bytes[2 * word + 1];
}

/// a + b without loss: what is carried out comes in again below (RFC 1071).
std::uint32_t add(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t sum = a + b;
  return (sum & 0xffff) + (sum >> 16);
}

}  // namespace

std::optional<unsigned> prefix_bits(const NatRange& range) {
  unsigned bits = 0;
  bool inside = true;
  for (std::size_t bit = 0; bit < size_of(range) * 8; ++bit) {
    const unsigned mask = 0x80U >> bit % 8;
    const bool first = (range.first.bytes[bit / 8] & mask) != 0;
    const bool last = (range.last.bytes[bit / 8] & mask) != 0;
    if (inside && first == last) {
      ++bits;
      continue;
    }
    inside = false;
    if (first || !last) return std::nullopt;
  }
  return bits;
}

void set_prefix(const NatRange& range, std::uint32_t (&address)[4]) {
  Bytes bytes;
  std::memcpy(bytes.data(), address, sizeof(address));
  for (std::size_t i = 0; i < size_of(range); ++i) {
    // Where the first and last address of a prefix differ, the host's part is.
    const unsigned host = range.first.bytes[i] ^ range.last.bytes[i];
    bytes[i] = static_cast<std::uint8_t>(range.first.bytes[i] | (bytes[i] & host));
  }
  std::memcpy(address, bytes.data(), sizeof(address));
}

bool set_prefix_neutrally(const NatRange& range, std::uint32_t (&address)[4]) {
  constexpr std::size_t kSubnet = 3;  // the word behind a /48, section 3.4
  constexpr std::size_t kWords = 8;
  Bytes before;
  std::memcpy(before.data(), address, sizeof(address));
  std::uint32_t changed[4];
  std::memcpy(changed, address, sizeof(changed));
  set_prefix(range, changed);
  Bytes after;
  std::memcpy(after.data(), changed, sizeof(changed));
  std::size_t word = *prefix_bits(range) <= 48 ? kSubnet : kSubnet + 1;
  if (word > kSubnet) {
    while (word < kWords && word_at(after, word) == 0xffff) ++word;
  }
  if (word == kWords || word_at(after, word) == 0xffff) return false;
  std::uint32_t value = word_at(after, word);
  for (std::size_t i = 0; i <= kSubnet; ++i) {
    if (i == word) continue;
    value = add(value, add(word_at(before, i), 0xffff - word_at(after, i)));
  }
  if (value == 0xffff) value = 0;  // the other zero of ones' complement, section 3.2
  after[2 * word] = static_cast<std::uint8_t>(value >> 8);
  after[2 * word + 1] = static_cast<std::uint8_t>(value);
  std::memcpy(address, after.data(), sizeof(address));
  return true;
}

}  // namespace uct::core
