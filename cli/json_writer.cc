#include "cli/json_writer.h"

#include <cstddef>

#include "cli/durations.h"

namespace uct::cli {

namespace {

/// Gives     the bytes of the UTF-8 character at the front of `text` (RFC 3629 section 4); 0 when
///           there is none, as file names may hold anything.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return byte(i) >> 6 == 2; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return tail(1) ? 2 : 0;
  if (lead >= 0xe0 && lead < 0xf0) {
    const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = lead == 0xed && byte(1) >= 0xa0;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xf0 && lead < 0xf5) {
    const bool overlong = lead == 0xf0 && byte(1) < 0x90;
    const bool beyond = lead == 0xf4 && byte(1) >= 0x90;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

}  // namespace

void JsonWriter::key(std::string_view key) {
  if (!first_) out_.push_back(',');
  first_ = false;
  out_.push_back('"');
  append(out_, key);
  append(out_, "\":");
}

void JsonWriter::string(std::string_view value) {
  out_.push_back('"');
  while (!value.empty()) {
    const char c = value.front();
    const std::size_t length = utf8_length(value);
    if (c == '"' || c == '\\') {
      out_.push_back('\\');
      out_.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(fmt::appender(out_), "\\u{:04x}", static_cast<unsigned>(c));
    } else if (length == 0) {
      append(out_, "\\ufffd");
    } else {
      append(out_, value.substr(0, length));
    }
    value.remove_prefix(length == 0 ? 1 : length);
  }
  out_.push_back('"');
}

JsonWriter& JsonWriter::begin() {
  out_.push_back('{');
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin(std::string_view key) {
  this->key(key);
  return begin();
}

JsonWriter& JsonWriter::end() {
  out_.push_back('}');
  first_ = false;
  return *this;
}

void JsonWriter::end_line() {
  end();
  out_.push_back('\n');
}

JsonWriter& JsonWriter::field(std::string_view key, std::string_view value) {
  this->key(key);
  string(value);
  return *this;
}

JsonWriter& JsonWriter::seconds(std::string_view key, Duration value) {
  this->key(key);
  append_seconds(out_, value);
  return *this;
}

JsonWriter& JsonWriter::time(std::string_view key, Timestamp value) {
  this->key(key);
  out_.push_back('"');
  append_time(out_, value);
  out_.push_back('"');
  return *this;
}

JsonWriter& JsonWriter::null(std::string_view key) {
  this->key(key);
  append(out_, "null");
  return *this;
}

}  // namespace uct::cli
