"""A case: packets that both worlds get, step by step, and what must be the same afterwards.

A difference that is known has a name in docs/differences.md, and a step that shows it says which
one and how: it fails when the difference is another one, and when there is none any more.
"""
import packets


class Failure(Exception):
    pass


class Case:
    """One set of rules for both, and the functions that send packets through it."""

    def __init__(self, name, play, uct=(), source=(), destination=(),
                 turns_back=False):
        self.name, self.play = name, play
        self.turns_back = turns_back  # what comes from inside goes there again
        self.uct, self.nft_source, self.nft_destination = uct, source, destination


class Play:
    """Runs the steps of one case on both. `known` gathers which differences were seen."""

    def __init__(self, case, worlds, known, log):
        self.case, self.worlds, self.known, self.log = case, worlds, known, log
        self.steps = 0

    def inside(self, what, make, **more):
        self.step("i", what, make, **more)

    def outside(self, what, make, **more):
        self.step("o", what, make, **more)

    def step(self, side, what, make, differs=None, drawn=None, drawn_to=None, passes=None,
             varies=False):
        """Sends a packet, or fragments of one, from `side`; `make` may be a function that gets a
        world and makes it from what this world saw, `world.seen[WHAT]`.

        drawn    (first, last): the source port is no matter, but that it is unique and in there
        drawn_to likewise the destination's, whose tuple may be any
        passes   whether the packet has to come out, where both must
        differs  (name, text): what docs/differences.md and difference() call it
        varies   some kernels do not show this difference
        """
        self.steps += 1
        results = []
        for world in self.worlds:
            group = make(world) if callable(make) else make
            group = [group] if isinstance(group, bytes) else group
            result = world.send(side, group)
            if self.case.turns_back and result.back:
                result = result._replace(out=result.back, back=[])
            if result.out:
                whole = packets.whole(result.out)
                world.seen[what] = whole or result.out[0]
                if drawn or drawn_to:
                    self.name_port(world, what, drawn or drawn_to, 0 if drawn else 1)
                world.tuples.add(packets.read(world.seen[what])[:5])
            results.append(result)
            self.log(f"    {what}: {world.name} {result.state} {result.reason} "
                     f"{[p.hex() for p in result.out]} {[p.hex() for p in result.back]}")
        found = self.difference(*results)
        if differs and (found or not varies):
            self.known.add(differs[0])
            if found != differs[1]:
                raise Failure(f"{what}: the known difference {differs[0]} is '{differs[1]}', "
                              f"found '{found}'")
        elif found:
            raise Failure(f"{what}: {found}{self.bytes_of(results)}")
        if passes is not None and bool(results[1].out) != passes:
            raise Failure(f"{what}: {'not ' * passes}passed by both")

    def name_port(self, world, what, drawn, which):
        """Gives a drawn port its name; `which` is 0 for the source's, 1 for the destination's."""
        end = packets.ends(world.seen[what])[which]
        if not drawn[0] <= end[1] <= drawn[1]:
            raise Failure(f"{what}: {world.name} took port {end[1]}, not of {drawn}")
        tuple_ = packets.read(world.seen[what])[:5]
        if tuple_ in world.tuples:
            raise Failure(f"{what}: {world.name} gave {tuple_} twice")
        world.names[end] = 61000 + self.steps

    def difference(self, linux, uct):
        """In words; empty if there is none."""
        found = []
        if linux.state != uct.state:
            found.append(f"state {linux.state}/{uct.state}")
        if bool(linux.out) != bool(uct.out):
            passed = ["passed" if r.out else "dropped" for r in (linux, uct)]
            found.append(f"{passed[0]}/{passed[1]} {uct.reason}".strip())
        elif linux.out:
            left, right = (packets.whole(r.out) for r in (linux, uct))
            if left is None or right is None:
                found.append(f"fragments lack: {left is None}/{right is None}")
            else:
                left = packets.comparable(left, self.worlds[0].names)
                right = packets.comparable(right, self.worlds[1].names)
                if left != right:
                    found.append("differ in " + packets.differing(left, right))
        if linux.back:
            found.append("the kernel answers")
        return ", ".join(found)

    @staticmethod
    def bytes_of(results):
        return "".join(f"\n      {name} {packet.hex()}" for name, result in
                       zip(("linux", "uct  "), results) for packet in result.out)
