/// From the fields of statements to what the library takes: Config, Request, Filter, Tuple.
///
/// Threads   none.
#pragma once

#include <string>

#include <uct/tracker.h>

#include "tests/support/scenario.h"

namespace uct::scenario {

Config make_config(const Fields& fields);

/// Changes in `request` what `fields` name.
void change_request(const Fields& fields, const Tracker& tracker, Request& request);

bool same(const Request& a, const Request& b);

/// Gives     the translation that `set nat` describes.
NatSpec make_nat(const Scenario& scenario, Family family, const Fields& fields);

/// Plays a `set` statement. Gives what was wrong; empty when nothing was.
std::string change_setting(const Statement& statement, Tracker& tracker);

/// Gives     the host's address of this family, or the only one that it has.
Address address_of(const Scenario& scenario, const std::string& host, Family family);

Filter make_filter(const Scenario& scenario, Family family, const Fields& fields);

/// Gives     the tuple that a statement with endpoints names.
Tuple make_tuple(const Scenario& scenario, Family family, const Statement& statement);

/// Gives     the IANA number behind the name of a protocol, `detail` for "proto".
std::uint8_t protocol_number(const std::string& protocol, const std::string& detail);

}  // namespace uct::scenario
