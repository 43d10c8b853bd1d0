"""The rule table (rules.tsv): which rule decides a packet, and which verdicts it allows."""
import fnmatch
import functools
import pathlib

TABLE = pathlib.Path(__file__).with_name("rules.tsv")
AGAINST_BOTH = ("T16", "E4")
COLUMNS = 7


class RuleError(Exception):
    """A row of the table that cannot be read."""


class Rule:
    """One row of the table."""

    def __init__(self, cells):
        self.name, script, step, ovs, linux, facts, self.ours = cells
        self.script, self.step = script.split(","), step.split(",")
        self.ovs, self.linux = ovs.split(","), linux.split(",")
        self.facts = {}
        for pair in facts.split() if facts != "-" else []:
            name, words = pair.split("=")
            self.facts[name] = words.split(",")

    @property
    def binds(self):
        """Whether it narrows the two references down to one verdict, or names another."""
        return self.ours != "either"

    def fits(self, packet):
        step = packet.step.split(":", 1)[-1]
        return (any_fits(self.ovs, packet.ovs) and any_fits(self.linux, packet.linux)
                and (any_fits(self.script, packet.script_kind)
                     or any_fits(self.script, packet.script))
                and (any_fits(self.step, step) or any_fits(self.step, step.split(".")[0]))
                and all(packet.facts.get(name) in words for name, words in self.facts.items()))

    def allowed(self, packet):
        """The verdicts that satisfy the rule for this packet."""
        words = set()
        for word in self.ours.split(","):
            words |= {"=ovs": {packet.ovs}, "=linux": {packet.linux},
                      "either": {packet.ovs, packet.linux}}.get(word, {word})
        return words - {"-"}


@functools.lru_cache(maxsize=None)
def word_fits(pattern, word):
    return fnmatch.fnmatchcase(word, pattern)


def any_fits(patterns, word):
    return any(word_fits(pattern, word) for pattern in patterns)


def read_rules(path=TABLE):
    rules = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != COLUMNS:
            raise RuleError(f"{path.name}:{number}: {len(cells)} columns, not {COLUMNS}")
        rules.append(Rule(cells))
    return rules


def classify(packets, rules):
    """Yields (packet, class, rule or None): A and B agreed, C differing or decided by a rule."""
    after_rule = set()
    for packet in packets:
        conversation = packet.conversation
        rule = next((rule for rule in rules if decides(rule, packet)), None)
        if rule is not None:
            if packet.is_agreed:
                after_rule.add(conversation)
            yield packet, "C", rule
        else:
            is_clean = packet.facts["clean"] == "yes" and conversation not in after_rule
            yield packet, "A" if is_clean else "B", None


def decides(rule, packet):
    """Agreed packets bind, so only the rules against both references can decide one."""
    return (not packet.is_agreed or rule.name in AGAINST_BOTH) and rule.fits(packet)
