"""One application's lines and payments: who belongs to whom, and what is to be done about it.

A pure function of facts. What fits together by receipt number, or by what a person said, is joined
at once. What fits only by amount and date is joined when no other payment of those days can come
any more; and only when every way of joining comes to the same. Anything else waits for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from services.payment.settlement.facts import (
    Account,
    Class,
    Contradict,
    Dispute,
    Effect,
    Hold,
    Line,
    LineId,
    Money,
    Place,
    Record,
    Release,
    Reverse,
    Rules,
    Settle,
    Verdict,
)
from services.payment.settlement.pairing import Pair, netted, told_twice

DAYS_APART = 1


def line_key(line: LineId) -> str:
    """Return the request id of a payment that only a file told of."""
    return f"{line.settlement_id}:{line.line}"


def reconcile(account: Account, rules: Mapping[str, Rules]) -> Verdict:
    """Return the class of every line and payment, and what is to be done. Partners never mix."""
    lines: dict[LineId, Place] = {}
    moneys: dict[str, Class] = {}
    effects: list[Effect] = []
    partners = {one.partner for one in account.lines} | {one.partner for one in account.moneys}
    for partner in sorted(partners):
        desk = _Desk(account, partner, rules[partner])
        desk.work()
        lines |= desk.places
        moneys |= desk.classes
        effects += desk.effects
    return Verdict(lines, moneys, effects)


def class_of(money: Money) -> Class:
    """Return the class of a payment whose money arrived."""
    if money.reversed:
        return Class.REVERSED
    if money.pays:
        return Class.MATCHED if money.reported else Class.SETTLED_NO_CALLBACK
    if money.late:
        return Class.LATE
    # A second payment with a wrong amount has the wrong amount whichever of the two came first.
    return Class.AMOUNT_DIFF if money.amount != money.billed else Class.DUPLICATE


class _Desk:
    """One partner's lines and payments of one application."""

    def __init__(self, account: Account, partner: str, rules: Rules) -> None:
        self._account = account
        self._rules = rules
        self._lines = [one for one in account.lines if one.partner == partner]
        moneys = [one for one in account.moneys if one.partner == partner]
        self._moneys = sorted(moneys, key=lambda one: (one.paid_on, one.name, one.id))
        self._joined: dict[LineId, Money] = {}
        self._line_of: dict[str, Line] = {}
        # Lines and payments of which nobody can say who belongs to whom.
        self._unclear: set[LineId | str] = set()
        self._early: set[LineId] = set()
        self.places: dict[LineId, Place] = {}
        self.classes: dict[str, Class] = {}
        self.effects: list[Effect] = []

    def work(self) -> None:
        """Join, net, and place everything."""
        for line_id in self._repeated():
            self.places[line_id] = Place(Class.PENDING, why="told-twice")
        for line in self._lines:
            if line.explained:
                self.places[line.id] = Place(Class.EXPLAINED)
        lines = [one for one in self._lines if one.id not in self.places]
        credits = [one for one in lines if one.amount > 0 and not (one.reverses or one.in_suspense)]
        self._join_named(credits)
        self._join_by_amount(credits)
        net = netted(lines)
        for line in net.undone:
            self.places[line.id] = Place(Class.REVERSED)
        for pair in net.pairs:
            self._taken_back(pair)
        for debit in net.lonely:
            self._lonely(debit)
        for credit in net.credits:
            self._stands(credit)
        for money in self._moneys:
            self.classes[money.id] = self._class(money)

    def _repeated(self) -> set[LineId]:
        if not self._rules.shared:
            return set()
        settled = {one.settled for one in self._moneys if one.settled is not None}
        return told_twice(self._lines, settled)

    def _join(self, line: Line, money: Money) -> None:
        self._joined[line.id] = money
        self._line_of[money.id] = line

    def _free(self) -> list[Money]:
        return [one for one in self._moneys if one.id not in self._line_of]

    def _join_named(self, credits: Iterable[Line]) -> None:
        """Join what facts, people and receipt numbers say belongs together, in this order."""
        for line in credits:
            for money in self._free():
                if money.settled == line.id or money.request_id == line_key(line.id):
                    self._join(line, money)
                    break
        for said in (_by_hand, _by_reference):
            for line in credits:
                if line.id in self._joined or (said is _by_reference and not self._rules.shared):
                    continue
                named = [m for m in self._free() if m.settled is None and said(line, m)]
                if named:
                    self._join(line, named[0])

    def _join_by_amount(self, credits: Iterable[Line]) -> None:
        """Join what has the same amount and nearly the same day, where that is no guess."""
        lines = [one for one in credits if one.id not in self._joined and one.matched is None]
        free = [one for one in self._free() if one.settled is None and one.reported]
        for some, fitting in _clusters(lines, free, self._may_join):
            if not all(self._rules.closed(line.value_on) for line in some):
                # Another payment that fits as well may still be told of.
                self._early.update(line.id for line in some)
            elif len(fitting) <= len(some):
                # Equal moneys of one account: whichever way, each payment has its line.
                for money in fitting:
                    line = next((one for one in some if self._near(one, money)), None)
                    if line is not None:
                        some.remove(line)
                        self._join(line, money)
            else:
                self._unclear.update(line.id for line in some)
                self._unclear.update(money.id for money in fitting)

    def _may_join(self, line: Line, money: Money) -> bool:
        # Two receipt numbers that differ are two moneys, where the numbers are the same kind.
        both = self._rules.shared and line.reference and money.reference
        return line.amount == money.amount and self._near(line, money) and not both

    def _near(self, line: Line, money: Money) -> bool:
        return abs((line.value_on - money.paid_on).days) <= DAYS_APART

    def _taken_back(self, pair: Pair) -> None:
        credit, debit = pair
        money = self._joined.get(credit.id)
        for line in pair:
            self.places[line.id] = Place(Class.REVERSED, money.id if money else "")
        if credit.held:
            self.effects.append(Release(credit, debit))
        elif credit.aside:
            # It was taken back before its money was held: nothing is left to be done.
            return
        elif (money is None and credit.reference) or (money is not None and not money.reversed):
            self._reverse(debit, credit, money)

    def _lonely(self, debit: Line) -> None:
        """Place a debit whose credit is in no file: the payment it names may be known anyway."""
        money = next((m for m in self._moneys if m.known_as(debit.takes_back)), None)
        if money is None:
            why = "match-not-found" if debit.matched else "no-original"
            self.places[debit.id] = Place(Class.PENDING, why=why)
            return
        if money.amount != -debit.amount:
            self.places[debit.id] = Place(Class.PENDING, why="other-amount")
            return
        self.places[debit.id] = Place(Class.REVERSED, money.id)
        if not money.reversed:
            self._reverse(debit, None, money)

    def _reverse(self, debit: Line, credit: Line | None, money: Money | None) -> None:
        application = self._account.application_id
        self.effects.append(Reverse(application, debit, credit, money))

    def _stands(self, line: Line) -> None:
        """Place a credit that nobody took back."""
        money = self._joined.get(line.id)
        if money is None:
            self.places[line.id] = self._alone(line)
        elif money.amount != line.amount:
            self.places[line.id] = Place(Class.AMOUNT_DIFF, money.id, "reported-otherwise")
            if not money.contradicted:
                self.effects.append(Contradict(money, line))
        else:
            self.places[line.id] = Place(class_of(money), money.id)
            if money.settled is None and not money.reversed:
                self.effects.append(Settle(money, line))

    def _alone(self, line: Line) -> Place:
        """Return the place of a credit without a payment."""
        if line.held:
            return Place(Class.ORPHAN_CREDIT)
        if line.aside:
            self.effects.append(Hold(line))
            return Place(Class.PENDING, why="being-recorded")
        if line.id in self._unclear:
            return Place(Class.PENDING, why="ambiguous")
        if line.id in self._early:
            return Place(Class.PENDING, why="too-early")
        if line.matched:
            return Place(Class.PENDING, why="match-not-found")
        said = line.matched is not None or (self._rules.shared and line.reference)
        if not said and line.value_on > self._rules.graced:
            return Place(Class.PENDING, why="too-early")
        self.effects.append(Record(self._account.application_id, line))
        return Place(Class.PENDING, why="being-recorded")

    def _class(self, money: Money) -> Class:
        line = self._line_of.get(money.id)
        if money.reversed:
            return Class.REVERSED
        if line is not None:
            return self.places[line.id].name
        if money.settled is not None:
            # Settled with others by one credit, which is in no account.
            return class_of(money)
        if money.paid_on > self._rules.graced or money.id in self._unclear:
            return Class.AWAITING_SETTLEMENT
        if not money.disputed:
            self.effects.append(Dispute(money))
        return Class.CALLBACK_NO_SETTLEMENT


def _by_hand(line: Line, money: Money) -> bool:
    return line.matched is not None and money.known_as(line.matched)


def _by_reference(line: Line, money: Money) -> bool:
    return money.known_as(line.reference)


def _clusters(
    lines: Sequence[Line], moneys: Sequence[Money], fits: Callable[[Line, Money], bool]
) -> list[tuple[list[Line], list[Money]]]:
    """Return the groups of lines and payments that could belong to each other, in a fixed order."""
    left = sorted(lines, key=lambda one: (one.value_on, one.id))
    groups: list[tuple[list[Line], list[Money]]] = []
    while left:
        some, fresh = [left.pop(0)], True
        fitting: list[Money] = []
        while fresh:
            more = [m for m in moneys if m not in fitting and any(fits(one, m) for one in some)]
            near = [one for one in left if any(fits(one, m) for m in (*fitting, *more))]
            fitting += more
            some += near
            left = [one for one in left if one not in near]
            fresh = bool(more or near)
        if fitting:
            in_order = sorted(some, key=lambda one: (one.value_on, one.id))
            groups.append((in_order, sorted(fitting, key=lambda m: (m.paid_on, m.name, m.id))))
    return groups
