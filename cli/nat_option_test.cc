#include "cli/nat_option.h"

#include <gtest/gtest.h>

namespace uct::cli {
namespace {

std::string show(const std::optional<NatRange>& range) {
  if (!range) return "-";
  std::string text = to_string(range->first) + "-" + to_string(range->last);
  if (range->has_ports()) {
    text += ":" + std::to_string(range->port_first) + "-" + std::to_string(range->port_last);
  }
  return text;
}

std::string show(std::string_view text) {
  const ParsedNat parsed = parse_nat(text);
  if (!parsed.spec) return parsed.error;
  return show(parsed.spec->source) + " " + show(parsed.spec->destination) + " " +
         std::to_string(static_cast<int>(parsed.spec->selection));
}

TEST(NatOption, ReadsBothSidesAndSelections) {
  EXPECT_EQ(show("src 198.51.100.7"), "198.51.100.7-198.51.100.7 - 0");
  EXPECT_EQ(show("src 198.51.100.0/28:1024-65535"), "198.51.100.0-198.51.100.15:1024-65535 - 0");
  EXPECT_EQ(show("dst 192.0.2.1-192.0.2.9:80"), "- 192.0.2.1-192.0.2.9:80-80 0");
  EXPECT_EQ(show("src any:7-9, dst 192.0.2.1, random"),
            "0.0.0.0-0.0.0.0:7-9 192.0.2.1-192.0.2.1 2");
  EXPECT_EQ(show(" dst 2001:db8::5 ,persistent"), "- 2001:db8::5-2001:db8::5 1");
  EXPECT_EQ(show("src [2001:db8::/120]:7"), "2001:db8::-2001:db8::ff:7-7 - 0");
  EXPECT_EQ(show("src 10.1.2.3/0"), "0.0.0.0-255.255.255.255 - 0");
}

TEST(NatOption, SaysWhatIsWrong) {
  const auto says = [](std::string_view text, std::string_view what) {
    const ParsedNat parsed = parse_nat(text);
    EXPECT_FALSE(parsed.spec.has_value()) << text;
    EXPECT_NE(parsed.error.find(what), std::string::npos) << parsed.error;
    EXPECT_NE(parsed.error.find("write for example"), std::string::npos) << parsed.error;
  };
  says("", "neither src nor dst");
  says("random", "neither src nor dst");
  says("scr 1.2.3.4", "'scr' is neither a side nor a selection");
  says("src 1.2.3.4, persistant", "did you mean 'persistent'?");
  says("src 1.2.3", "'1.2.3' is no address");
  says("src 1.2.3.4/33", "'1.2.3.4/33' is no address");
  says("src 1.2.3.4:0", "'0' is no port");
  says("src 1.2.3.4:9-8", "'9-8' is no port");
  says("src 1.2.3.4:65536", "'65536' is no port");
  says("src 1.2.3.4, src 1.2.3.5", "'src' stands there twice");
  says("src [2001:db8::1]80", "'80' stands where ports would");
  says("src", "'' is no address");
}

}  // namespace
}  // namespace uct::cli
