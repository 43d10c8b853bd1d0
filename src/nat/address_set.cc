#include "nat/address_set.h"

#include <algorithm>

namespace uct::core {

AddressNumber number_of(const Address& address) {
  AddressNumber number = 0;
  for (unsigned byte = 0; byte < bytes_of(address.family); ++byte) {
    number = number << 8 | address.bytes[byte];
  }
  return number;
}

Address address_of(AddressNumber number, Family family) {
  Address address;
  address.family = family;
  for (unsigned byte = bytes_of(family); byte-- > 0; number >>= 8) {
    address.bytes[byte] = static_cast<std::uint8_t>(number);
  }
  return address;
}

bool is_range(const AddressRange& range) {
  return range.first.family == range.last.family && number_of(range.first) <= number_of(range.last);
}

void AddressSet::add(const AddressRange& range) {
  Span added{number_of(range.first), number_of(range.last)};
  // Those that overlap lie side by side, and become one with what is added.
  const auto begin = std::partition_point(
      spans_.begin(), spans_.end(), [&](const Span& span) { return span.last < added.first; });
  const auto end = std::partition_point(begin, spans_.end(),
                                        [&](const Span& span) { return span.first <= added.last; });
  if (begin != end) {
    added.first = std::min(added.first, begin->first);
    added.last = std::max(added.last, std::prev(end)->last);
  }
  spans_.insert(spans_.erase(begin, end), added);
}

bool AddressSet::contains(const Address& address) const {
  if (address.family != family_) return false;
  const AddressNumber number = number_of(address);
  const auto span = std::partition_point(spans_.begin(), spans_.end(),
                                         [&](const Span& at) { return at.last < number; });
  return span != spans_.end() && span->first <= number;
}

}  // namespace uct::core
