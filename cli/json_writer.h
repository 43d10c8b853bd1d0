/// Writes JSON as it comes, without holding a document: a dump may be millions of lines.
///
/// Included by what prints JSON lines. docs/json.md lists the keys.
/// Threads   one thread at a time.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include <uct/time.h>

#include "cli/output.h"

namespace uct::cli {

class JsonWriter {
 public:
  /// Requires  `out` outlives the writer.
  explicit JsonWriter(Text& out) : out_(out) {}

  /// Opens the object of a line, or one inside another under `key`.
  JsonWriter& begin();
  JsonWriter& begin(std::string_view key);
  JsonWriter& end();

  /// Ends the line's object.
  void end_line();

  JsonWriter& field(std::string_view key, std::string_view value);
  JsonWriter& field(std::string_view key, const char* value) {
    return field(key, std::string_view(value));
  }
  JsonWriter& field(std::string_view key, std::same_as<bool> auto value) {
    this->key(key);
    append(out_, value ? "true" : "false");
    return *this;
  }
  template <std::integral Number>
  requires(!std::same_as<Number, bool>) JsonWriter& field(std::string_view key, Number value) {
    this->key(key);
    append(out_, fmt::to_string(value));
    return *this;
  }
  JsonWriter& seconds(std::string_view key, Duration value);  ///< a number with three decimals
  JsonWriter& time(std::string_view key, Timestamp value);    ///< RFC 3339, UTC, milliseconds
  JsonWriter& null(std::string_view key);

 private:
  void key(std::string_view key);
  void string(std::string_view value);

  Text& out_;
  bool first_ = true;  ///< nothing stands in the innermost object yet
};

}  // namespace uct::cli
