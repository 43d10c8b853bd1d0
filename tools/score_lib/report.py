"""Counts scored packets and prints the tables: per file, totals, wrong groups, rules."""
import collections
import json

CLASSES = "ABC"
PASS_PERCENT = {"A": 100, "B": 99, "C": 100}
EXAMPLES = 3
NOT_PRINTED = "(none)"


class Result:
    """One scored packet with our verdict on it."""
    __slots__ = ("packet", "ours", "letter", "rule", "matches", "is_ok", "forced_by")

    def __init__(self, packet, ours, letter, rule):
        self.packet, self.ours, self.letter, self.rule = packet, ours or NOT_PRINTED, letter, rule
        self.matches = [name for name in ("ovs", "linux") if getattr(packet, name) == self.ours]
        self.is_ok = self.ours in (rule.allowed(packet) if rule else (packet.ovs,))
        self.forced_by = None  # the rule that made our connection another one: mark_forced()

    @property
    def how(self):
        """What a C verdict equals: ovs, linux, only the rule, against-rule or nothing."""
        if not self.is_ok:
            return "against-rule" if self.matches else "nothing"
        return self.matches[0] if self.matches else "rule"

    @property
    def group(self):
        packet = self.packet
        rule = self.rule.name if self.rule else "-"
        return (self.letter, rule, packet.script_kind, packet.step_without_suffix, packet.ovs,
                packet.linux, self.ours)


REOPENING, AGAINST_REFERENCES = "T27-28", "T16"


def mark_forced(results):
    """Notes the packets that cannot be the references' because a rule parted the connections.

    T27-28: a SYN opened a new connection where a reference goes on with the old one; from there on
    ours has another beginning, often the other direction, and T19 refuses what belongs to the old.
    T16: our connection survived a reset that both references took for real.
    A packet of class C that is so forced passes if it is a reference's word with the direction
    turned, or refused; one of class B stays wrong, and is counted apart.
    """
    parted = {}
    for result in results:
        packet = result.packet
        is_syn = packet.facts.get("flags") == "S" and packet.facts.get("first") != "yes"
        cause = parted.get(packet.conversation)
        if cause and not result.is_ok:
            result.forced_by = cause
            if result.letter == "C" and cause == REOPENING:
                result.is_ok = result.ours in {"inv", turned(packet.ovs), turned(packet.linux)}
        if is_syn and result.ours == "new" and {packet.ovs, packet.linux} != {"new"}:
            parted[packet.conversation] = REOPENING
        elif result.rule and result.rule.name == AGAINST_REFERENCES and result.is_ok:
            parted[packet.conversation] = AGAINST_REFERENCES


def turned(word):
    """The same verdict for the other direction."""
    return word.removesuffix("|rpl") if word.endswith("|rpl") else word + "|rpl"


class FileScore:
    """The results of one capture, and how running uct on it went."""

    def __init__(self, name, results, failure="", note=""):
        self.name, self.results, self.failure, self.note = name, results, failure, note


def count(results):
    """{class: [ok, all]}"""
    counts = {letter: [0, 0] for letter in CLASSES}
    for result in results:
        counts[result.letter][0] += result.is_ok
        counts[result.letter][1] += 1
    return counts


def forced(results):
    """How many packets of class B a rule keeps from being the references'."""
    return sum(result.letter == "B" and not result.is_ok and result.forced_by is not None
               for result in results)


def has_passed(scores):
    results = [result for score in scores for result in score.results]
    counts = count(results)
    counts["B"][0] += forced(results)
    reached = all(ok * 100 >= PASS_PERCENT[letter] * total
                  for letter, (ok, total) in counts.items())
    return reached and not any(score.failure for score in scores)


def grouped(results):
    """[(group, [result, ...])], the largest first."""
    groups = collections.defaultdict(list)
    for result in results:
        groups[result.group].append(result)
    return sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))


def text(scores, show):
    results = [result for score in scores for result in score.results]
    lines = [file_table(scores), ""]
    wrong = grouped(result for result in results if not result.is_ok)
    lines += group_table("Wrong", wrong, show)
    passed = grouped(result for result in results if result.is_ok and result.letter == "C")
    lines += group_table("Differences that pass", passed, show)
    lines += rule_table(results)
    unlabelled = [score for score in scores if not score.results and not score.failure]
    if unlabelled:
        lines.append(f"run only, nothing to score: {len(unlabelled)} captures")
    for score in scores:
        if score.failure:
            lines.append(f"failed: {score.name}: {score.failure}")
        elif score.note:
            lines.append(f"note: {score.name}: {score.note}")
    lines.append(last_line(results))
    return "\n".join(lines)


