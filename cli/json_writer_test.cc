#include "cli/json_writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/samples_test.h"

namespace uct::cli::testing {
namespace {

std::string string_field(std::string_view value) {
  return text_of([&](Text& out) { JsonWriter(out).begin().field("k", value).end(); });
}

TEST(JsonWriter, NestsAndSeparates) {
  const std::string text = text_of([](Text& out) {
    JsonWriter json(out);
    json.begin().field("a", 1).begin("b").end().begin("c").field("d", true).null("e").end();
    json.field("f", "g").end_line();
  });
  EXPECT_EQ(text, "{\"a\":1,\"b\":{},\"c\":{\"d\":true,\"e\":null},\"f\":\"g\"}\n");
}

TEST(JsonWriter, EscapesWhatJsonForbids) {
  EXPECT_EQ(string_field("a\"b\\c\n\x01"), "{\"k\":\"a\\\"b\\\\c\\u000a\\u0001\"}");
}

TEST(JsonWriter, EveryByteStringBecomesValidJson) {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::string bytes = {static_cast<char>(first), static_cast<char>(second), '\x80', 'x'};
      ASSERT_TRUE(nlohmann::json::accept(string_field(bytes))) << first << ' ' << second;
    }
  }
}

TEST(JsonWriter, KeepsUtf8) {
  const std::string euro = "\xe2\x82\xac";
  EXPECT_EQ(nlohmann::json::parse(string_field(euro))["k"], euro);
}

TEST(JsonWriter, WritesNumbersWhole) {
  const std::string text = text_of([](Text& out) {
    JsonWriter(out)
        .begin()
        .field("max", ~std::uint64_t{0})
        .field("byte", std::uint8_t{65})
        .seconds("s", Duration(-1'500))
        .end();
  });
  EXPECT_EQ(text, "{\"max\":18446744073709551615,\"byte\":65,\"s\":-1.500}");
}

}  // namespace
}  // namespace uct::cli::testing
