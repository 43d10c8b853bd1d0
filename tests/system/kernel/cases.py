"""All cases, over both families."""
import cases_destination
import cases_errors
import cases_flows
import cases_fragments
import cases_protocols
import cases_rules
from families import FAMILIES

SUBJECTS = (cases_flows, cases_errors, cases_fragments, cases_destination, cases_protocols,
            cases_rules)


def cases():
    return [case for family in FAMILIES for subject in SUBJECTS for case in subject.cases(family)]