def last_line(results):
    counts = count(results)
    words = " ".join(f"{letter} {ok}/{total}" for letter, (ok, total) in counts.items())
    return f"score: {words} (of B {forced(results)} forced apart by T16 or T27-28)"


FILE_ROW = "{:40} {:>12} {:>12} {:>12} {:>6} {:>6} {:>5} {:>8} {:>8}"


def file_table(scores):
    titles = ("file", "A ok/all", "B ok/all", "C ok/all", "=ovs", "=linux", "rule",
              "against", "nothing")
    lines = [FILE_ROW.format(*titles)]
    for score in scores:
        if score.results:
            lines.append(file_row(score.name, score.results))
    lines.append(file_row("total", [result for score in scores for result in score.results]))
    return "\n".join(lines)


def file_row(name, results):
    counts = count(results)
    how = collections.Counter(result.how for result in results if result.letter == "C")
    fractions = [f"{ok}/{total}" for ok, total in counts.values()]
    kinds = [how[kind] for kind in ("ovs", "linux", "rule", "against-rule", "nothing")]
    return FILE_ROW.format(name[:40], *fractions, *kinds)


GROUP_ROW = "{:>6} {:1} {:7} {:26.26} {:34.34} {:9} {:9} {:9} {}"


def group_table(title, groups, show):
    total = sum(len(results) for _, results in groups)
    lines = [f"{title}: {total} packets in {len(groups)} classes"]
    if groups:
        lines.append(GROUP_ROW.format("count", "", "rule", "script", "step", "ovs", "linux", "ours",
                                      "for example"))
    shown = groups[:show] if show else groups
    for (letter, rule, *names), results in shown:
        lines.append(GROUP_ROW.format(len(results), letter, rule, *names, examples_of(results)))
    if len(shown) < len(groups):
        lines.append(f"       and {len(groups) - len(shown)} more classes (--show 0 shows all)")
    return lines + [""]


def examples_of(results):
    """Where to look: file:packet,packet file:packet."""
    numbers = collections.defaultdict(list)
    for result in results[:EXAMPLES]:
        numbers[result.packet.file].append(str(result.packet.number))
    return " ".join(f"{file}:{','.join(packets)}" for file, packets in numbers.items())


def rule_table(results):
    """How often each rule decided, and how often ours matched a reference but not the rule."""
    by_rule = collections.defaultdict(collections.Counter)
    for result in results:
        if result.rule:
            by_rule[result.rule.name][result.how] += 1
    lines = ["Rules: packets decided, of them against the rule, equal to nothing"]
    for name, how in sorted(by_rule.items()):
        total = sum(how.values())
        lines.append(f"  {name:8} {total:6} {how['against-rule']:6} {how['nothing']:6}")
    return lines + [""]


def listing(scores, wanted):
    """Every packet of a class (A, B, C: the wrong ones), of a rule, or 'against-rule'."""
    lines = []
    for score in scores:
        for result in score.results:
            if is_wanted(result, wanted):
                lines.append("\t".join(packet_cells(result)))
    return "\n".join(lines)


def is_wanted(result, wanted):
    if wanted in CLASSES:
        return result.letter == wanted and not result.is_ok
    if wanted == "against-rule":
        return result.letter == "C" and result.how == wanted
    packet = result.packet
    return wanted in (result.rule.name if result.rule else "", packet.step, packet.script,
                      packet.step_without_suffix.split(":")[-1], packet.script_kind)


def packet_cells(result):
    packet = result.packet
    return (packet.file, str(packet.number), result.letter,
            result.rule.name if result.rule else "-", packet.script, packet.step,
            "ovs " + packet.ovs, "linux " + packet.linux, "ours " + result.ours,
            "ok" if result.is_ok else "wrong")


def as_json(scores):
    results = [result for score in scores for result in score.results]
    document = {
        "version": 1,
        "passed": has_passed(scores),
        "total": json_counts(results),
        "files": [{"name": score.name, "failure": score.failure, "note": score.note,
                   **json_counts(score.results)} for score in scores],
        "classes": [{"class": group[0], "rule": group[1], "script": group[2], "step": group[3],
                     "ovs": group[4], "linux": group[5], "ours": group[6],
                     "is_ok": members[0].is_ok, "count": len(members),
                     "examples": [f"{member.packet.file}:{member.packet.number}"
                                  for member in members[:EXAMPLES]]}
                    for group, members in grouped(result for result in results
                                                  if result.letter == "C" or not result.is_ok)],
    }
    return json.dumps(document, indent=1)


def json_counts(results):
    return {letter: {"ok": ok, "all": total} for letter, (ok, total) in count(results).items()}
