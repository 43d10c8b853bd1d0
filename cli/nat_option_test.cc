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
  EXPECT_EQ(show("src 200.1.2.3/1"), "128.0.0.0-255.255.255.255 - 0");
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
  says("scr 1.2.3.4", "'scr' is none of the words of a translation, which are: src, dst");
  says("src 1.2.3.4, persistant", "did you mean 'persistent'?");
  says("src 1.2.3", "'1.2.3' is no address");
  says("src 1.2.3.4/33", "'1.2.3.4/33' is no address");
  says("src 1.2.3.4:0", "'0' is no port");
  says("src 1.2.3.4:9-8", "'9-8' is no port");
  says("src 1.2.3.4:65536", "'65536' is no port");
  says("src 1.2.3.4, src 1.2.3.5", "'src' stands there twice");
  says("src [2001:db8::1]80", "'80' stands where ports would");
  says("src", "'' is no address");
  says("src 1.2.3.4:", "'' is no port");
  says("src 1.2.3.4:80-", "'80-' is no port");
  says("src [2001:db8::1]:", "'' is no port");
  says("src 1.2.3.4,", "'' is none of the words");
  says("src 1.2.3.4,,random", "'' is none of the words");
  says("src 1.2.3.4, random, random", "'random' stands there twice");
  says("src 1.2.3.4, hash, random", "'random' contradicts 'hash'");
  says("src 1.2.3.9-1.2.3.4", "must be of one family, not end before it begins");
  says("src 10.1.2.3/0", "not begin with the address of zeros");
  says("src 1.2.3.4, dst 2001:db8::1", "must be of one family");
  says("src 1.2.3.0-1.2.3.5, prefix", "the range must be one, such as 198.51.100.0/24");
}

TEST(NatOption, ReadsMappings) {
  const auto spec = [](std::string_view text) {
    const ParsedNat parsed = parse_nat(text);
    EXPECT_TRUE(parsed.spec.has_value()) << parsed.error;
    return parsed.spec.value_or(NatSpec{});
  };
  EXPECT_FALSE(spec("src 1.2.3.4").mapping.has_value());
  EXPECT_FALSE(spec("src 1.2.3.4, profile plain").mapping.has_value());
  EXPECT_EQ(spec("src 1.2.3.4, filter address").mapping->filtering,
            NatFiltering::address_dependent);
  EXPECT_TRUE(spec("src 1.2.3.4, endpoint-independent").mapping.has_value());
  EXPECT_EQ(spec("src 1.2.3.0/24, prefix").selection, NatSelection::prefix);
  EXPECT_EQ(spec("src 2001:db8::/48, npt").selection, NatSelection::npt);

  const NatMapping cgn =
      *spec(
           "quota 100, src 1.2.3.4, hold-down 5, inside 10.0.0.0/8, profile cgn, also 1.2.3.6, "
           "exempt 9.9.9.9-9.9.9.10, keep-port, overflow, outbound-refresh")
           .mapping;
  EXPECT_EQ(cgn.blocks->ports_max, 100U) << "the profile comes first, wherever it stands";
  EXPECT_EQ(cgn.blocks->ports, 512U);
  EXPECT_EQ(cgn.hold_down, std::chrono::seconds(5));
  EXPECT_EQ(to_string(cgn.inside[0].last), "10.255.255.255");
  EXPECT_EQ(to_string(cgn.more[0].first), "1.2.3.6");
  EXPECT_EQ(to_string(cgn.exempt[0].last), "9.9.9.10");
  EXPECT_TRUE(cgn.keep_port && cgn.keep_parity && cgn.overflow && !cgn.inbound_refresh);

  EXPECT_EQ(parse_nat("src 1.2.3.4, profile cgn").profile, NatProfile::cgn);
  EXPECT_EQ(parse_nat("dst 1.2.3.4, profile plain").profile, NatProfile::plain);
  EXPECT_EQ(spec("src 1.2.3.4, inside 10.0.0.0/8, inside 10.1.0.0/16").mapping->inside.size(), 2U);
  EXPECT_TRUE(spec("src 2001:db8::1, inside 2001:db8:1::/48").mapping.has_value());

  const NatMapping blocks = *spec("src 1.2.3.4, blocks 64x3").mapping;
  EXPECT_EQ(blocks.blocks->ports, 64U);
  EXPECT_EQ(blocks.blocks->blocks_max, 3U);
  const NatMapping fixed = *spec("src 1.2.3.4, deterministic 256, inside 10.0.0.0/28").mapping;
  EXPECT_TRUE(fixed.blocks->deterministic);
  EXPECT_EQ(fixed.blocks->ports, 256U);
}

TEST(NatOption, SaysWhatIsWrongWithMappings) {
  const auto says = [](std::string_view text, std::string_view what) {
    const std::string all = "src 1.2.3.4, " + std::string(text);
    const ParsedNat parsed = parse_nat(all);
    EXPECT_FALSE(parsed.spec.has_value()) << all;
    EXPECT_NE(parsed.error.find(what), std::string::npos) << parsed.error;
  };
  says("filter adress", "'adress' is no filter (did you mean 'address'?)");
  says("profile isp", "'isp' is no profile, which are: plain, home, cgn");
  says("blocks 512x", "'512x' is no size and number of blocks");
  says("blocks x4", "'x4' is no size and number of blocks");
  says("deterministic 512x4", "'512x4' is no number of ports");
  says("quota many", "'many' is no number of ports");
  says("hold-down 2m", "'2m' is no number of seconds");
  says("inside 10.0.0.0/99", "'10.0.0.0/99' is no address");
  says("keep-port 80", "'keep-port' stands alone, without '80'");
  says("keep-prot", "did you mean 'keep-port'?");
  says("quota 9, quota 10", "'quota' stands there twice");
  says("deterministic 128, blocks 64x2", "'blocks' contradicts 'deterministic'");
  says("deterministic 128", "deterministic blocks need the addresses inside");
  says("blocks 100x2", "a block must have a power of two");
  says("inside 2001:db8::/32", "must be of one family");
  EXPECT_NE(parse_nat("dst 1.2.3.4, profile cgn").error.find("profile cgn needs src"),
            std::string::npos);
  EXPECT_NE(parse_nat("dst 1.2.3.4, keep-port").error.find("needs a source with addresses"),
            std::string::npos);
}

}  // namespace
}  // namespace uct::cli
